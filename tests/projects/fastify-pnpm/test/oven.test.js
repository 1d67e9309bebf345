import assert from 'node:assert'
import { test } from 'node:test'
import { bake } from '../src/oven.js'

test('rye takes its time', () => assert.equal(bake('rye').minutes, 55))
