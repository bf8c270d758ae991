// Starts and ends the servers under test, and reads what they use.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { fileURLToPath } from 'node:url'

const BARE = fileURLToPath(new URL('bare-server.mjs', import.meta.url))

/** @typedef {'upstream' | 'ferronext' | 'bare'} Engine */

/**
 * @typedef {object} Running
 * @property {number} port
 * @property {number} pid
 * @property {{ prepare?: number, ready: number }} start milliseconds
 * @property {() => Promise<void>} stop
 */

/**
 * @param {Engine} engine
 * @param {string} target the folder of the built app, or the file of the captured answer for `bare`
 * @returns {Promise<Running>}
 */
export async function startServer(engine, target) {
  const port = await findFreePort()
  const bare = engine === 'bare'
  const args = bare ? [BARE, target] : ['server.mjs']
  if (engine === 'ferronext') args.unshift('--import', 'ferronext/register')
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', PORT: String(port) }
  delete env.NODE_OPTIONS
  const child = spawn(process.execPath, args, {
    cwd: bare ? undefined : target,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = new Promise(resolve => child.once('close', resolve))
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const { engine: loaded = engine, ...start } = await readStart(engine, child)
  if (loaded !== engine) {
    kill()
    throw new Error(`the server that was started as ${engine} runs on ${loaded}`)
  }
  return {
    port,
    pid: /** @type {number} */ (child.pid),
    start,
    async stop() {
      process.removeListener('exit', kill)
      child.kill('SIGKILL') // Nothing that it might still write is wanted.
      await closed
    },
  }
}

/**
 * Waits for the line of JSON that each of the servers prints when it listens.
 *
 * @param {Engine} engine
 * @param {import('node:child_process').ChildProcessByStdio<null, import('node:stream').Readable, import('node:stream').Readable>} child
 * @returns {Promise<{ prepare?: number, ready: number, engine?: Engine }>}
 */
function readStart(engine, child) {
  return new Promise((resolve, reject) => {
    let output = ''
    const read = (/** @type {Buffer} */ chunk) => {
      // Kept short: a server that logs every request under load must not fill our memory.
      output = (output + chunk).slice(-20_000)
      const line = output.split('\n').find(text => text.startsWith('{"') && text.endsWith('}'))
      if (line) resolve(JSON.parse(line))
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', reject)
    child.once('close', code => reject(new Error(`${engine} ended with ${code} before it listened:\n${output}`)))
    setTimeout(() => reject(new Error(`${engine} did not listen within 30 s:\n${output}`)), 30_000).unref()
  })
}

/** @returns {Promise<number>} */
function findFreePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (probe.address())
      probe.close(() => resolve(port))
    })
  })
}

/**
 * Resident memory in MB, now and at its highest. `undefined` where there is no /proc.
 *
 * @param {number} pid
 */
export function readMemory(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const megabytes = (/** @type {string} */ field) =>
      Math.round(Number(status.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))?.[1]) / 102.4) / 10
    return { rss: megabytes('VmRSS'), peak: megabytes('VmHWM') }
  } catch {
    return { rss: undefined, peak: undefined }
  }
}
