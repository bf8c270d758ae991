// In: what to run in development. Out: a child that runs it, restarted when a file that it has loaded changes or when it requests a
// restart. Node's own `--watch` would also watch what the dev server compiles, and restart at every edit of a page.

const { spawn } = require('node:child_process')
const path = require('node:path')
const { fileURLToPath } = require('node:url')
const { findNext } = require('../runtime/next/package')

/** How long a server may take to end before it is killed. A developer waits for it at every change. */
const KILL_TIMEOUT = 2000

/** Several files change at once when an editor saves all or a branch is changed. */
const AGGREGATE = 50

/**
 * @param {object} task see child.js
 * @param {string} dir where the user's `next` is found
 */
function supervise(task, dir) {
  const supervisor = new Supervisor(task, dir)
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => supervisor.end())
  }
  supervisor.start()
}

class Supervisor {
  #task
  #watcher
  /** @type {Set<string>} files that the server has loaded */
  #files = new Set()
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child
  /** @type {Promise<void> | undefined} the restart that is under way */
  #restarting
  /** The folder that the dev server compiles into. @type {string | undefined} */
  #compiled
  #isFatal = false
  #isEnding = false

  /** @param {any} task @param {string} dir */
  constructor(task, dir) {
    this.#task = task
    const Watchpack = findNext(dir).load('watchpack')
    this.#watcher = new Watchpack({ aggregateTimeout: AGGREGATE })
    this.#watcher.on('aggregated', (/** @type {Set<string>} */ changed) => {
      const [file] = changed
      if (file !== undefined) this.#restart(file)
    })
    if (task.file) this.#files.add(task.file)
  }

  start() {
    this.#watch()
    const args = [...process.execArgv, '--enable-source-maps', path.join(__dirname, 'child.js')]
    const env = { ...process.env, FERRONEXT_CHILD: JSON.stringify(this.#task), FERRONEXT_REPORT_MODULES: '1' }
    const child = spawn(process.execPath, args, { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
    this.#child = child
    child.on('message', (/** @type {any} */ message) => {
      if (message?.ferronext === 'loaded') this.#loaded(message.file)
      if (message?.ferronext === 'restart') this.#restart(message.file)
      if (message?.ferronext === 'fatal') this.#isFatal = true
      if (message?.ferronext === 'compiles') this.#leaveToCompiler(message.dir)
    })
    child.on('exit', code => {
      if (child !== this.#child || this.#restarting) return
      this.#child = undefined
      if (this.#isEnding) return
      if (code === 0 || this.#isFatal || !this.#task.file) process.exit(code ?? 1)
      console.error('The server has ended. It restarts when a file changes.')
    })
  }

  /** Ends the server and this process. */
  async end() {
    // A terminal sends its signal to both processes, and some send it twice.
    if (this.#isEnding) return
    this.#isEnding = true
    this.#watcher.close()
    await this.#stop()
    process.exit(0)
  }

  /** @param {string} file path or URL */
  #loaded(file) {
    // Loaders add queries of their own, tsx also encoded ones.
    const [plain = ''] = file.split(/\?|%3F/)
    if (!plain.startsWith('file:') && !path.isAbsolute(plain)) return
    const loaded = plain.startsWith('file:') ? fileURLToPath(plain) : plain
    if (this.#isCompiled(loaded) || this.#files.has(loaded)) return
    this.#files.add(loaded)
    this.#watch()
  }

  /** It may have loaded files from there before. @param {string} dir */
  #leaveToCompiler(dir) {
    this.#compiled = dir + path.sep
    for (const file of this.#files) if (this.#isCompiled(file)) this.#files.delete(file)
    this.#watch()
  }

  /** What the dev server compiles and loads is its own to watch. @param {string} file */
  #isCompiled(file) {
    return (
      file.split(path.sep).includes('node_modules') || (this.#compiled !== undefined && file.startsWith(this.#compiled))
    )
  }

  #watch() {
    // Without a start time: with one, a file that was saved a second ago would count as changed.
    this.#watcher.watch({ files: [...this.#files] })
  }

  /** @param {string} file */
  #restart(file) {
    if (this.#isEnding || this.#restarting) return
    console.log(`${path.relative(process.cwd(), file)} has changed. Restarting the server.`)
    this.#restarting = this.#stop().then(() => {
      this.#restarting = undefined
      if (!this.#isEnding) this.start()
    })
  }

  /** @returns {Promise<void>} */
  #stop() {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
    return new Promise(resolve => {
      const kill = setTimeout(() => child.kill('SIGKILL'), KILL_TIMEOUT)
      child.once('exit', () => {
        clearTimeout(kill)
        resolve()
      })
      child.kill('SIGTERM')
    })
  }
}

module.exports = { supervise }
