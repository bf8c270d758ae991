// Starts the custom server of the Next.js documentation in a process of its own: with upstream's `next`, or with the
// same file and ferronext in its place.
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { installFerronext } from './workspace.mjs'

/** @typedef {'upstream' | 'ferronext'} Engine */
/**
 * @typedef {object} Server
 * @property {number} port
 * @property {number} pid
 * @property {() => Promise<void>} stop kills the process and waits for its end
 * @property {() => string} output everything printed so far, stdout and stderr as they came
 * @property {(pattern: RegExp, from?: number, timeout?: number) => Promise<boolean>} printed waits until the output
 *   after character `from` matches; false after `timeout` ms
 */

/** The documented server. Only the port comes from outside, and only `listen` is told. */
const DOCUMENTED_SERVER = `import { createServer } from 'http'
import { parse } from 'url'
import next from 'next'

const port = parseInt(process.env.PORT || '3000', 10)
const app = next({ dev: false })
const handle = app.getRequestHandler()

app.prepare().then(() => {
  createServer((req, res) => {
    const parsedUrl = parse(req.url, true)
    handle(req, res, parsedUrl)
  }).listen(port, () => console.log('> Server listening at http://localhost:' + port))
})
`

/** What the documentation's server prints, and a test's own server files too. */
const READY = /listening/i

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
// A test run that ends early must not leave servers behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * @param {object} options
 * @param {string} options.dir the built app
 * @param {Engine} options.engine
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {string} [options.serverFile] relative to `dir`; without it the documented server is written there
 * @param {string[]} [options.nodeArgs]
 * @returns {Promise<Server>}
 */
export async function startServer({ dir, engine, env = {}, serverFile, nodeArgs = [] }) {
  if (engine === 'ferronext') {
    const workspace = workspaceOf(dir)
    if (workspace) await installFerronext(workspace)
  }
  let file = serverFile
  if (!file) {
    file = 'server.mjs'
    writeFileSync(path.join(dir, file), DOCUMENTED_SERVER)
  }
  const args = [...(engine === 'ferronext' ? ['--import', 'ferronext/register'] : []), ...nodeArgs, file]
  for (let attempt = 1; ; attempt++) {
    const server = await launch(args, dir, env)
    if (typeof server !== 'string') return server
    // Between our choice of a free port and the server's `listen`, somebody else may have taken it.
    if (!server.includes('EADDRINUSE') || attempt === 3) {
      throw new Error(`${engine} server in ${dir} did not start:\n${server.slice(-4000)}`)
    }
  }
}

/**
 * @param {string[]} args
 * @param {string} dir
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Server | string>} the output, when the process ended before it was ready
 */
async function launch(args, dir, env) {
  const port = await freePort()
  const child = spawn(process.execPath, args, {
    cwd: dir,
    env: { ...serverEnvironment(), PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  /** @type {Set<() => void>} */
  const listeners = new Set()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
      for (const listener of listeners) listener()
    })
  }
  /** @type {Promise<void>} */
  const ended = new Promise(resolve => {
    const end = () => {
      running.delete(child)
      for (const listener of listeners) listener()
      resolve()
    }
    child.once('error', error => {
      output += error.message
      end()
    })
    child.once('close', end)
  })

  /** @type {Server['printed']} */
  const printed = (pattern, from = 0, timeout = 5000) =>
    new Promise(resolve => {
      /** @type {NodeJS.Timeout | undefined} */
      let timer
      const check = () => {
        const found = pattern.test(output.slice(from))
        if (!found && running.has(child)) return
        finish(found)
      }
      const finish = (/** @type {boolean} */ found) => {
        clearTimeout(timer)
        listeners.delete(check)
        resolve(found)
      }
      timer = setTimeout(finish, timeout, false)
      listeners.add(check)
      check()
    })

  const stop = async () => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 3000)
    await ended
    clearTimeout(timer)
  }
  if (!(await printed(READY, 0, 60_000))) {
    await stop()
    return output || 'no output'
  }
  return { port, pid: child.pid ?? 0, stop, output: () => output, printed }
}

/** The caller's environment without what a test runner adds for itself and a deployment would not have. */
function serverEnvironment() {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1' }
  for (const name of Object.keys(env)) {
    if (/^(VITEST|NODE_OPTIONS$|FORCE_COLOR$|TURBOPACK$|__NEXT|TEST$|DEV$|PROD$|MODE$|SSR$|BASE_URL$)/.test(name)) {
      delete env[name]
    }
  }
  return env
}

/**
 * @param {string} dir
 * @returns {string | undefined} the test workspace that holds the app, if it lies in one
 */
function workspaceOf(dir) {
  for (let folder = path.resolve(dir); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, '.installed'))) return folder
  }
  return undefined
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address())
      probe.close(() => resolve(port))
    })
  })
}
