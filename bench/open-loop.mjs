// Latency at a fixed rate: how long people wait who come when they come, not when the server has time for them.

import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../__test__/support/run-command.mjs'
import { startServer } from './server-process.mjs'
import { CONNECTIONS } from './wrk.mjs'

const CLIENT = fileURLToPath(new URL('open-loop-client.mjs', import.meta.url))

/**
 * @typedef {object} Latency
 * @property {number} rate answered requests per second, within the time of the measurement
 * @property {number} p50 milliseconds from when a request was due to the last byte of its answer
 * @property {number} p99
 * @property {number} p999
 * @property {number} requests
 * @property {number} errors
 * @property {number} late p99 of how late the client itself was, milliseconds
 */

/**
 * @param {{ engine: import('./server-process.mjs').Engine, target: string, scenario: import('./scenarios.mjs').Scenario,
 *   headers: Record<string, string>, rate: number, seconds: number, warmUp: number }} options
 * @returns {Promise<Latency>}
 */
export async function measureLatency({ engine, target, scenario, headers, rate, seconds, warmUp }) {
  const server = await startServer(engine, target)
  try {
    const question = {
      port: server.port,
      path: scenario.path,
      headers: { ...headers, ...scenario.headers },
      status: scenario.status,
      rate,
      seconds,
      warmUp,
      connections: scenario.connections ?? CONNECTIONS,
    }
    // A large young generation: the client's own collections are few and short.
    const args = ['--max-semi-space-size=64', CLIENT, JSON.stringify(question)]
    const { stdout } = await runCommand(process.execPath, args, { cwd: path.dirname(CLIENT) })
    return JSON.parse(stdout)
  } finally {
    await server.stop()
  }
}
