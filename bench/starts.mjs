// What starting costs, and what a server that nobody asked anything takes.

import { setTimeout as delay } from 'node:timers/promises'
import { readMemory, startServer } from './server-process.mjs'
import { inTurns, median } from './turns.mjs'

/** @typedef {import('./server-process.mjs').Engine} Engine */
/** @typedef {{ prepare?: number, ready: number, idleRss?: number }} Start milliseconds and MB */

/**
 * @param {Engine[]} engines
 * @param {Record<string, string>} dirs
 * @param {number} times
 */
export async function measureStarts(engines, dirs, times) {
  const all = await inTurns(times, engines, async engine => {
    const server = await startServer(engine, dirs[engine])
    await delay(500) // Until what was begun while starting has ended.
    /** @type {Start} */
    const start = { ...server.start, idleRss: readMemory(server.pid).rss }
    await server.stop()
    return start
  })
  /** @type {Partial<Record<Engine, Start>>} */
  const starts = {}
  for (const engine of engines) {
    // Only the custom server knows what `prepare()` cost.
    const of = (/** @type {keyof Start} */ key) => {
      const values = all[engine].map(start => start[key]).filter(value => value !== undefined)
      return values.length > 0 ? median(values) : undefined
    }
    starts[engine] = { prepare: of('prepare'), ready: of('ready') ?? Number.NaN, idleRss: of('idleRss') }
    console.log(
      `${engine.padEnd(10)} prepare() ${of('prepare')?.toFixed(0) ?? '-'} ms, listens after ${of('ready')?.toFixed(0)} ms`,
    )
  }
  return starts
}
