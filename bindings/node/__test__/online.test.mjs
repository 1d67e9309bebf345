// What is asked of indexes and registries: the server of `tests/online`, on this machine.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

import { BuildFiles, Context, Dockerfile } from '../index.js'

const ONLINE = fileURLToPath(new URL('../../../tests/online', import.meta.url))
const SITE = JSON.parse(readFileSync(join(ONLINE, 'site.json'), 'utf8'))
const EXPECTED = readFileSync(join(ONLINE, 'expected.json'), 'utf8')

async function serve(t, site) {
  const asked = []
  const server = createServer((request, response) => {
    const base = `http://127.0.0.1:${server.address().port}`
    asked.push(request.url)
    const route = site[request.url] ?? { status: 404, text: '' }
    if (route.hang) return
    let body = 'base64' in route ? Buffer.from(route.base64, 'base64') : Buffer.from(route.text.replaceAll('{base}', base))
    let status = route.status ?? 200
    const headers = { ...route.headers }
    const range = request.headers.range?.match(/^bytes=(\d*)-(\d*)$/)
    if (route.token && request.headers.authorization !== 'Bearer open-sesame') {
      status = 401
      body = Buffer.alloc(0)
      headers['www-authenticate'] = `Bearer realm="${base}/token",service="registry.test",scope="repository:team/base:pull"`
    } else if (route.ranges && range) {
      const whole = body.length
      const start = range[1] ? Number(range[1]) : Math.max(0, whole - Number(range[2]))
      const end = range[1] ? Math.min(whole, Number(range[2]) + 1) : whole
      status = 206
      body = body.subarray(start, end)
      headers['content-range'] = `bytes ${start}-${end - 1}/${whole}`
    }
    response.writeHead(status, { ...headers, 'content-length': body.length })
    response.end(body)
  })
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${server.address().port}`
  const online = {
    index: `http://${host}/simple`,
    npmRegistry: `http://${host}/npm/`,
    mirrors: { 'registry.test': host },
    retries: 1,
    timeout: 20,
  }
  const said = (analysis) => analysis.toJson().replaceAll(host, 'HOST')
  return { asked, online, said }
}

function analyze(online) {
  const files = BuildFiles.open(join(ONLINE, 'project'))
  return files.dockerfile.analyzeOnline({ context: files.context }, online)
}

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'stagewright-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('the same answer in all languages', async (t) => {
  const { asked, online, said } = await serve(t, SITE)
  const cache = join(folder(t), 'cache')
  assert.equal(said(await analyze({ ...online, cache })), EXPECTED)
  const before = asked.length
  assert.equal(said(await analyze({ ...online, cache })), EXPECTED)
  assert.deepEqual(asked.slice(before), ['/simple/demo-missing/'])
  assert.ok(readdirSync(cache).every((name) => name.endsWith('.json')))
})

test('what makes no sense is a finding', async (t) => {
  for (const [route, code] of [
    [{ text: 'hello' }, 'online-nonsense'],
    [{ hang: true }, 'online-timeout'],
    [{ text: '', status: 302, headers: { location: '/simple/demo/' } }, 'online-redirects'],
  ]) {
    const { online } = await serve(t, { '/simple/demo/': route })
    const file = Dockerfile.parse('FROM scratch\nRUN pip install demo\n')
    const analysis = await file.analyzeOnline({ context: Context.files({}) }, { ...online, timeout: 0.5 })
    const codes = analysis.findings.map((finding) => finding.code).filter((code) => code.startsWith('online-'))
    assert.deepEqual(codes, [code])
  }
})

test('a cache that cannot be is an error', async (t) => {
  const { online } = await serve(t, SITE)
  const file = join(folder(t), 'file')
  writeFileSync(file, 'here')
  await assert.rejects(analyze({ ...online, cache: join(file, 'below') }), { code: 'online-cache-unwritable' })
})

test('what a host pulls', () => {
  const context = Context.files({ 'a.txt': 'a', 'b.txt': 'b'.repeat(100) })
  const analysis = Dockerfile.parse('FROM debian:bookworm-slim\nCOPY a.txt /\nCOPY b.txt /\n').analyze({ context })
  const other = Dockerfile.parse('FROM debian:bookworm-slim\nCOPY a.txt /\n').analyze({ context })
  const words = (host) => analysis.pull(host).layers.map((layer) => layer.there)
  assert.deepEqual(words(), ['nothing', 'nothing', 'nothing'])
  assert.deepEqual(words({ images: ['debian:bookworm-slim'] }), ['all', 'nothing', 'nothing'])
  assert.deepEqual(words({ builds: [other] }), ['all', 'all', 'nothing'])
  assert.deepEqual(words({ files: ['b.txt'] }), ['all', 'all', 'nothing'])
  assert.deepEqual(analysis.pull({ files: ['b.txt'] }).gzip, analysis.after({ files: ['b.txt'] }).warmPull)
})
