// Questions about prerendered pages: where an answer came from, and which render it shows.
import { setTimeout as delay } from 'node:timers/promises'
import { sendRaw } from './raw.mjs'
import { header } from './serve-fixture.mjs'

/** @typedef {Awaited<ReturnType<typeof ask>>} Asked */

/**
 * @param {number} port
 * @param {string} target
 * @param {Record<string, string>} [headers]
 */
export async function ask(port, target, headers = {}) {
  const started = performance.now()
  const response = await sendRaw({ port, target, headers, timeout: 30_000 })
  return {
    response,
    status: response.status,
    cache: header(response, 'x-nextjs-cache'),
    control: header(response, 'cache-control'),
    // React marks where one text ends and the next begins.
    text: response.decoded.toString().replaceAll('<!-- -->', ''),
    ms: performance.now() - started,
  }
}

/**
 * Asks until the answer is what is waited for.
 *
 * @param {number} port
 * @param {string} target
 * @param {(answer: Asked) => boolean} isIt
 */
export async function askUntil(port, target, isIt) {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; await delay(10)) {
    const answer = await ask(port, target)
    if (isIt(answer)) return answer
  }
  throw new Error(`${target} never came to what was expected`)
}

/** Many at once. @param {number} port @param {string} target @param {number} count */
export const crowd = (port, target, count) => Promise.all(Array.from({ length: count }, () => ask(port, target)))

/** How many answers there are of each kind. @param {Asked[]} answers */
export function tally(answers) {
  /** @type {Record<string, number>} */
  const kinds = {}
  for (const { status, cache, text } of answers) {
    const kind = `${status} ${cache} render ${text.match(/render (\w+)/)?.[1]}`
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  return kinds
}
