// In: what compiled entries read from and write to the cache, through upstream's official `cacheHandler` interface. Out: the
// same from and to Rust, which owns the values, the tags and the lifetimes for all threads of the process.
// Upstream: next/dist/server/lib/incremental-cache/file-system-cache.js.

const path = require('node:path')
const { report } = require('../observe/report')

/**
 * @typedef {object} Connection what the handlers of one build need
 * @property {import('../native').Engine} engine
 * @property {{ sync: () => void, revalidate: (tags: string[], durations?: { expire?: number }) => void }} tags
 * @property {ParsedData} parsed
 */

/**
 * Connections by the `server` folder of their build. Filled by `connectCache`, read by the handler that entries create.
 * @type {Map<string, Connection>}
 */
const connections = new Map()

/**
 * Bytes of parsed values of the data cache that a thread keeps. Rust has all values as JSON; this saves the parse of those that many
 * renders read.
 */
const MAX_PARSED = 4 * 1024 * 1024

/** Upstream's limit for one value of the data cache, in UTF-16 units of its JSON. */
const MAX_DATA = 2 * 1024 * 1024

/**
 * Ties the cache handler of a build to its engine.
 * @param {string} distDir absolute path of the build folder
 * @param {import('../native').Engine} engine
 * @param {Connection['tags']} tags
 */
function connectCache(distDir, engine, tags) {
  connections.set(path.join(distDir, 'server'), { engine, tags, parsed: new ParsedData() })
}

/** Values of the data cache that this thread has parsed. The oldest are evicted first. */
class ParsedData {
  /** @type {Map<string, { version: number, value: any, size: number }>} */
  #values = new Map()
  #size = 0

  /** @param {string} key */
  get(key) {
    return this.#values.get(key)
  }

  /** @param {string} key @param {number} version @param {any} value @param {number} size */
  set(key, version, value, size) {
    this.#delete(key)
    if (size > MAX_PARSED / 8) return
    this.#values.set(key, { version, value, size })
    this.#size += size
    for (const oldest of this.#values.keys()) {
      if (this.#size <= MAX_PARSED) break
      this.#delete(oldest)
    }
  }

  /** @param {string} key */
  #delete(key) {
    this.#size -= this.#values.get(key)?.size ?? 0
    this.#values.delete(key)
  }
}

/** Where upstream's cache looks for a handler if the configuration names none. */
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
    const { serverDistDir } = context
    const connection = connections.get(serverDistDir) ?? connections.get(path.normalize(serverDistDir))
    if (!connection) throw new Error(`No ferronext engine serves ${serverDistDir}`)
    this.connection = connection
  }

  /** @param {string} key @param {any} context */
  async get(key, context) {
    const { engine, tags } = this.connection
    tags.sync()
    if (context.kind === 'FETCH') return this.#getData(key, context)
    const { kind, isRoutePPREnabled, isFallback } = context
    const entry =
      engine.cacheGet(key, kind) ?? (await engine.cacheRead(key, kind, Boolean(isRoutePPREnabled), Boolean(isFallback)))
    return entry === null || entry.kind === 'EXPIRED' ? null : toUpstream(entry)
  }

  /** @param {string} key @param {any} value @param {any} context */
  async set(key, value, context) {
    const { engine } = this.connection
    if (context.fetchCache) return this.#setData(key, value, context)
    const { cacheControl, isRoutePPREnabled, isFallback } = context
    await engine.cacheSet(key, fromUpstream(value, cacheControl), Boolean(isRoutePPREnabled), Boolean(isFallback))
  }

  /** @param {string | string[]} tags @param {{ expire?: number }} [durations] */
  async revalidateTag(tags, durations) {
    this.connection.tags.revalidate([tags].flat(), durations)
  }

  /** Nothing here belongs to one request. */
  resetRequestCache() {}

  /** @param {string} key @param {any} context */
  async #getData(key, context) {
    const { engine, parsed } = this.connection
    const tags = [...(context.tags ?? []), ...(context.softTags ?? [])]
    const known = parsed.get(key)
    const version = known?.version ?? 0
    const data = engine.dataGet(key, tags, version) ?? (await engine.dataRead(key, tags))
    if (!data) return null
    if (data.json === undefined) return { lastModified: data.createdAtMs, value: known?.value }
    try {
      const value = JSON.parse(data.json)
      parsed.set(key, data.version, value, data.json.length)
      return { lastModified: data.createdAtMs, value }
    } catch {
      return null // a truncated file: fetch again
    }
  }

  /** @param {string} key @param {any} value @param {any} context */
  async #setData(key, value, context) {
    const json = JSON.stringify({ ...value, tags: context.tags })
    // Upstream leaves this to handlers other than its own.
    if (json.length > MAX_DATA && !context.isImplicitBuildTimeCache) {
      const what = context.fetchUrl ?? key
      report(
        'warn',
        `ferronext: the data of ${what} is not cached, because it takes ${json.length} bytes and the limit is 2 MB.`,
      )
      return
    }
    await this.connection.engine.dataSet(key, Buffer.from(json))
  }
}

/**
 * A value of upstream's, in types that cross. Upstream stores `null` for a page that found nothing.
 * @param {any} value upstream's `IncrementalCacheValue`
 * @param {{ revalidate?: number | false, expire?: number } | undefined} cacheControl
 */
function fromUpstream(value, cacheControl) {
  const lifetime = {
    createdAtMs: 0,
    revalidate: cacheControl?.revalidate === false ? -1 : cacheControl?.revalidate,
    expire: cacheControl?.expire,
  }
  if (!value) return { kind: 'NOT_FOUND', ...lifetime }
  if (value.kind === 'REDIRECT') return { kind: 'REDIRECT', data: toBuffer(JSON.stringify(value.props)), ...lifetime }
  const { kind, status, headers, html, body, rscData, pageData, segmentData, postponed } = value
  return {
    kind,
    status,
    headers: headers && JSON.stringify(headers),
    html: toBuffer(html ?? body),
    rsc: toBuffer(rscData),
    data: pageData === undefined ? undefined : toBuffer(JSON.stringify(pageData)),
    segments: segmentData && [...segmentData].map(([path, data]) => ({ path, data: toBuffer(data) })),
    postponed: postponed ?? undefined,
    ...lifetime,
  }
}

/**
 * The reverse of `fromUpstream()`.
 * @param {any} entry see `JsCacheEntry` in src/binding/cache.rs
 */
function toUpstream(entry) {
  const { kind, revalidate, expire, createdAtMs } = entry
  const cacheControl =
    revalidate === undefined ? undefined : { revalidate: revalidate === -1 ? false : revalidate, expire }
  return { lastModified: createdAtMs, value: valueOfKind(kind, entry), cacheControl }
}

/** @param {string} kind @param {any} entry */
function valueOfKind(kind, { status, headers, html, rsc, data, segments, postponed }) {
  const shared = { kind, status, headers: headers === undefined ? undefined : JSON.parse(headers) }
  switch (kind) {
    case 'NOT_FOUND':
      return null
    case 'REDIRECT':
      return { kind, props: JSON.parse(data) }
    case 'APP_ROUTE':
      return { ...shared, body: html }
    case 'PAGES':
      return { ...shared, html: html.toString(), pageData: data === undefined ? {} : JSON.parse(data) }
    default: {
      const pairs = segments?.map((/** @type {any} */ { path, data }) => [path, data])
      return { ...shared, html: html.toString(), rscData: rsc, postponed, segmentData: pairs && new Map(pairs) }
    }
  }
}

/** @param {any} data a string, bytes, or nothing */
function toBuffer(data) {
  return data === undefined || data === null || Buffer.isBuffer(data) ? (data ?? undefined) : Buffer.from(data)
}

module.exports = CacheHandler
module.exports.connectCache = connectCache
module.exports.provideCacheHandler = provideCacheHandler
