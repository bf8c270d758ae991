// In: a request, the configuration of its app and a handler class. Out: upstream's cache for that request, which an entry renders with.
// Upstream: `getIncrementalCache` of next/dist/server/route-modules/route-module.js.

const path = require('node:path')

/**
 * @typedef {object} CacheRequest
 * @property {any} config
 * @property {object} headers
 * @property {any} prerenderManifest
 * @property {any} [previewProps] without it those of the manifest
 * @property {any} CacheHandler
 */

/**
 * Loads the cache's modules, and returns a function that creates a cache for a request. Background requests may come when modules can no
 * longer be loaded, as between two tests of Jest.
 * @param {import('../next/package').NextPackage} next
 * @param {string} serverDistDir the folder `server` of the build
 * @returns {(request: CacheRequest) => any}
 */
function loadIncrementalCache(next, serverDistDir) {
  const { IncrementalCache } = next.load('incrementalCache')
  const { nodeFs } = next.load('nodeFsMethods')
  return ({ config, headers, prerenderManifest, previewProps, CacheHandler }) =>
    new IncrementalCache({
      fs: nodeFs,
      dev: false,
      requestHeaders: headers,
      allowedRevalidateHeaderKeys: config.experimental.allowedRevalidateHeaderKeys,
      minimalMode: false,
      serverDistDir,
      fetchCacheKeyPrefix: config.experimental.fetchCacheKeyPrefix,
      maxMemoryCacheSize: config.cacheMaxMemorySize,
      flushToDisk: config.experimental.isrFlushToDisk,
      // Older lines call this, newer ones read the next field.
      getPrerenderManifest: () => prerenderManifest,
      prerenderManifest,
      previewProps: previewProps ?? prerenderManifest.preview,
      locales: config.i18n?.locales,
      CurCacheHandler: CacheHandler,
    })
}

/**
 * Entries of 15.5 and 16.0 take the data and page cache from the request meta.
 * @param {import('../next/package').NextPackage} next
 * @param {any} config
 * @param {string} distDir
 * @param {string} dir
 */
function incrementalCacheFactory(next, config, distDir, dir) {
  const serverDistDir = path.join(distDir, 'server')
  /**
   * Loaded by the first request: the app's handler must not slow down the start.
   * @type {{ prerenderManifest: any, CacheHandler: any, newIncrementalCache: ReturnType<typeof loadIncrementalCache> } | undefined}
   */
  let loaded
  return (/** @type {object} */ headers) => {
    loaded ??= {
      newIncrementalCache: loadIncrementalCache(next, serverDistDir),
      prerenderManifest: require(path.join(distDir, 'prerender-manifest.json')),
      CacheHandler: config.cacheHandler && interopDefault(require(path.resolve(dir, config.cacheHandler))),
    }
    const { newIncrementalCache, ...known } = loaded
    const cache = newIncrementalCache({ ...known, config, headers })
    cache.resetRequestCache()
    return cache
  }
}

/** @param {any} module an ES module seen through require, or a CommonJS one */
const interopDefault = module => module.default ?? module

module.exports = { incrementalCacheFactory, loadIncrementalCache }
