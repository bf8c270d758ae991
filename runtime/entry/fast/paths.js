// In: a compiled entry. Out: the same entry with fast paths: repeated work is done once (prepare.js, installCache), and requests to API routes and
// route handlers go past the entry's handler (api-route.js, route-handler.js). Every request that is not known to have the same answer goes to
// the documented handler. FERRONEXT_LEAN=0 switches all of them off.

const path = require('node:path')
const { REQUEST_META } = require('../context')
const { countFastPath } = require('./metrics')
const { loadIncrementalCache } = require('../../cache/incremental-cache')
const { FastApiRoute } = require('./api-route')
const { renderAsUpstream, renderByNodeBuild } = require('./react')
const { FAST, FastPreparation } = require('./prepare')
const { FastRouteHandler } = require('./route-handler')
const { isTracing } = require('../../observe/spans')
const { lazyObject } = require('../../next/lazy')

/**
 * @typedef {import('../render').Request} Request
 * @typedef {import('../render').Response} Response
 * @typedef {import('../render').RenderStep} RenderStep
 * @typedef {import('../../app/state').ServerState} ServerState
 * @typedef {import('./metrics').Path} Path
 * @typedef {import('./metrics').Reason} Reason
 */

/** The fast paths that entries of a kind may have. @type {Record<RenderStep['routeKind'], Path[]>} */
const OF_KIND = {
  APP_PAGE: ['prepare', 'cache'],
  APP_ROUTE: ['prepare', 'cache', 'route_handler'],
  PAGES: ['prepare', 'cache', 'react', 'document'],
  PAGES_API: ['prepare', 'api_route'],
}

/**
 * The route modules with fast paths, and the fast path of a route handler. Apps that serve the same build share them.
 * @type {WeakMap<object, FastRouteHandler | undefined>}
 */
const routes = new WeakMap()

/** Chooses how the entries of one app are called. */
class FastPaths {
  /** API routes by the exports of their entry; `null` for one that needs its handler. @type {WeakMap<object, FastApiRoute | null>} */
  #apis = new WeakMap()
  /** Why all fast paths are off. @type {Reason | undefined} */
  #off

  /** @param {Reason} [off] */
  constructor(off) {
    this.#off = off
  }

  /** Why every entry is called as its build documents, if so. */
  get off() {
    return this.#off
  }

  /**
   * Switches all fast paths off.
   * @param {ServerState} server
   * @param {Reason} reason
   */
  switchOff(server, reason) {
    this.#off = reason
    renderAsUpstream(server, reason)
  }

  /**
   * Answers a request without the handler of its entry, if that is known to be the same.
   * @param {ServerState} server
   * @param {any} entry
   * @param {Request} req
   * @param {Response} res
   * @param {RenderStep} step
   * @returns {Promise<void> | undefined}
   */
  answer(server, entry, req, res, step) {
    if (step.direct) return undefined
    if (this.#off !== undefined) {
      for (const path of OF_KIND[step.routeKind]) countFastPath(server.native, keyOf(entry), path, this.#off)
      return undefined
    }
    req[REQUEST_META][FAST] = true
    if (step.routeKind === 'PAGES_API') return this.#api(server, entry, step)?.answer(req, res)
    const { routeModule } = entry
    if (routeModule === undefined) {
      countFastPath(server.native, entry, 'prepare', 'version')
      return undefined
    }
    if (!routes.has(routeModule)) routes.set(routeModule, install(server, routeModule))
    return routes.get(routeModule)?.answer(server, req, res)
  }

  /** @param {ServerState} server @param {any} entry @param {RenderStep} step */
  #api(server, entry, step) {
    let api = this.#apis.get(entry)
    if (api === undefined) {
      api = FastApiRoute.of(server, entry, step)
      this.#apis.set(entry, api)
    }
    return api
  }
}

/** The key of an entry for metrics: apps that serve the same build share it. @param {any} entry */
const keyOf = entry => entry.routeModule ?? entry

/**
 * Replaces methods of a route module by faster ones. Each calls upstream's for requests that it does not know.
 * @param {ServerState} server
 * @param {any} module
 * @returns {FastRouteHandler | undefined} answers instead of the handler
 */
function install(server, module) {
  if (module.isDev || typeof module.prepare !== 'function') {
    countFastPath(server.native, module, 'prepare', 'version')
    return undefined
  }
  // First, because it loads modules: if that fails, nothing has changed, and the next request tries again.
  installCache(server, module)
  const preparation = new FastPreparation(server, module)
  module.prepare = preparation.prepare.bind(preparation)
  installInstrumentation(module)
  installTracing(module)
  if (module.definition?.kind === 'PAGES') countFastPath(server.native, module, 'react', renderByNodeBuild(server))
  return module.definition?.kind === 'APP_ROUTE' ? new FastRouteHandler(module, preparation) : undefined
}

/** It is enough to wait for `instrumentation.ts` once; upstream looks it up twice for each request, through two modules. @param {any} module */
function installInstrumentation(module) {
  const upstreams = module.ensureInstrumentation
  if (typeof upstreams !== 'function') return
  /** @type {{ absoluteProjectDir: string } | undefined} */
  let known
  module.ensureInstrumentation = async (/** @type {Request} */ req, /** @type {any[]} */ ...rest) => {
    if (known !== undefined && req[REQUEST_META]?.[FAST]) return known
    const ensured = await upstreams.call(module, req, ...rest)
    known = { absoluteProjectDir: ensured.absoluteProjectDir }
    return ensured
  }
}

/** Without a tracer there is no span to run inside. @param {any} module */
function installTracing(module) {
  const upstreams = module.traceRequest
  if (typeof upstreams !== 'function') return
  module.traceRequest = (/** @type {Request} */ req, /** @type {any} */ options, /** @type {() => any} */ answer) =>
    isTracing() || !req[REQUEST_META]?.[FAST] ? upstreams.call(module, req, options, answer) : answer()
}

/** Parameters of `getIncrementalCache` in the newest line. Entries of 15.5 and 16.0 read the cache from the request meta, too. */
const CACHE_PARAMETERS = 5

/** Entries reset the cache of a request; ours keeps nothing for one. */
const NOTHING_TO_RESET = { resetRequestCache() {} }

/**
 * Upstream imports the module of the cache handler twice for each request, and with loader hooks each `import()` goes to another thread and
 * back: about a third of the CPU time of a route handler. Here the class is in memory, and a request creates one cache when it uses it.
 * @param {ServerState} server
 * @param {any} module
 */
function installCache({ CacheHandler, createIncrementalCache, native, next, distDir }, module) {
  const upstreams = module.getIncrementalCache
  const isKnown = createIncrementalCache !== undefined || upstreams?.length === CACHE_PARAMETERS
  const off = CacheHandler ? (isKnown ? undefined : 'version') : 'app'
  countFastPath(native, module, 'cache', off)
  if (!CacheHandler || typeof upstreams !== 'function') return
  const newIncrementalCache = loadIncrementalCache(next, path.join(distDir, 'server'))
  /** The first call of upstream's method prepares the handlers of 'use cache'. */
  let isReady = false
  module.getIncrementalCache = async (
    /** @type {Request} */ req,
    /** @type {any} */ nextConfig,
    /** @type {any} */ previewProps,
    /** @type {any} */ prerenderManifest,
    /** @type {boolean} */ minimalMode,
  ) => {
    const meta = req[REQUEST_META]
    const isOurs = meta?.[FAST] && isReady
    if (isOurs && meta.incrementalCache === undefined && upstreams.length === CACHE_PARAMETERS && !minimalMode) {
      const { headers } = req
      meta.incrementalCache = lazyObject(NOTHING_TO_RESET, () =>
        newIncrementalCache({ config: nextConfig, headers, prerenderManifest, previewProps, CacheHandler }),
      )
    }
    if (!isOurs || meta.incrementalCache === undefined) {
      const cache = await upstreams.call(module, req, nextConfig, previewProps, prerenderManifest, minimalMode)
      isReady = !Object.values(nextConfig.cacheHandlers ?? {}).some(Boolean)
      if (!isReady) countFastPath(native, module, 'cache', off ?? 'app')
      return cache
    }
    Object.assign(globalThis, { __incrementalCache: meta.incrementalCache })
    return meta.incrementalCache
  }
}

/** Whether fast paths are switched off, by the operator or because upstream measures itself. */
const isSwitchedOff = () => process.env.FERRONEXT_LEAN === '0' || Boolean(process.env.NEXT_OTEL_PERFORMANCE_PREFIX)

const chooseFastPaths = () => new FastPaths(isSwitchedOff() ? 'environment' : undefined)

module.exports = { FastPaths, chooseFastPaths }
