// From text to a list of instructions, in Node: stagewright beside the packages of others, on the same files in one run.
//
//     node parse.js FOLDER [ROUNDS]
//
// reads every file below FOLDER, keeps those that all packages accept, and prints the median processor time of a pass over all of them. A pass
// makes, for each file, the list of its instructions with keyword, flags where the package knows them, arguments and lines. The packages take turns,
// and time that other programs took does not count.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { Dockerfile } = require('../../bindings/node')
const ast = require('dockerfile-ast')
const fileParser = require('docker-file-parser')

const parsers = {
  stagewright: (text) =>
    Dockerfile.parse(text).instructions.map((i) => [i.keyword, i.flags, i.text, i.line, i.endLine]),
  'docker-file-parser 1.0.7': (text) =>
    fileParser.parse(text, { includeComments: false }).map((i) => {
      if (i.error) throw new Error(i.error)
      return [i.name, i.args, i.lineno]
    }),
  'dockerfile-ast 0.7.1': (text) =>
    ast.DockerfileParser.parse(text).getInstructions().map((i) => {
      const range = i.getRange()
      return [i.getKeyword(), i.getArguments().map((a) => a.getValue()), range.start.line, range.end.line]
    }),
}

function* texts(folder) {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    try {
      yield decoder.decode(fs.readFileSync(path.join(entry.parentPath ?? entry.path, entry.name)))
    } catch {
      // Not UTF-8.
    }
  }
}

function accepted(text) {
  try {
    return Object.values(parsers).every((parse) => parse(text).length > 0) && Dockerfile.parse(text).errors.length === 0
  } catch {
    return false
  }
}

const median = (values) => values.slice().sort((a, b) => a - b)[values.length >> 1]

const rounds = Number(process.argv[3] ?? 5)
const files = [...texts(process.argv[2])].filter(accepted)
const size = files.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
console.log(`${files.length} files, ${(size / 1e6).toFixed(1)} MB, ${rounds} rounds, Node ${process.version}`)
const times = Object.fromEntries(Object.keys(parsers).map((name) => [name, []]))
for (let round = 0; round < rounds; round += 1) {
  for (const [name, parse] of Object.entries(parsers)) {
    const start = process.cpuUsage()
    for (const text of files) parse(text)
    const used = process.cpuUsage(start)
    times[name].push((used.user + used.system) / 1e3)
  }
}
const ours = median(times.stagewright)
for (const [name, all] of Object.entries(times)) {
  console.log(`${name.padEnd(45)} ${median(all).toFixed(1).padStart(9)} ms ${(median(all) / ours).toFixed(1).padStart(7)}`)
}
