// Snapshots, revisions of git, forecasts and assertions, from JavaScript.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'

import { BuildFiles, Context, Dockerfile, History, Snapshot, compare } from 'stagewright'
import { assertCached, assertRerun } from 'stagewright/testing'

const FILE = Dockerfile.parse(
  'FROM python:3.12-slim\nCOPY requirements.txt /\nRUN pip install -r /requirements.txt\nCOPY . /app\n',
)
const analyze = (files = {}) =>
  FILE.analyze({ context: Context.files({ 'requirements.txt': 'flask\n', 'main.py': '1', ...files }) })
const code = (expected) => (error) => error.code === expected

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'stagewright-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('assertions', () => {
  const prediction = analyze().after({ files: ['main.py'] })
  assertCached(prediction, 'RUN pip install')
  assertRerun(prediction, '4')
  assert.throws(() => assertCached(prediction, 'COPY .'), {
    name: 'AssertionError',
    message: '`COPY . /app` runs again because `COPY . /app` takes in `main.py`, which changed',
  })
  assert.throws(() => assertRerun(prediction, 'stage-0/3'), { name: 'AssertionError', message: /is cached$/ })
  assert.throws(() => assertCached(prediction, 'RUN npm'), code('unknown-step'))
})

test('snapshots', (t) => {
  const path = join(folder(t), 'last.json')
  const snapshot = analyze().snapshot()
  snapshot.write(path)
  const read = Snapshot.read(path)
  assert.equal(read.toJson(), snapshot.toJson())
  assert.deepEqual([read.dockerfile, read.files], [FILE.text, 2])
  const later = analyze({ 'main.py': '2' })
  const prediction = compare(read.analyze(), later)
  assert.deepEqual(
    prediction.steps.map((step) => step.verdict),
    ['cached', 'cached', 'cached', 'rerun'],
  )
  assert.equal(prediction.toJson(), later.since(analyze()).toJson())
})

test('digests of base images', () => {
  const called = (digit) => ({ 'python:3.12-slim': `sha256:${digit.repeat(64)}` })
  const before = FILE.analyze({ context: Context.files({}), bases: called('a') })
  assertRerun(before.after({ bases: called('b') }), 'FROM')
  assert.throws(() => FILE.analyze({ context: Context.files({}), bases: { a: 'latest' } }), code('bad-base'))
})

test('git', (t) => {
  const path = folder(t)
  const identity = ['-c', 'user.name=n', '-c', 'user.email=e@example.org', '-c', 'commit.gpgsign=false']
  const git = (...words) => execFileSync('git', ['-C', path, ...identity, ...words])
  writeFileSync(join(path, 'Dockerfile'), FILE.text)
  writeFileSync(join(path, 'requirements.txt'), 'flask\n')
  git('init', '-q')
  for (const text of ['1', '2']) {
    writeFileSync(join(path, 'main.py'), text)
    git('add', '--all')
    git('commit', '-q', '-m', 'a change')
  }
  writeFileSync(join(path, 'main.py'), '3')
  const files = BuildFiles.open(path, { hash: true })
  const [before, after] = [files.atRevision('HEAD'), files].map((one) =>
    one.dockerfile.analyze({ context: one.context }),
  )
  assertRerun(compare(before, after), 'COPY .')
  assert.throws(() => files.atRevision('nothing'), code('git-bad-revision'))

  const history = files.history({ commits: 10 })
  assert.deepEqual(
    history.commits.map((commit) => commit.paths),
    [['main.py']],
  )
  const forecast = after.forecast(history, { durations: { 'RUN pip': 10 } })
  assert.deepEqual(
    forecast.steps.map((step) => step.chance),
    [0, 0, 0, 1],
  )
  assert.deepEqual(forecast.paths, [{ path: 'main.py', commits: 1 }])
  assert.throws(() => files.history({ since: 'yesterday' }), code('bad-since'))
})

test('histories from elsewhere', () => {
  const history = History.of([['main.py'], ['requirements.txt']])
  const [, , install] = analyze().forecast(history, { durations: { 'RUN pip': 10 } }).steps
  assert.deepEqual([install.expectedSeconds, install.basis.source], [5, 'given'])
  assert.throws(() => analyze().forecast(History.of([])), code('no-history'))
})
