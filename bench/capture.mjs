// One answer, as it came over the wire; and whether two answers say the same.

import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {string[]} headers names and values in turn, as they came
 * @property {string} encoding of the content; '' for none
 * @property {Buffer} body still encoded
 */

/** Node's `http` adds these by itself, so the bare server must not send them a second time. */
const OWN_HEADERS = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding'])

/**
 * @param {number} port
 * @param {string} path
 * @param {Record<string, string>} headers
 * @returns {Promise<Answer>}
 */
export function capture(port, path, headers) {
  return new Promise((resolve, reject) => {
    // The agent keeps the connection alive as wrk does; `Connection: close` would come back in the answer.
    const outgoing = request({ host: '127.0.0.1', port, path, headers }, async incoming => {
      try {
        const body = Buffer.concat(await incoming.toArray())
        const encoding = String(incoming.headers['content-encoding'] ?? '')
        resolve({ status: incoming.statusCode ?? 0, headers: withoutOwn(incoming.rawHeaders), encoding, body })
      } catch (error) {
        reject(error)
      }
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
}

/** Answers of one length in a row, after which a better compressed form is no longer expected. */
const SETTLED = 5

/**
 * The answer that everybody gets who comes later: the first may be a cold one, and the next ones are compressed quickly until a better
 * form has been made.
 * @param {number} port
 * @param {string} path
 * @param {Record<string, string>} headers
 */
export async function captureSettled(port, path, headers) {
  let answer = await capture(port, path, headers)
  // Answers that never come to one length, and those that are too long to be kept, are taken as they are.
  for (let same = 0, asked = 0; same < SETTLED && asked < 40 && answer.body.length < 1e6; asked++) {
    await delay(50)
    const next = await capture(port, path, headers)
    same = next.body.length === answer.body.length ? same + 1 : 0
    answer = next
  }
  return answer
}

/** @param {string[]} raw */
function withoutOwn(raw) {
  /** @type {string[]} */
  const kept = []
  for (let at = 0; at < raw.length; at += 2) {
    if (!OWN_HEADERS.has(raw[at].toLowerCase())) kept.push(raw[at], raw[at + 1])
  }
  return kept
}

/** @param {Answer} answer */
function decode({ encoding, body }) {
  if (encoding === 'gzip') return gunzipSync(body)
  if (encoding === 'br') return brotliDecompressSync(body)
  if (encoding === '') return body
  throw new Error(`unexpected Content-Encoding: ${encoding}`)
}

/**
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {Answer} expected upstream's
 * @param {Answer} actual
 * @param {import('./server-process.mjs').Engine} engine whose answer it is
 * @returns {string | undefined} the first difference that matters
 */
export function findMismatch(scenario, expected, actual, engine) {
  if (expected.status !== scenario.status) return `upstream answered ${expected.status}, not ${scenario.status}`
  if (actual.status !== expected.status) return `status ${actual.status} instead of ${expected.status}`
  for (const name of scenario.sameHeaders ?? []) {
    const [a, b] = [expected, actual].map(answer => headerOf(answer, name))
    if (a === undefined || a !== b) return `header ${name} is ${b} instead of ${a}`
  }
  const normalize = (engine === 'vinext' ? scenario.content : scenario.normalize) ?? (text => text)
  const [a, b] = [expected, actual].map(answer => normalize(decode(answer).toString('latin1')))
  if (a === b) return undefined
  let at = 0
  while (a[at] === b[at]) at++
  const excerpt = (/** @type {string} */ text) => JSON.stringify(text.slice(Math.max(0, at - 40), at + 80))
  return `bodies of ${a.length} and ${b.length} bytes differ at ${at}:\n    ${excerpt(a)}\n    ${excerpt(b)}`
}

/** @param {Answer} answer @param {string} name */
function headerOf({ headers }, name) {
  const at = headers.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name)
  return at < 0 ? undefined : headers[at + 1]
}
