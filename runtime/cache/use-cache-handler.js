// In: results of functions that are marked `'use cache'`, through upstream's official `cacheHandlers` interface. Out: the same
// in every thread of the process, from Rust. How long a result is used is what upstream's own handler says
// (next/dist/server/lib/cache-handlers/default.js): one that is older than its `revalidate` counts as missing.

/** Where a platform offers handlers to `next` (next/dist/server/use-cache/handlers.js). */
const OFFERED = Symbol.for('@next/cache-handlers')

/** The handlers that answer from memory. For others `next` keeps results for the rest of a request. */
const BUILT_IN = Symbol.for('@next/cache-handlers-built-in')

/**
 * Offers a handler in place of upstream's own. Handlers of the app's configuration come before it.
 * @param {typeof import('../native')} native the addon
 * @param {import('../next/package').NextPackage} next
 * @param {import('./tags').Tags} tags
 * @param {number} maxBytes `cacheMaxMemorySize`
 */
function offerCacheHandler(native, next, tags, maxBytes) {
  const holder = /** @type {any} */ (globalThis)
  // Upstream's handler then keeps nothing, and there is nothing to share.
  if (maxBytes === 0 || holder[OFFERED]?.DefaultCache) return
  const { initializeCacheHandlers } = next.load('useCacheHandlers')
  native.memoOpen(maxBytes)
  const handler = createCacheHandler(native, tags)
  holder[OFFERED] = { ...holder[OFFERED], DefaultCache: handler, RemoteCache: holder[OFFERED]?.RemoteCache ?? handler }
  initializeCacheHandlers(maxBytes)
  holder[BUILT_IN]?.add(handler)
}

/**
 * @param {typeof import('../native')} native
 * @param {import('./tags').Tags} tags
 */
function createCacheHandler(native, tags) {
  /** Results that are still being written: `get()` waits for them. @type {Map<string, Promise<void>>} */
  const pending = new Map()

  return {
    /** @param {string} key */
    async get(key) {
      await pending.get(key)
      const memo = native.memoGet(key)
      if (memo === null) return undefined
      if (performance.timeOrigin + performance.now() > memo.timestamp + memo.revalidate * 1000) return undefined
      const freshness = tags.freshness(memo.tags, memo.timestamp)
      if (freshness === 'expired') return undefined
      // A negative number: the caller uses it once more, and revalidates.
      const revalidate = freshness === 'stale' ? -1 : memo.revalidate
      return { ...memo, revalidate, value: streamOf(memo.value) }
    },

    /** @param {string} key @param {Promise<any>} entry */
    async set(key, entry) {
      const written = write(key, entry)
      pending.set(key, written)
      try {
        await written
      } finally {
        if (pending.get(key) === written) pending.delete(key)
      }
    },

    /** Does nothing: `get()` and `getExpiration()` read what other threads have revalidated. */
    async refreshTags() {},

    /** An array; before 16, one tag after the other. @param {(string | string[])[]} asked */
    async getExpiration(...asked) {
      return tags.lastExpiration(asked.flat())
    },

    /** @param {string[]} changed @param {{ expire?: number }} [durations] */
    async updateTags(changed, durations) {
      tags.revalidate(changed, durations)
    },

    /** The name and form of `updateTags` before 16. @param {string[]} changed */
    async expireTags(...changed) {
      tags.revalidate(changed)
    },
  }

  /** @param {string} key @param {Promise<any>} entry */
  async function write(key, entry) {
    const { value, ...memo } = await entry
    const chunks = []
    try {
      for await (const chunk of value) chunks.push(chunk)
    } catch {
      return // part of a result is none; readers of the other branch of the stream get the error
    }
    // No reader would use it.
    if (memo.expire === 0) return
    native.memoSet(key, { ...memo, value: Buffer.concat(chunks) })
  }
}

/** @param {Buffer} bytes */
function streamOf(bytes) {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      controller.close()
    },
  })
}

module.exports = { offerCacheHandler }
