import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'

import { version } from '../index.js'

test('the addon has the version of the package', () => {
  const { version: packaged } = createRequire(import.meta.url)('../package.json')
  assert.equal(version(), packaged)
})
