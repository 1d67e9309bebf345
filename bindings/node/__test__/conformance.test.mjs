// The package's answers to the cases that all languages share: `tests/conformance`.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

import { BuildFiles, Dockerfile, History, Snapshot, Trace, compare, generate, measure } from '../index.js'

const CONFORMANCE = fileURLToPath(new URL('../../../tests/conformance', import.meta.url))

/** The options of a case in this language's spelling. */
const camel = (options = {}) =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()), value]))

function analyze(path, { build = {} }, state, side = {}) {
  const files = BuildFiles.open(join(path, state), { hash: existsSync(join(path, 'after')) })
  const both = { ...build }
  for (const [name, more] of Object.entries(side)) both[name] = { ...both[name], ...more }
  const saved = join(path, 'against.json')
  const against = existsSync(saved) ? readFileSync(saved, 'utf8') : undefined
  return files.dockerfile.analyze({ context: files.context, config: files.config, against, ...camel(both) })
}

const durations = (path, asked) => ({
  trace: asked.trace && Trace.read(join(path, asked.trace)),
  durations: asked.durations && JSON.parse(readFileSync(join(path, asked.durations), 'utf8')),
})

const size = (path, asked) => analyze(path, asked, 'project')

function cache(path, asked) {
  const { snapshot, before: earlier, after: later, cached = [], rerun = [], ...given } = asked.cache ?? {}
  const { no_cache, no_cache_filter, imported, ...told } = given
  const options = camel({ no_cache, no_cache_filter, imported })
  const before = snapshot ? Snapshot.read(join(path, snapshot)).analyze() : analyze(path, asked, 'project', earlier)
  const prediction = existsSync(join(path, 'after'))
    ? analyze(path, asked, 'after', later).since(before, options)
    : before.after(camel(asked.change), options)
  for (const step of cached) prediction.expectCached(step)
  for (const step of rerun) prediction.expectRerun(step)
  return prediction.against(durations(path, told))
}

const history = (path, asked) =>
  analyze(path, asked, 'project').forecast(
    History.read(join(path, asked.history.commits)),
    durations(path, asked.history),
  )

function optimize(path, asked) {
  const { until, ...options } = asked.plan
  const plan = analyze(path, asked, 'project').plan(camel(options))
  return until === undefined ? plan : plan.until(until)
}

const diff = (path, asked) => analyze(path, asked, 'project').diff(analyze(path, asked, 'after'), asked.diff)
const generated = (path, asked) => generate(join(path, 'project'), camel(asked.generate))
const measured = (path, { measure: { image, ...options } }) => measure(join(path, 'project', image), camel(options))
const compared = (path, asked) => size(path, asked).compareWith(measured(path, asked))
const error = (path, asked) =>
  (asked.cache ? cache : asked.history ? history : asked.plan ? optimize : asked.generate ? generated : asked.measure ? measured : size)(path, asked)

const AREAS = { size, cache, history, optimize, generate: generated, measure: measured, compare: compared, diff, errors: error }
let cases = 0

for (const [area, answer] of Object.entries(AREAS)) {
  for (const name of readdirSync(join(CONFORMANCE, area)).sort()) {
    cases += 1
    test(`${area}/${name}`, () => {
      const path = join(CONFORMANCE, area, name)
      const asked = JSON.parse(readFileSync(join(path, 'case.json'), 'utf8'))
      const expected = readFileSync(join(path, 'expected.json'), 'utf8')
      const shown = (text) => text.replaceAll(join(path, 'project'), '$PROJECT')
      if (area !== 'errors') return assert.equal(shown(answer(path, asked).toJson()), expected)
      const { code, message } = JSON.parse(expected).error
      assert.throws(
        () => answer(path, asked),
        (thrown) => thrown.code === code && shown(thrown.message) === message,
      )
    })
  }
}

const paths = (area) => readdirSync(join(CONFORMANCE, area)).sort().map((name) => join(CONFORMANCE, area, name))
const read = (path, name) => readFileSync(join(path, name), 'utf8')

for (const path of paths('syntax')) {
  cases += 1
  test(`syntax/${basename(path)}`, () => {
    const { about, ...expected } = JSON.parse(read(path, 'expected.json'))
    const file = Dockerfile.parse(read(path, 'Dockerfile'))
    assert.deepEqual(JSON.parse(file.toBuildkitJson('Dockerfile')), { file: 'Dockerfile', ...expected }, about)
    assert.equal(file.text, read(path, 'Dockerfile'))
  })
}

for (const path of paths('format')) {
  cases += 1
  test(`format/${basename(path)}`, () => {
    const formatted = Dockerfile.parse(read(path, 'Dockerfile')).format()
    assert.equal(formatted.text, read(path, 'expected.Dockerfile'))
    assert.equal(formatted.format().text, formatted.text)
  })
}

/** Calls the method of an operation with its arguments by name, in the order of the signature. */
const METHODS = {
  index: ['index', 'mount', 'lines', 'name', 'key', 'value', 'image', 'tag', 'digest', 'content', 'comments'],
  lines: ['lines'],
  span: ['span', 'content'],
}

function edited(path, { operations = [], instructions }) {
  if (instructions) return Dockerfile.of(instructions)
  let file = Dockerfile.parse(read(path, 'Dockerfile'))
  for (const { op, ...given } of operations) {
    const first = 'index' in given ? 'index' : 'span' in given ? 'span' : 'lines'
    const names = METHODS[first].filter((name) => name in given)
    file = file[op.replace(/_(.)/g, (_, letter) => letter.toUpperCase())](...names.map((name) => given[name]))
  }
  return file
}

for (const path of paths('edit')) {
  cases += 1
  test(`edit/${basename(path)}`, () => {
    const asked = JSON.parse(read(path, 'case.json'))
    if (!asked.error) return assert.equal(edited(path, asked).text, read(path, 'expected.Dockerfile'))
    const { code, message } = asked.error
    assert.throws(() => edited(path, asked), (thrown) => thrown.code === code && thrown.message === message)
  })
}

/** A fact with the names of JSON, and nothing where JSON has null. */
const snake = (value) => {
  if (Array.isArray(value)) return value.map(snake)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([, part]) => part !== null && part !== undefined)
  return Object.fromEntries(entries.map(([name, part]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), snake(part)]))
}

for (const path of paths('parse')) {
  cases += 1
  test(`parse/${basename(path)}`, () => {
    const file = Dockerfile.parse(read(path, 'Dockerfile'))
    assert.equal(file.toJson(), read(path, 'expected.json'))
    JSON.parse(file.toJson()).instructions.forEach(({ view, ...instruction }, index) => {
      assert.deepEqual(snake(file.view(index)), snake(view))
      assert.deepEqual(snake(file.instructions[index]), snake(instruction))
    })
  })
}

test('there are cases', () => assert.ok(cases >= 180, `${cases} cases`))
