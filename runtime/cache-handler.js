// In: what compiled entries read from and write to the prerender cache, through upstream's official `cacheHandler`
// interface. Out: upstream's own file cache, and a message to Rust for every entry and every tag that changed, so that
// Rust never serves an answer that was revalidated.

const path = require('node:path')

/**
 * Engines by the `server` folder of their build. Filled by `connectCache`, read by the handler that entries create.
 * @type {Map<string, { engine: any, FileCache: any }>}
 */
const engines = new Map()

/**
 * Ties the cache handler of a build to its engine.
 * @param {string} distDir absolute path of the build folder
 * @param {any} engine
 * @param {import('./next-package').NextPackage} next
 */
function connectCache(distDir, engine, next) {
  const { default: FileCache } = next.require('next/dist/server/lib/incremental-cache/file-system-cache')
  engines.set(path.join(distDir, 'server'), { engine, FileCache })
}

/** Where upstream's cache looks for a handler that nobody has configured. */
const PROVIDED = Symbol.for('@next/cache-handlers')

/** Gives entries the handler where they cannot import it. */
function provideCacheHandler() {
  const holder = /** @type {any} */ (globalThis)
  holder[PROVIDED] = { ...holder[PROVIDED], FetchCache: CacheHandler }
}

/** The handler class that entries instantiate once per request. */
class CacheHandler {
  /** @param {any} context */
  constructor(context) {
    const known = engines.get(path.normalize(context.serverDistDir))
    if (!known) throw new Error(`No ferronext engine serves ${context.serverDistDir}`)
    this.engine = known.engine
    this.files = new known.FileCache(context)
  }

  /** @param {string} key @param {any} context */
  get(key, context) {
    return this.files.get(key, context)
  }

  /** @param {string} key @param {any} value @param {any} context */
  async set(key, value, context) {
    // Upstream's cache has the value in memory when this returns; whether the disk takes it is another matter.
    const written = this.files.set(key, value, context)
    if (!context.fetchCache) this.engine.cacheSet(key, value ? portable(value, context.cacheControl) : null)
    await written
  }

  /** @param {string | string[]} tags @param {any} [durations] */
  async revalidateTag(tags, durations) {
    this.engine.tagsRevalidated(Array.isArray(tags) ? tags : [tags], durations !== undefined, durations?.expire)
    await this.files.revalidateTag(tags, durations)
  }

  resetRequestCache() {
    this.files.resetRequestCache()
  }
}

/**
 * The fields of a cache value that Rust serves from, in types that cross.
 * @param {any} value upstream's `CachedRouteValue`
 * @param {{ revalidate?: number | false, expire?: number } | undefined} cacheControl
 */
function portable(value, cacheControl) {
  const bytes = /** @param {any} data */ data => (typeof data === 'string' ? Buffer.from(data) : data)
  return {
    kind: value.kind,
    status: value.status,
    headers: JSON.stringify(value.headers ?? {}),
    html: bytes(value.html ?? value.body),
    rsc: bytes(value.rscData),
    data: value.pageData === undefined ? undefined : Buffer.from(JSON.stringify(value.pageData)),
    segments: value.segmentData ? [...value.segmentData].map(([path, data]) => ({ path, data: bytes(data) })) : [],
    postponed: value.postponed != null,
    revalidate: cacheControl?.revalidate === false ? -1 : cacheControl?.revalidate,
    expire: cacheControl?.expire,
    madeMs: Date.now(),
  }
}

module.exports = CacheHandler
module.exports.connectCache = connectCache
module.exports.provideCacheHandler = provideCacheHandler
