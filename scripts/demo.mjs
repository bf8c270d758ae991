// `npm run demo`: from an empty clone to the example answering on PORT (3000). Needs Node, npm and cargo, and nothing that
// an `npm install` in this repository would bring. A second run skips every step whose inputs did not change. With a tarball in
// FERRONEXT_TARBALL nothing is compiled.
//
// Everything is written to ignored folders: the tarball to dist/, the state to .cache/, the rest inside the example.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const example = path.join(root, 'examples/custom-server')
const stateFile = path.join(root, '.cache/demo.json')
const port = Number.parseInt(process.env.PORT || '3000', 10)
const posix = process.platform !== 'win32'
const began = Date.now()

/** A failure that the reader can act on; shown without a stack. */
class Stop extends Error {}

/** The child that is running, if any. @type {import('node:child_process').ChildProcess | undefined} */
let child
/** When the end was asked for, or 0. */
let stopping = 0

/**
 * Every child leads a process group of its own, so that a signal reaches cargo below npm below us, also when it was sent
 * to this process alone. The shells that npm puts between would not pass it on.
 *
 * @param {NodeJS.Signals} signal
 */
function signalChild(signal) {
  if (!child?.pid) return
  try {
    if (posix) process.kill(-child.pid, signal)
    else child.kill(signal)
  } catch {
    // It ended by itself in the meantime.
  }
}

for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    // A terminal signals npm as well, and npm passes it on: two at once are one wish. A later one is impatience.
    if (stopping) return Date.now() - stopping > 1000 ? signalChild('SIGKILL') : undefined
    stopping = Date.now()
    if (!child) process.exit(0)
    signalChild(signal)
    setTimeout(() => signalChild('SIGKILL'), 5000).unref()
  })
}
process.on('exit', () => signalChild('SIGKILL'))

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, capture?: boolean, onSpawn?: () => void }} options
 * @returns {Promise<string>} what it wrote to stdout, if `capture` is set; else that is shown
 */
function run(command, args, { cwd, env = process.env, capture = false, onSpawn }) {
  return new Promise((resolve, reject) => {
    let stdout = ''
    const started = spawn(command, args, {
      cwd,
      env,
      detached: posix,
      shell: !posix, // npm is a .cmd file there
      stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
    })
    child = started
    started.stdout?.setEncoding('utf8').on('data', text => {
      stdout += text
    })
    started.on('spawn', () => onSpawn?.())
    started.on('error', cause => {
      child = undefined
      reject(new Stop(`Cannot run ${command}: ${cause.message}`))
    })
    started.on('close', (code, signal) => {
      // What it may have left behind in its group ends with it.
      signalChild('SIGKILL')
      child = undefined
      if (stopping) {
        console.log('\nStopped.')
        process.exit(0)
      }
      if (code === 0) resolve(stdout)
      else reject(new Stop(`\`${command} ${args.join(' ')}\` ended with ${signal ?? `exit code ${code}`}.`))
    })
  })
}

/** Whether `command` can be started. @param {string} command */
function exists(command) {
  return new Promise(resolve => {
    const probe = spawn(command, ['--version'], { stdio: 'ignore', shell: !posix })
    probe.on('error', () => resolve(false))
    probe.on('close', code => resolve(code === 0))
  })
}

async function checkTools() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 9)) {
    throw new Stop(`Node ${process.versions.node} is too old: Node.js 20.9 or newer is needed (https://nodejs.org).`)
  }
  if (!(await exists('npm'))) throw new Stop('npm is missing. It comes with Node.js: https://nodejs.org')
  if (!(await exists('cargo'))) {
    throw new Stop('cargo is missing; the addon is built from Rust. Install it from https://rustup.rs and try again.')
  }
}

async function checkPort() {
  if (!(port > 0 && port < 65536)) throw new Stop(`PORT=${process.env.PORT} is not a port number.`)
  const probe = net.createServer()
  await new Promise((resolve, reject) => {
    probe.once('error', cause => {
      const taken = /** @type {NodeJS.ErrnoException} */ (cause).code === 'EADDRINUSE'
      const why = taken ? 'is already taken' : `cannot be used (${cause.message})`
      reject(new Stop(`Port ${port} ${why}. Choose another one: PORT=3001 npm run demo`))
    })
    // As the example's own server listens: on every address.
    probe.listen(port, () => probe.close(resolve))
  })
}

let step = 0

/**
 * Announces a step and how long it took. While it is silent, a line now and then says that it is still alive.
 *
 * @template T
 * @param {string} title
 * @param {string | false} skip why there is nothing to do
 * @param {() => Promise<T>} work
 */
async function inStep(title, skip, work) {
  const label = `[${++step}/4] ${title}`
  if (skip) return console.log(`${label}: ${skip}`)
  console.log(`${label} ...`)
  const from = Date.now()
  const alive = setInterval(() => console.log(`${label} ... still at it, ${seconds(from)}`), 15_000)
  try {
    return await work()
  } finally {
    clearInterval(alive)
    if (!stopping) console.log(`${label}: took ${seconds(from)}`)
  }
}

/** @param {number} from */
const seconds = from => `${((Date.now() - from) / 1000).toFixed(1)} s`

/**
 * @param {string[]} names files, or folders with all they hold, in the example
 * @param {string} more anything else that the result depends on
 */
function digest(names, more = '') {
  const hash = createHash('sha256').update(more)
  /** @param {string} name */
  const add = name => {
    const file = path.join(example, name)
    hash.update(`\0${name}\0`).update(readFileSync(file))
  }
  /** @param {string} name */
  const walk = name => {
    for (const entry of readdirSync(path.join(example, name), { withFileTypes: true }).sort(byName)) {
      const inner = path.join(name, entry.name)
      if (entry.isDirectory()) walk(inner)
      else add(inner)
    }
  }
  for (const name of names) (path.extname(name) ? add : walk)(name)
  return hash.digest('hex')
}

/** @param {{ name: string }} a @param {{ name: string }} b */
const byName = (a, b) => (a.name < b.name ? -1 : 1)

/** What the last run left: for each step a digest of its inputs. @returns {Record<string, string>} */
function readState() {
  try {
    return JSON.parse(readFileSync(stateFile, 'utf8'))
  } catch {
    return {} // First run, or half written: every step runs.
  }
}

/** @param {Record<string, string>} change */
function remember(change) {
  mkdirSync(path.dirname(stateFile), { recursive: true })
  writeFileSync(stateFile, `${JSON.stringify({ ...readState(), ...change }, null, 2)}\n`)
}

/** @param {...string} parts */
const inExample = (...parts) => path.join(example, ...parts)
const readBuildId = () =>
  existsSync(inExample('.next/BUILD_ID')) ? readFileSync(inExample('.next/BUILD_ID'), 'utf8') : ''

async function main() {
  await checkTools()
  await checkPort()
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' }

  // cargo and npm decide themselves what of this is up to date.
  const given = process.env.FERRONEXT_TARBALL
  const packed = await inStep('Build and pack the addon', given ? 'given' : false, async () => {
    const printed = await run('npm', ['run', '--silent', 'pack:local', '--', '--quick'], { cwd: root, capture: true })
    return printed.trimEnd().split('\n').at(-1)?.trim() ?? ''
  })
  const tarball = given || packed
  if (!tarball || !existsSync(tarball)) {
    throw new Stop(`${given ? 'FERRONEXT_TARBALL' : 'npm run pack:local'} names no tarball: ${tarball}`)
  }

  const installed = digest(['package.json', 'package-lock.json'], sha256(readFileSync(tarball)))
  const isInstalled =
    readState().installed === installed && existsSync(inExample('node_modules/ferronext/package.json'))
  await inStep('Install Next.js, React and the addon', isInstalled && 'up to date', async () => {
    // npm takes a tarball of the same name and version for the one that it has.
    rmSync(inExample('node_modules/ferronext'), { recursive: true, force: true })
    // --no-save: neither package.json nor the lockfile may change. NODE_ENV would leave out the development dependencies.
    const args = ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', tarball]
    await run('npm', args, { cwd: example })
    remember({ installed })
  })

  const sources = ['app', 'pages', 'public', 'server.ts', 'next.config.mjs', 'tsconfig.json', 'tsconfig.server.json']
  const inputs = digest([...sources, 'package-lock.json'])
  const isBuilt = readState().built === `${inputs} ${readBuildId()}` && existsSync(inExample('dist/server.js'))
  await inStep('Build the example', isBuilt && 'up to date', async () => {
    await run(process.execPath, ['node_modules/next/dist/bin/next', 'build'], { cwd: example, env })
    await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.server.json'], { cwd: example })
    remember({ built: `${inputs} ${readBuildId()}` })
  })

  await checkPort() // The build took a while.
  console.log('[4/4] Serve it ...')
  const args = ['--import', 'ferronext/register', 'dist/server.js']
  const onSpawn = () => announce().catch(fail)
  await run(process.execPath, args, { cwd: example, env: { ...env, PORT: String(port) }, onSpawn })
}

/** Says where, once the first page has been answered. */
async function announce() {
  const url = `http://localhost:${port}`
  for (;;) {
    if (!child) return
    const ok = await fetch(url).then(
      response => response.ok,
      () => false,
    )
    if (ok) break
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  console.log(`\n  Ready after ${seconds(began)}: ${url}\n  Ctrl-C ends it.\n`)
}

/** @param {Buffer} bytes */
const sha256 = bytes => createHash('sha256').update(bytes).digest('hex')

/** @param {unknown} error */
function fail(error) {
  console.error(error instanceof Stop ? `\n${error.message}` : error)
  process.exit(1)
}

main().catch(fail)
