// Measures one scenario on one engine, in a fresh process, so that memory is its own.

import { setMaxListeners } from 'node:events'
import { rmSync } from 'node:fs'
import { Agent, get } from 'node:http'
import path from 'node:path'
import { PICTURES, pictureUrl } from './files.mjs'
import { readMemory, startServer } from './server-process.mjs'
import { load } from './wrk.mjs'

/** Widths of `images.deviceSizes`: each is another picture that nobody has made. */
const WIDTHS = [1200, 1080, 828, 750, 640, 1920]

/** @typedef {import('./wrk.mjs').Load & { rss?: number, peak?: number }} Measured */

/**
 * @param {{ engine: import('./server-process.mjs').Engine, target: string, scenario: import('./scenarios.mjs').Scenario,
 *   headers: Record<string, string>, seconds: number, warmUp: number }} options `target`: the built app, or the captured answer
 * @returns {Promise<Measured>}
 */
export async function measure({ engine, target, scenario, headers, seconds, warmUp }) {
  // What an earlier round has made is not cold.
  if (scenario.kind) rmSync(path.join(target, '.next/cache/images'), { recursive: true, force: true })
  const server = await startServer(engine, target)
  try {
    const request = {
      url: `http://127.0.0.1:${server.port}${scenario.path}`,
      headers: { ...headers, ...scenario.headers },
      status: scenario.status,
      connections: scenario.connections,
    }
    const measured =
      scenario.kind === 'cold'
        ? await inTurn(server.port, request.headers)
        : await underLoad(server.port, request, { seconds, warmUp, beside: scenario.kind === 'beside' })
    // A handful of long answers: what arrived tells more than how many of them have ended.
    const rate = scenario.streams ? measured.megabytesPerSecond : measured.rate
    return { ...measured, rate, ...readMemory(server.pid) }
  } finally {
    await server.stop()
  }
}

/**
 * @param {number} port
 * @param {{ url: string, headers: Record<string, string>, status: number, connections?: number }} request
 * @param {{ seconds: number, warmUp: number, beside: boolean }} options `beside`: while pictures are made
 */
async function underLoad(port, request, { seconds, warmUp, beside }) {
  await load({ ...request, seconds: warmUp })
  const stop = new AbortController()
  const pictures = beside ? askForPictures(port, stop.signal) : undefined
  const measured = await load({ ...request, seconds })
  stop.abort()
  const failed = await pictures
  return failed ? { ...measured, errors: measured.errors + failed } : measured
}

/**
 * A page's worth of cold pictures at once, again and again with other widths, so that there is work for as long as the load lasts.
 *
 * @param {number} port
 * @param {AbortSignal} signal
 * @returns {Promise<number>} how many failed
 */
async function askForPictures(port, signal) {
  const agent = new Agent({ maxSockets: PICTURES })
  setMaxListeners(2 * PICTURES, signal)
  let failed = 0
  for (const width of WIDTHS) {
    const all = Array.from({ length: PICTURES }, (_, index) =>
      ask(port, pictureUrl(index, width), { accept: 'image/webp' }, { agent, signal }),
    )
    for (const result of await Promise.allSettled(all)) if (result.status === 'rejected' && !signal.aborted) failed++
    if (signal.aborted) break
  }
  agent.destroy()
  return failed
}

/**
 * Every picture once, one after the other: each is made while somebody waits.
 *
 * @param {number} port
 * @param {Record<string, string>} headers
 * @returns {Promise<import('./wrk.mjs').Load>}
 */
async function inTurn(port, headers) {
  /** @type {number[]} */
  const times = []
  let errors = 0
  let bytes = 0
  // What is needed by the first one alone (loading sharp, making threads) is not what is measured.
  await ask(port, pictureUrl(0, 32), headers)
  const began = performance.now()
  for (let index = 0; index < PICTURES; index++) {
    const from = performance.now()
    const answer = await ask(port, pictureUrl(index), headers).catch(() => undefined)
    times.push(performance.now() - from)
    if (answer?.status !== 200 || answer.cache !== 'MISS') errors++
    bytes += answer?.bytes ?? 0
  }
  const seconds = (performance.now() - began) / 1000
  times.sort((a, b) => a - b)
  return {
    rate: PICTURES / seconds,
    p50: times[PICTURES >> 1] ?? Number.NaN,
    p99: times[PICTURES - 1] ?? Number.NaN,
    requests: PICTURES,
    errors,
    megabytesPerSecond: bytes / 1e6 / seconds,
  }
}

/**
 * @param {number} port
 * @param {string} target
 * @param {Record<string, string>} headers
 * @param {{ agent?: Agent, signal?: AbortSignal }} [options]
 * @returns {Promise<{ status: number, cache: string, bytes: number }>}
 */
function ask(port, target, headers, options = {}) {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: target, headers, ...options }, response => {
      let bytes = 0
      response.on('data', chunk => {
        bytes += chunk.length
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, cache: String(response.headers['x-nextjs-cache']), bytes }),
      )
      response.on('error', reject)
    }).on('error', reject)
  })
}
