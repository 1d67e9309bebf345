// The README's JavaScript runs, in the folder of a project.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const path = (name) => fileURLToPath(new URL(`../../../${name}`, import.meta.url))

for (const readme of ['README.md', 'bindings/node/README.md']) {
  test(readme, () => {
    const blocks = [...readFileSync(path(readme), 'utf8').matchAll(/```js\n(.*?)```/gs)]
    assert.equal(blocks.length, 1)
    const code = blocks[0][1].replace("'stagewright'", JSON.stringify(new URL('../index.js', import.meta.url).href))
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: path('tests/projects/flask-article'),
      encoding: 'utf8',
    })
    assert.match(output, /^\d{9} bytes/)
    assert.match(output, /^FROM python:3\.7 AS base$/m)
  })
}
