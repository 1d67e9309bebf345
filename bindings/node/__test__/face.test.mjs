// The package from outside: what its classes hold, what it refuses.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

import { Analysis, analyzeMany, BuildFiles, Context, Dockerfile, generate, measure } from '../index.js'

const NAIVE = `FROM python:3.12-slim
COPY . /app
WORKDIR /app
RUN pip install -r requirements.txt
CMD ["python", "main.py"]
`

function folder(t, files) {
  const path = mkdtempSync(join(tmpdir(), 'stagewright-'))
  t.after(() => rmSync(path, { recursive: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content)
  return path
}

const project = (t) =>
  folder(t, { Dockerfile: NAIVE, 'main.py': 'print(1)\n', 'requirements.txt': 'click==8.1.7\n' })
const analyzed = (t) => Dockerfile.parse(NAIVE).analyze({ context: project(t) })
const verdicts = (prediction) => prediction.steps.map((step) => step.verdict)

test('many builds in one call', (t) => {
  const path = project(t)
  const [first, missing, last] = analyzeMany([path, join(path, 'nowhere'), join(path, 'Dockerfile')])
  assert.ok(first instanceof Analysis)
  assert.equal(first.toJson(), last.toJson())
  assert.equal(missing.code, 'path-missing')
  assert.throws(() => analyzeMany([path], { platform: 'no/such/platform/at/all' }), { code: 'unknown-platform' })
})

test('text is kept and instructions are placed', () => {
  const text = '# escape=`\r\nFROM alpine AS a\r\nRUN --network=none echo é `\r\n  there\r\n'
  const file = Dockerfile.parse(text)
  assert.equal(file.text, text)
  assert.equal(file.escape, '`')
  assert.deepEqual(file.directives, [{ name: 'escape', value: '`' }])
  const run = file.instructions[1]
  assert.deepEqual([run.keyword, run.line, run.endLine], ['RUN', 3, 4])
  assert.ok(Buffer.from(text).subarray(run.span.start, run.span.end).toString().startsWith('RUN --network'))
  assert.deepEqual(run.flags.map(({ name, value }) => [name, value]), [['network', 'none']])
})

test('threads have their own instructions', async () => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { Dockerfile } = require(workerData.package)
    parentPort.postMessage(Dockerfile.parse(workerData.text).instructions)
  `
  const workerData = { package: fileURLToPath(new URL('../index.js', import.meta.url)), text: NAIVE }
  const run = () =>
    new Promise((resolve, reject) => {
      new Worker(code, { eval: true, workerData }).once('message', resolve).once('error', reject)
    })
  const here = Dockerfile.parse(NAIVE).instructions
  assert.deepEqual(await Promise.all([run(), run()]), [here, here])
  assert.deepEqual(await run(), Dockerfile.parse(NAIVE).instructions, 'also when the others have ended')
})

test('a wrong Dockerfile is a value', () => {
  const { errors } = Dockerfile.parse('FROM alpine\nRUNN echo\nCOPY a\n')
  assert.deepEqual(errors.map(({ line, code }) => [line, code]), [
    [2, 'unknown-instruction'],
    [3, 'argument-count'],
  ])
})

test('sizes', (t) => {
  const analysis = analyzed(t)
  const { low, expected, high } = analysis.size
  assert.ok(0 < low && low <= expected && expected <= high)
  assert.ok(analysis.compressed.expected < expected)
  assert.equal(analysis.target, 'stage-0')
  assert.equal(analysis.base.reference, 'python:3.12-slim')
  assert.equal(analysis.base.known, true)
  const copy = analysis.layers[1]
  assert.deepEqual([copy.line, copy.stage, copy.instruction], [2, 'stage-0', 'COPY . /app'])
  assert.equal(copy.size.expected, NAIVE.length + 'print(1)\n'.length + 'click==8.1.7\n'.length)
  assert.ok(copy.basis.length > 0)
  assert.equal(analysis.layers[0].size.expected, analysis.base.size.expected)
  assert.equal(analysis.hidden.expected, 0)
  assert.deepEqual(analysis.findings, [])
})

test('a change runs steps again', (t) => {
  const analysis = analyzed(t)
  const prediction = analysis.after({ files: ['main.py'] })
  assert.deepEqual(verdicts(prediction), ['cached', 'rerun', 'rerun', 'rerun'])
  assert.match(prediction.steps[3].cause, /`main\.py`/)
  assert.equal(prediction.steps[0].cause, undefined)
  assert.ok(prediction.warmPull.expected > 0)
  assert.ok(verdicts(analysis.after()).every((verdict) => verdict === 'cached'))
  const dockerfile = NAIVE.replace('-r requirements.txt', 'click')
  assert.deepEqual(verdicts(analysis.after({ dockerfile })), ['cached', 'cached', 'cached', 'rerun'])
})

test('a build argument runs steps again', () => {
  const file = Dockerfile.parse('FROM alpine\nARG LEVEL\nRUN make $LEVEL\n')
  const analysis = file.analyze({ context: Context.files({}), buildArgs: { LEVEL: '1' } })
  assert.deepEqual(verdicts(analysis.after({ buildArgs: { LEVEL: '1' } })), ['cached', 'cached'])
  assert.deepEqual(verdicts(analysis.after({ buildArgs: { LEVEL: '2' } })), ['cached', 'rerun'])
})

test('two folders are compared', (t) => {
  const path = project(t)
  const build = (text) => {
    writeFileSync(join(path, 'main.py'), text)
    const files = BuildFiles.open(path, { hash: true })
    return files.dockerfile.analyze({ context: files.context })
  }
  const [before, same, after] = [build('print(1)\n'), build('print(1)\n'), build('print(2)\n')]
  assert.ok(verdicts(same.since(before)).every((verdict) => verdict === 'cached'))
  assert.deepEqual(verdicts(after.since(before)), ['cached', 'rerun', 'rerun', 'rerun'])
})

test('a plan climbs and is written', (t) => {
  const path = project(t)
  const files = BuildFiles.open(path)
  const analysis = files.dockerfile.analyze({ context: files.context })
  const plan = analysis.plan({ objective: 'warm-pull', applicability: 'safe', change: 'main.py' })
  assert.deepEqual([plan.objective, plan.applicability, plan.change], ['warm-pull', 'safe', 'main.py'])
  const [first] = plan.steps
  assert.deepEqual([first.pass, first.applicability], ['manifests_first', 'safe'])
  assert.deepEqual(first.before, plan.before)
  assert.ok(first.after.warmPull < first.before.warmPull)
  assert.ok(first.after.rebuilds.length < first.before.rebuilds.length)
  files.write(plan)
  assert.equal(readFileSync(files.path, 'utf8'), plan.dockerfile)
  assert.notEqual(plan.dockerfile, NAIVE)
  assert.equal(readFileSync(join(path, '.dockerignore'), 'utf8'), plan.dockerignore)
  assert.deepEqual(Dockerfile.read(path).analyze({ context: path }).plan({ objective: 'warm-pull' }).steps, [])
})

test('passes are chosen', (t) => {
  const analysis = analyzed(t)
  assert.deepEqual(analysis.plan({ only: ['package_cache'] }).steps.map(({ pass }) => pass), ['package_cache'])
  assert.ok(!analysis.plan({ skip: ['package_cache'] }).steps.some(({ pass }) => pass === 'package_cache'))
  assert.equal(analysis.plan().applicability, 'safe')
})

test('generate', (t) => {
  const path = folder(t, {
    'main.py': 'from flask import Flask\napp = Flask(__name__)\n',
    'requirements.txt': 'flask==3.0.3\ngunicorn==22.0.0\n',
  })
  const generated = generate(path, { port: 9000 })
  assert.equal(generated.recipe, 'python')
  assert.match(generated.dockerfile, /EXPOSE 9000/)
  assert.deepEqual(Dockerfile.parse(generated.dockerfile).errors, [])
  assert.ok(generated.size.expected > generated.compressed.expected)
  assert.ok(generated.found.length > 0)
  generated.write(path)
  assert.equal(readFileSync(join(path, 'Dockerfile'), 'utf8'), generated.dockerfile)
  assert.throws(() => generated.write(path), { code: 'file-exists' })
  const given = generate(path, { base: 'python:3.11-slim', command: ['python', 'main.py'] })
  assert.ok(given.dockerfile.startsWith('FROM python:3.11-slim'))
})

test('contexts in memory', () => {
  const context = Context.files({ 'main.py': Buffer.from([0xff, 0xfe]), 'notes.md': 'later\n', '.dockerignore': '*.md\n' })
  assert.deepEqual(context.sizes, { '.dockerignore': 5, 'main.py': 2 })
  assert.equal(context.size, 7)
  assert.deepEqual(context.ignored, ['notes.md'])
})

test('a wrong call throws', (t) => {
  const path = folder(t, {})
  const file = Dockerfile.parse(NAIVE)
  const calls = {
    'path-missing': () => Dockerfile.read(join(path, 'nothing')),
    'dockerfile-missing': () => BuildFiles.open(path),
    'context-missing': () => file.analyze({ context: join(path, 'nothing') }),
    'no-stages': () => Dockerfile.parse('').analyze({ context: path }),
    'unknown-target': () => file.analyze({ context: path, target: 'web' }),
    'unknown-platform': () => file.analyze({ context: path, platform: 'amiga' }),
    'bad-date': () => file.analyze({ context: path, asOf: '2019' }),
    'unknown-objective': () => file.analyze({ context: path }).plan({ objective: 'beauty' }),
    'unknown-applicability': () => file.analyze({ context: path }).plan({ applicability: 'mostly' }),
    'unknown-pass': () => file.analyze({ context: path }).plan({ only: ['magic'] }),
    'no-recipe': () => generate(path),
  }
  for (const [code, call] of Object.entries(calls)) {
    assert.throws(call, (error) => error instanceof Error && error.code === code && error.message.length > 0, code)
  }
})

test('bytes that are not UTF-8', (t) => {
  const path = folder(t, { Dockerfile: Buffer.from('FROM alpine\nRUN echo \xff\n', 'latin1') })
  assert.throws(() => Dockerfile.read(path), { code: 'not-utf8', message: /offset 21/ })
})

test('JSON is JSON', (t) => {
  const analysis = analyzed(t)
  const reports = [Dockerfile.parse(NAIVE), analysis, analysis.after({ files: ['main.py'] }), analysis.plan()]
  for (const report of reports) {
    assert.equal(JSON.parse(report.toJson()).schema, 1)
    assert.ok(report.toJson().endsWith('}\n'))
  }
})

test('the example runs', (t) => {
  const path = project(t)
  const example = fileURLToPath(new URL('../examples/optimize.mjs', import.meta.url))
  const output = execFileSync(process.execPath, [example, path], { encoding: 'utf8' })
  assert.equal(output, Dockerfile.read(path).analyze({ context: path }).plan({ applicability: 'unsafe' }).toJson())
})

test('an image is measured and learned', () => {
  const image = measure(fileURLToPath(new URL('../../../tests/conformance/measure/docker-oci/project/image.tar', import.meta.url)), { rows: 1 })
  assert.deepEqual([image.layers.length, image.largest.length, image.platform], [4, 1, 'linux/amd64'])
  assert.equal(image.bytes, image.layers.reduce((sum, layer) => sum + layer.bytes, 0))
  const config = image.learn('# ours\n', { name: 'team/base:3', date: '2026-11-23' })
  assert.ok(config.startsWith('# ours\n\n[base."team/base:3"]\n'))
  const analysis = Dockerfile.parse('FROM team/base:3\n').analyze({ context: Context.files({}), config })
  assert.deepEqual([analysis.size.low, analysis.base.basis.date], [image.bytes, '2026-11-23'])
  const compared = analysis.compareWith(image)
  assert.ok(compared.base.size.inside)
  assert.equal(compared.image.compressed.off, 0)
  assert.throws(() => image.learn('[colour]\n'), { code: 'config-unknown-key' })
})
