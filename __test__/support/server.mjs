// Starts the custom server of the Next.js documentation in a process of its own: with upstream's `next`, or with the
// same file and ferronext in its place.
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { cleanEnvironment, freePort, startCommand } from './command.mjs'
import { installFerronext } from './workspace.mjs'

/** @typedef {'upstream' | 'ferronext'} Engine */
/**
 * @typedef {object} Server
 * @property {number} port
 * @property {number} pid
 * @property {Promise<number | NodeJS.Signals | null>} ended the exit code, or the signal
 * @property {(signal: NodeJS.Signals) => void} signal
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
  const environment = { ...cleanEnvironment(), NODE_ENV: 'production', PORT: String(port), ...env }
  const { pid, output, printed, signal, stop, ended } = startCommand(process.execPath, args, {
    cwd: dir,
    env: environment,
  })
  if (!(await printed(READY, 0, 60_000))) {
    await stop()
    return output() || 'no output'
  }
  return { port, pid, signal, stop, output, printed, ended }
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
