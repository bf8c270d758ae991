// Starts and ends the servers under test, and reads what they use.

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { createRequire } from 'node:module'
import net from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeOfVinext } from './vinext.mjs'

const fileOf = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url))

/**
 * Servers of an app, and the limits, which repeat what one of them answered.
 *
 * @typedef {'upstream' | 'next-start' | 'ferronext' | 'vinext' | 'bare' | 'raw-ssr'} Engine
 */

/** Their programs take the file of a captured answer. @type {Partial<Record<Engine, string>>} */
const LIMITS = { bare: fileOf('bare-server.mjs'), 'raw-ssr': fileOf('raw-ssr.mjs') }

/** @typedef {{ prepare?: number, ready: number, engine?: Engine }} Started */
/** @typedef {import('node:child_process').ChildProcessByStdio<null, import('node:stream').Readable, import('node:stream').Readable>} Child */

/**
 * @typedef {object} Running
 * @property {number} port
 * @property {number} pid
 * @property {{ prepare?: number, ready: number }} start milliseconds
 * @property {() => Promise<void>} stop
 */

/**
 * @param {Engine} engine
 * @param {string} target the folder of the built app, or the file of the captured answer for a limit
 * @returns {Promise<Running>}
 */
export async function startServer(engine, target) {
  const port = await findFreePort()
  const began = performance.now()
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', PORT: String(port) }
  delete env.NODE_OPTIONS
  const [command, ...args] = commandOf(engine, target, port)
  const child = spawn(command, args, {
    cwd: LIMITS[engine] ? undefined : target,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = new Promise(resolve => child.once('close', resolve))
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const { engine: loaded = engine, ...start } =
    engine === 'next-start' || engine === 'vinext'
      ? await waitForCli(engine, child, port, began)
      : await readStart(engine, child)
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

/** @param {Engine} engine @param {string} target @param {number} port @returns {string[]} */
function commandOf(engine, target, port) {
  const limit = LIMITS[engine]
  if (limit) return [process.execPath, limit, target]
  const flags = ['start', '-p', String(port), '-H', '127.0.0.1']
  switch (engine) {
    case 'vinext':
      return [nodeOfVinext(target), path.join(target, 'node_modules/vinext/dist/cli.js'), ...flags]
    case 'next-start':
      return [
        process.execPath,
        createRequire(path.join(target, 'package.json')).resolve('next/dist/bin/next'),
        ...flags,
      ]
    case 'ferronext':
      return [process.execPath, '--import', 'ferronext/register', 'server.mjs']
    default:
      return [process.execPath, 'server.mjs']
  }
}

/**
 * The line of JSON that the custom server and the bare one print when they listen.
 *
 * @param {Engine} engine
 * @param {Child} child
 * @returns {Promise<Started>}
 */
async function readStart(engine, child) {
  return JSON.parse(await readLine(engine, child, line => line.startsWith('{"') && line.endsWith('}')))
}

/** What the command lines say when they listen. @type {Partial<Record<Engine, string>>} */
const LISTENS = { 'next-start': 'Ready in', vinext: 'server running at' }

/**
 * `next start` says that it is ready when it listens, and loads its handlers then. Requests wait for them, so the first answer tells;
 * this one costs no page.
 *
 * @param {Engine} engine
 * @param {Child} child
 * @param {number} port
 * @param {number} began when the process was started
 * @returns {Promise<Started>}
 */
async function waitForCli(engine, child, port, began) {
  await readLine(engine, child, line => line.includes(/** @type {string} */ (LISTENS[engine])))
  await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/_next/static/none', agent: false }, response => {
      response.resume().once('end', resolve)
    }).once('error', reject)
  })
  return { ready: performance.now() - began }
}

/**
 * The first line that says what is waited for.
 *
 * @param {Engine} engine
 * @param {Child} child
 * @param {(line: string) => boolean} isAwaited
 * @returns {Promise<string>}
 */
function readLine(engine, child, isAwaited) {
  return new Promise((resolve, reject) => {
    let output = ''
    const read = (/** @type {Buffer} */ chunk) => {
      // Kept short: a server that logs every request under load must not fill our memory.
      output = (output + chunk).slice(-20_000)
      const line = output.split('\n').find(isAwaited)
      if (line) resolve(line)
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
 * Resident memory in MB of a process and of those that it started, now and at its highest. `undefined` where there is no /proc.
 *
 * @param {number} pid
 * @returns {{ rss?: number, peak?: number }}
 */
export function readMemory(pid) {
  try {
    const all = [pid, ...listDescendants(pid)].map(id => readFileSync(`/proc/${id}/status`, 'utf8'))
    const megabytes = (/** @type {string} */ field) => {
      const kilobytes = all.map(status => Number(status.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))?.[1] ?? 0))
      return Math.round(kilobytes.reduce((sum, value) => sum + value) / 102.4) / 10
    }
    return { rss: megabytes('VmRSS'), peak: megabytes('VmHWM') }
  } catch {
    return {}
  }
}

/** @param {number} pid @returns {number[]} */
function listDescendants(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const children = tasks.flatMap(task => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
  return children.filter(Boolean).flatMap(child => [Number(child), ...listDescendants(Number(child))])
}
