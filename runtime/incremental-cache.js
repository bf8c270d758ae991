// In: a request, the configuration of its app and a handler class. Out: upstream's cache for that request, which an entry renders with.
// Upstream: `getIncrementalCache` of next/dist/server/route-modules/route-module.js.

/**
 * @param {import('./next-package').NextPackage} next
 * @param {string} serverDistDir the folder `server` of the build
 * @param {object} request
 * @param {any} request.config
 * @param {object} request.headers
 * @param {any} request.prerenderManifest
 * @param {any} [request.previewProps] without it those of the manifest
 * @param {any} request.CacheHandler
 */
function newIncrementalCache(next, serverDistDir, { config, headers, prerenderManifest, previewProps, CacheHandler }) {
  const { IncrementalCache } = next.require('next/dist/server/lib/incremental-cache')
  const { nodeFs } = next.require('next/dist/server/lib/node-fs-methods')
  return new IncrementalCache({
    fs: nodeFs,
    dev: false,
    requestHeaders: headers,
    allowedRevalidateHeaderKeys: config.experimental.allowedRevalidateHeaderKeys,
    minimalMode: false,
    serverDistDir,
    fetchCacheKeyPrefix: config.experimental.fetchCacheKeyPrefix,
    maxMemoryCacheSize: config.cacheMaxMemorySize,
    flushToDisk: config.experimental.isrFlushToDisk,
    // Older lines ask for it, newer ones have it.
    getPrerenderManifest: () => prerenderManifest,
    prerenderManifest,
    previewProps: previewProps ?? prerenderManifest.preview,
    locales: config.i18n?.locales,
    CurCacheHandler: CacheHandler,
  })
}

module.exports = { newIncrementalCache }
