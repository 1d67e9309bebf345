// Assertions for the tests of a project: what a change must, or must not, run again.

'use strict'

const { AssertionError } = require('node:assert')

/** Words that pick no step are a wrong call, which is no failed assertion. */
function asserted(expect, step, caller) {
  try {
    expect(step)
  } catch (error) {
    if (error.code === 'unknown-step') throw error
    throw new AssertionError({ message: error.message, operator: caller.name, stackStartFn: caller })
  }
}

exports.assertCached = function assertCached(prediction, step) {
  asserted((words) => prediction.expectCached(words), step, assertCached)
}

exports.assertRerun = function assertRerun(prediction, step) {
  asserted((words) => prediction.expectRerun(words), step, assertRerun)
}
