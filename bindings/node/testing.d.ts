import type { Prediction } from './index'

/**
 * Asserts that every step that `step` picks is taken from the cache for certain. The message names the cause if it is not.
 *
 * A step is picked by its line (`'7'`), by its stage (`'builder'`), by either within the other (`'builder/7'`, `'builder/RUN make'`),
 * or by a part of its instruction (`'RUN pip install'`). Words that pick no step throw an error with the code `unknown-step`.
 */
export declare function assertCached(prediction: Prediction, step: string): void

/** Asserts that every step that `step` picks runs again for certain. */
export declare function assertRerun(prediction: Prediction, step: string): void
