// In: an app whose prepare() is through. Out: in memory what its first requests would load, the compiled entries above all, so that a
// build that is replaced or removed under a running server, or descriptors that run out, cost what upstream's server loses, and
// no more. Upstream: `unstable_preloadEntries` of next/dist/server/next-server.js, which loads everything before anybody listens.

const { readFileSync } = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { preloaded } = require('../next/modules')

/** How long the server has for itself at first, in milliseconds: it has to listen yet, and who waits for it asks at once. */
const DELAY = 100

/** How long one that is answering requests is left alone, and how often in a row at most. */
const BUSY_PAUSE = 20
const MAX_PAUSES = 10

/** Manifests that name the entries of each router, in upstream's order. */
const MANIFESTS = ['pages-manifest.json', 'app-paths-manifest.json']

/**
 * Pages of the App Router whose manifests are read as well. Those of other pages are large, and upstream reads them with their first
 * request; those that all pages share it has from its first page at the latest, which here may have come from memory.
 */
const ERROR_PAGES = ['/_not-found/page', '/_global-error/page']

/** What Jest is asked to load after the end of a test file is a failure of the run, and not every app is closed there. */
const IS_JEST = process.env.JEST_WORKER_ID !== undefined

class Preload {
  #isStopped = false

  /**
   * Begins soon, once `ready` is.
   * @param {import('../app/state').ServerState} server
   * @param {Promise<unknown> | undefined} ready what entries wait for
   */
  start(server, ready) {
    if (IS_JEST) return
    // What `ready` rejects with has been reported, and every entry will reject with it.
    this.#run(server, ready).catch(() => {})
  }

  /** Nothing is loaded any more from now on. */
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
        // As upstream: whoever asks for it is told.
      }
    }
    native.trace(
      'start',
      `${loaded} entries of ${entries.distDir} are loaded, in ${Math.round(performance.now() - start)} ms`,
    )
  }

  /** Waits until nothing else is to be done, but not for ever. @param {import('../app/state').ServerState} server */
  async #turn({ inFlight }) {
    for (let waited = 0; waited < MAX_PAUSES; waited++) {
      await pause(waited === 0 ? 1 : BUSY_PAUSE)
      if (inFlight.isIdle || this.#isStopped) return
    }
  }
}

/**
 * What is loaded, in turn, with requests in between: each takes the thread for itself.
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
      // What is prerendered for good is no code, and Node cannot load an edge function.
      if (!file.endsWith('.js') || page in functions) continue
      yield async () => {
        const entry = await entries.load(`server/${file}`)
        // Those of the App Router, before the code of the next one may replace `fetch`.
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

/** A process does not stay alive for it. @param {number} ms @returns {Promise<void>} */
const pause = ms => new Promise(resolve => void setTimeout(resolve, ms).unref())

module.exports = { Preload }
