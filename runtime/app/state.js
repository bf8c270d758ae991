// In: options, the build and its engine. Out: what all requests of a server share, fixed once prepare() is through. Upstream: the constructors of
// next/dist/server/base-server.js and next-server.js.

const path = require('node:path')
const CacheHandler = require('../cache/cache-handler')
const { incrementalCacheFactory } = require('../cache/incremental-cache')
const { Tags } = require('../cache/tags')
const { offerCacheHandler } = require('../cache/use-cache-handler')
const { publishContext } = require('../entry/context')
const { Entries } = require('../entry/entries')
const { FastMiddleware } = require('../entry/fast/middleware')
const { chooseFastPaths } = require('../entry/fast/paths')
const { isAnswered } = require('../entry/form-errors')
const { registerInstrumentation } = require('../entry/instrumentation')
const { Preload } = require('../entry/preload')
const { ownRequests } = require('../http/own-requests')
const { forwardedFilter, givesOrigin } = require('../http/trust-proxy')
const { testMode } = require('../next/test-mode')
const { report } = require('../observe/report')
const { InFlight, WaitUntil } = require('../process/in-flight')
const setup = require('../process/setup')
const { Answers } = require('../steps/answers')
const direct = require('../steps/direct')
const { imageCacheHandler } = require('../steps/image')
const { targetParser } = require('../steps/proxy')
const { revalidate } = require('../steps/revalidate')
const { isRouted, renderErrorPage } = require('../steps/run')

/**
 * @typedef {object} ServerState
 * @property {typeof import('../native')} native the addon
 * @property {import('../native').Engine} engine the native engine of this build
 * @property {Answers} answers prepared answers that this thread has seen
 * @property {any} config the evaluated next.config
 * @property {string} dir absolute path of the project
 * @property {string} distDir absolute path of the build folder
 * @property {string} relativeProjectDir
 * @property {string} hostname
 * @property {string} fetchHostname `hostname` in the form for a URL
 * @property {number} port
 * @property {Entries} entries
 * @property {import('../entry/fast/paths').FastPaths} fastPaths fast paths around upstream's code in entries
 * @property {(new (context: any) => object) | undefined} CacheHandler ours, unless the app brings its own
 * @property {Preload} preload what is loaded once the server listens
 * @property {import('../entry/instrumentation').Starting} [starting] the app's instrumentation, until it has started well
 * @property {import('../entry/fast/middleware').FastMiddleware} fastMiddleware
 * @property {WaitUntil} waitUntil
 * @property {() => Promise<any>} imageCacheHandler the app's own cache handler, for images
 * @property {InFlight} inFlight requests that wait for more than memory
 * @property {boolean} namesRoutes whether requests keep their route, for logs, metrics or traces
 * @property {() => void} nameRoutes turns that on
 * @property {((route: string, seconds: number, isBackground: boolean) => void) | undefined} countRender
 * @property {Set<import('node:net').Socket>} upgraded clients that are joined with another server
 * @property {new () => Error} NoFallbackError
 * @property {(parsed: any) => string} formatUrl
 * @property {(step: import('../entry/render').RenderStep) => boolean} compresses whether what the entry writes is compressed
 * @property {NodeJS.Timeout | undefined} publicWatch looks for new files in `public`, until the app is closed
 * @property {((headers: object) => any) | undefined} createIncrementalCache for versions whose entries expect one
 * @property {(text: string) => import('../steps/proxy').Target} parseTarget reads the URL of an external rewrite
 * @property {(error: unknown) => void} logError
 * @property {((error: unknown) => void) | undefined} [onError] takes errors instead of the console, see entry/contract.js
 * @property {import('../next/package').NextPackage} next the user's `next`
 * @property {(page: string) => import('../entry/sandbox').EdgeFunction} edgeFunction the manifest's entry of an edge function
 * @property {() => import('../entry/sandbox').EdgeFunction | undefined} edgeMiddleware the app's middleware, if it runs at the edge
 * @property {import('../http/own-requests').OwnRequests} own recognises requests of this server to itself
 * @property {Record<string, boolean>} traits capabilities of this build and its version of `next`: `Traits` of src/engine/mod.rs, under the names
 *   of src/build/capabilities.rs
 * @property {(handler: import('../next/test-mode').Handler) => import('../next/test-mode').Handler} inTestMode
 * @property {(prefix: unknown) => void} setAssetPrefix
 * @property {((req: any) => void) | undefined} filterForwarded drops `X-Forwarded-*` that must not be believed, takes the origin from others
 */

/** The file from which entries import the cache handler. */
const CACHE_HANDLER = require.resolve('../cache/cache-handler')

/**
 * @param {typeof import('../native')} native
 * @param {import('./options').ResolvedOptions} options
 * @param {import('../next/package').NextPackage} next
 * @param {import('../observe/report').Log} log
 * @param {any} config
 * @param {string} distDir
 * @param {import('../native').Engine} engine
 * @param {boolean} canImport whether `import()` works: in Jest it needs a flag
 * @returns {ServerState}
 */
function createState(native, options, next, log, config, distDir, engine, canImport) {
  const { dir } = options
  const hostname = options.hostname || 'localhost'
  const traits = engine.traits()
  const runtimeConfig = { ...config }
  if (traits.configNamesCompileMode) {
    runtimeConfig.experimental = { ...config.experimental, isExperimentalCompile: setup.isExperimentalCompile(distDir) }
  }
  if (canImport) runtimeConfig.cacheHandler ??= CACHE_HANDLER
  else CacheHandler.provideCacheHandler()
  let assetPrefix = (config.assetPrefix || '').replace(/\/$/, '')
  /** @type {WeakSet<object>} */
  const logged = new WeakSet()
  const logError = (/** @type {any} */ error) => {
    if (state.onError) return state.onError(error)
    if (options.quiet) return
    // Entries report an error and then throw it, too: one line is enough.
    if (error && typeof error === 'object') {
      if (logged.has(error)) return
      logged.add(error)
    }
    log.error(error)
  }
  const middlewareManifest = path.join(distDir, 'server/middleware-manifest.json')
  let installed = false
  /** @type {FastMiddleware | undefined} */
  let fastMiddleware
  const projectDir = path.join(process.cwd(), setup.relativeProjectDir(dir))
  const entries = new Entries(distDir, projectDir, () => {
    if (installed) return
    setup.installNodeEnvironment(next)
    const tags = new Tags(native, next, traits.staleTags)
    if (!config.cacheHandler) CacheHandler.connectCache(distDir, engine, tags)
    offerCacheHandler(native, next, tags, config.cacheMaxMemorySize)
    // Not before: if no descriptor was left, the next request tries again.
    installed = true
  })
  const own = ownRequests(engine.previewSigningKey)
  /** @type {ServerState} */
  const state = {
    get fastMiddleware() {
      fastMiddleware ??= new FastMiddleware(state)
      return fastMiddleware
    },
    native,
    engine,
    answers: new Answers(engine),
    config,
    dir,
    distDir,
    relativeProjectDir: setup.relativeProjectDir(dir),
    hostname,
    fetchHostname: hostname.includes(':') ? `[${hostname}]` : hostname,
    port: portOf(options),
    entries,
    fastPaths: chooseFastPaths(),
    CacheHandler: config.cacheHandler ? undefined : CacheHandler,
    preload: new Preload(),
    waitUntil: new WaitUntil(),
    imageCacheHandler: imageCacheHandler(config, distDir),
    inFlight: new InFlight(),
    publicWatch: options.watchPublic ? watchPublic(engine) : undefined,
    namesRoutes: false,
    nameRoutes: () => {
      if (!state.namesRoutes) engine.nameRoutes()
      state.namesRoutes = true
    },
    countRender: renderCounter(native, options),
    upgraded: new Set(),
    compresses: step => config.compress && (traits.compressedRouteHandlers || isCompressedOnOlderLines(step)),
    parseTarget: targetParser(traits),
    logError,
    createIncrementalCache: traits.entriesExpectIncrementalCache
      ? incrementalCacheFactory(next, runtimeConfig, distDir, dir)
      : undefined,
    NoFallbackError: next.load('noFallbackError').NoFallbackError,
    next,
    edgeFunction: page => require(middlewareManifest).functions[page],
    edgeMiddleware: () => require(middlewareManifest).middleware['/'],
    filterForwarded: forwardedFilter(options.trustProxy, own.isOwn),
    own,
    traits,
    inTestMode: testMode(next, config),
    setAssetPrefix: prefix => {
      // Throws for a value that is not empty and no string, as upstream does.
      assetPrefix = prefix ? /** @type {any} */ (prefix).replace(/\/$/, '') : ''
      engine.setAssetPrefix(assetPrefix)
      // Older entries read the configuration in the context, as it was given.
      runtimeConfig.assetPrefix = prefix
    },
    formatUrl: parsed => next.load('formatUrl').formatUrl(parsed),
  }
  if (options.accessLog || options.metrics) state.nameRoutes()
  publishContext(state.relativeProjectDir, {
    nextConfig: runtimeConfig,
    hostname,
    getAssetPrefix: () => assetPrefix,
    isWrappedByNextServer: true,
    logErrorWithOriginalStack: (/** @type {unknown} */ error) => isAnswered(error) || logError(error),
    render404: (/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ parsedUrl, setHeaders = true) =>
      isRouted(req)
        ? renderErrorPage(state, req, res, 404, setHeaders)
        : direct.render404(state, req, res, parsedUrl, setHeaders),
    revalidate: (/** @type {import('../steps/revalidate').RevalidateRequest} */ request) =>
      revalidate(state, next, request),
  })
  // Actions would fetch from any host that the client names (CVE-2026-64649), or through the proxy; `next start` sets this too.
  if (traits.actionsFetchFromHost || givesOrigin(options.trustProxy)) {
    process.env.__NEXT_PRIVATE_ORIGIN ??= `http://${state.fetchHostname}:${state.port}`
  }
  const registered = traits.hasInstrumentation ? registerInstrumentation(state) : undefined
  if (config.experimental.preloadEntriesOnStart) state.preload.start(state, registered)
  return state
}

/** How often `public` is looked at, in milliseconds: as often as a file that is known (src/source/file/store.rs). */
const PUBLIC_PERIOD = 1000

/**
 * Serves files that are added to `public` while the server runs. To poll the modification times of folders is cheap and works on every file
 * system, also on network drives and container volumes, which send no events.
 * @param {import('../native').Engine} engine
 */
function watchPublic(engine) {
  let failed = false
  const look = () =>
    engine.refreshPublic().then(
      () => {
        failed = false
      },
      (/** @type {Error} */ error) => {
        if (!failed) report('error', error.message)
        failed = true
      },
    )
  return setInterval(look, PUBLIC_PERIOD).unref()
}

/**
 * Records renders for metrics and traces; `undefined` when both are off.
 * @param {typeof import('../native')} native
 * @param {import('./options').ResolvedOptions} options
 * @returns {ServerState['countRender']}
 */
function renderCounter(native, { metrics }) {
  const isTraced = native.isTraced('render')
  if (!metrics && !isTraced) return undefined
  return (route, seconds, isBackground) => {
    if (metrics) native.recordRender(route, isBackground, seconds)
    if (isTraced) {
      native.trace(
        'render',
        `${route} in ${(seconds * 1000).toFixed(1)} ms${isBackground ? ', in the background' : ''}`,
      )
    }
  }
}

/** @param {import('./options').ResolvedOptions} options */
const portOf = options => Number(options.port) || 3000

/**
 * Before 16.1 the answer of an edge function or a route handler is compressed only if a rule or middleware has set its content type:
 * upstream's compression did not see the headers of such an answer.
 * @param {import('../entry/render').RenderStep} step
 */
function isCompressedOnOlderLines({ edge, routeKind, headers }) {
  if (!edge && routeKind !== 'APP_ROUTE') return true
  return headers.some((text, at) => at % 2 === 0 && text.toLowerCase() === 'content-type')
}

module.exports = { CACHE_HANDLER, createState, portOf }
