const assert = require('node:assert')
const { test } = require('node:test')
const { next } = require('../lib/tides')

test('the next tide follows the last one', () => assert.equal(next('husum', 121), 865))
