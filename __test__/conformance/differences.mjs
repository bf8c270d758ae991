// Every deliberate difference from upstream, with its reason. One that no case shows any more fails the run.

/**
 * @typedef {object} Declared
 * @property {string} id
 * @property {string[]} [lines] the Next.js lines it applies to; without it, all of them
 * @property {(context: { fixture: string, name: string, kind: string, expected: string, actual: string }) => boolean} applies
 * @property {string} reason why ours is better, or why upstream's cannot be had
 * @property {string} test where the behaviour that we chose is tested
 */

/** @type {Declared[]} */
export const DIFFERENCES = []
