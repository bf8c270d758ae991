// In: an app that is prepared. Out: the modules that its first requests would load, compiled entries above all, are in memory, so that a build
// that is replaced under a running server, or a lack of descriptors, does no more harm than under upstream's server. Upstream:
// `unstable_preloadEntries` of next/dist/server/next-server.js, which loads everything before the server listens.

const { readFileSync } = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { preloaded } = require('../next/modules')

/** Time before the first module, in milliseconds: the server has to listen first, and clients may be waiting for it. */
const DELAY = 100

/** Pause while requests are in flight, in milliseconds, and the highest number of pauses in a row. */
const BUSY_PAUSE = 20
const MAX_PAUSES = 10

/** Manifests that name the entries of each router, in upstream's order. */
const MANIFESTS = ['pages-manifest.json', 'app-paths-manifest.json']

/**
 * Pages of the App Router whose manifests are read as well. Those of other pages are large, and are read with their first request. The shared
 * ones would come with the first page that is rendered, but here pages may come from memory.
 */
const ERROR_PAGES = ['/_not-found/page', '/_global-error/page']

/** A module that is loaded after the end of a test file fails a run of Jest, and not every test closes its app. */
const IS_JEST = process.env.JEST_WORKER_ID !== undefined

class Preload {
  #isStopped = false

  /**
   * Starts soon, after `ready`.
   * @param {import('../app/state').ServerState} server
   * @param {Promise<unknown> | undefined} ready resolves when entries can run
   */
  start(server, ready) {
    if (IS_JEST) return
    // An error of `ready` has been reported, and every entry will reject with it.
    this.#run(server, ready).catch(() => {})
  }

  /** Stops after the module that is being loaded. */
  stop() {
    this.#isStopped = true
  }

  /** @param {import('../app/state').ServerState} server @param {Promise<unknown> | undefined} ready */
  async #run(server, ready) {
    await pause(DELAY)
    await ready
    const { entries, native } = server
    const start = performance.now()
    let loaded = 0
    for (const load of tasks(server)) {
      await this.#turn(server)
      if (this.#isStopped) return
      try {
        if (await load()) loaded++
      } catch {
        // As in upstream: the request that needs it fails.
      }
    }
    native.trace(
      'start',
      `${loaded} entries of ${entries.distDir} are loaded, in ${Math.round(performance.now() - start)} ms`,
    )
  }

  /** Waits until no request is in flight, up to a limit. @param {import('../app/state').ServerState} server */
  async #turn({ inFlight }) {
    for (let waited = 0; waited < MAX_PAUSES; waited++) {
      await pause(waited === 0 ? 1 : BUSY_PAUSE)
      if (inFlight.isIdle || this.#isStopped) return
    }
  }
}

/**
 * What is loaded, one by one, with requests in between: each step blocks the thread.
 * @param {import('../app/state').ServerState} server
 * @returns {Generator<() => any>}
 */
function* tasks({ config, entries, next, distDir }) {
  yield () => entries.beforeFirst()
  for (const name of preloaded('requests')) yield () => void next.load(name)
  for (const url of handlersOf(config)) yield () => import(url).then(() => false)
  const read = (/** @type {string} */ name) => readManifest(path.join(distDir, 'server', name))
  const { functions = {}, middleware = {} } = read('middleware-manifest.json')
  for (const manifest of MANIFESTS) {
    for (const [page, file] of Object.entries(read(manifest))) {
      // Static HTML is no code, and Node cannot load an edge function.
      if (!file.endsWith('.js') || page in functions) continue
      yield async () => {
        const entry = await entries.load(`server/${file}`)
        // Of the App Router, before the code of the next entry may replace `fetch`.
        entry.patchFetch?.()
        if (!page.endsWith('/page') || ERROR_PAGES.includes(page)) entries.readManifests(entry, `server/${file}`, page)
        return true
      }
    }
  }
  const hasEdge = Object.keys({ ...functions, ...middleware }).length > 0
  for (const name of [...preloaded('pages'), ...(hasEdge ? preloaded('edge') : [])]) yield () => void next.load(name)
}

/**
 * The app's own cache handlers. Entries import them, too.
 * @param {any} config
 * @returns {string[]}
 */
function handlersOf({ cacheHandler, cacheHandlers }) {
  return [cacheHandler, ...Object.values(cacheHandlers ?? {})]
    .filter(handler => typeof handler === 'string' && (handler.startsWith('file://') || path.isAbsolute(handler)))
    .map(handler => (handler.startsWith('file://') ? handler : pathToFileURL(handler).href))
}

/** @param {string} file @returns {Record<string, any>} empty when the app has no pages of this router */
function readManifest(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {}
  }
}

/** Does not keep the process alive. @param {number} ms @returns {Promise<void>} */
const pause = ms => new Promise(resolve => void setTimeout(resolve, ms).unref())

module.exports = { Preload }
