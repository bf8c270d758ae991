// Measurements that take turns, so that a machine that gets slower gets slower for all of them.

/**
 * @template {string} E
 * @template T
 * @param {number} rounds
 * @param {E[]} engines
 * @param {(engine: E) => Promise<T>} measure
 * @returns {Promise<Record<E, T[]>>} of each engine, one for each round
 */
export async function inTurns(rounds, engines, measure) {
  /** @type {[E, T[]][]} */
  const empty = engines.map(engine => [engine, []])
  const all = /** @type {Record<E, T[]>} */ (Object.fromEntries(empty))
  for (let round = 0; round < rounds; round++) {
    for (const engine of engines) all[engine].push(await measure(engine))
  }
  return all
}

/** @param {number[]} values */
export const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]

/**
 * The round whose number is the median, whole, so that its numbers belong together.
 *
 * @template {object} T
 * @param {T[]} rounds
 * @param {keyof T} key
 */
export const middle = (rounds, key) => rounds.toSorted((a, b) => Number(a[key]) - Number(b[key]))[rounds.length >> 1]
