// In: options and a build. Out: everything that serves requests, fixed once prepare() is through. Upstream:
// next/dist/server/lib/router-server.js and the constructors of base-server.js and next-server.js.

const { existsSync } = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { Answers } = require('../steps/answers')
const CacheHandler = require('../cache/cache-handler')
const { isAnswered } = require('../entry/form-errors')
const { applyConf } = require('./conf')
const { publishContext } = require('../entry/context')
const { NextCustomServer } = require('./custom-server')
const direct = require('../steps/direct')
const { isRouted, renderErrorPage } = require('../steps/run')
const { Entries } = require('../entry/entries')
const { codedError, fromNative } = require('../errors')
const { imageCacheHandler } = require('../steps/image')
const { configText, loadConfig, loadEnvironment } = require('../next/config')
const { preloaded } = require('../next/modules')
const { loadIncrementalCache } = require('../cache/incremental-cache')
const { registerInstrumentation } = require('../entry/instrumentation')
const { checkNext } = require('../next/known-versions')
const { chooseLean } = require('../entry/fast/paths')
const { findNext } = require('../next/package')
const { claimProcess } = require('../process/single-copy')
const { resolveOptions } = require('./options')
const { ownRequests } = require('../http/own-requests')
const { Preload } = require('../entry/preload')
const { openLog, report } = require('../observe/report')
const setup = require('../process/setup')
const { revalidate } = require('../steps/revalidate')
const { forwardedFilter, givesOrigin } = require('../http/trust-proxy')
const { Tags } = require('../cache/tags')
const { applyLogFilter, closePrinter, openPrinter } = require('../observe/native-log')
const { targetParser } = require('../steps/proxy')
const { testMode } = require('../next/test-mode')
const { keepProcessAlive } = require('../process/uncaught')
const { offerCacheHandler } = require('../cache/use-cache-handler')
const { InFlight, WaitUntil } = require('../process/in-flight')

/**
 * @typedef {object} ServerState everything a request needs, fixed once prepare() is through
 * @property {typeof import('../native')} native the addon
 * @property {import('../native').Engine} engine the native engine of this build
 * @property {Answers} answers prepared answers that this thread has seen
 * @property {any} config the evaluated next.config
 * @property {string} dir absolute path of the project
 * @property {string} distDir absolute path of the build folder
 * @property {string} relativeProjectDir
 * @property {string} hostname
 * @property {string} fetchHostname `hostname` as it stands in a URL
 * @property {number} port
 * @property {Entries} entries
 * @property {import('../entry/fast/paths').Lean} lean ways past parts of upstream's code around entries
 * @property {(new (context: any) => object) | undefined} CacheHandler ours, unless the app brings its own
 * @property {Preload} preload what is loaded once the server listens
 * @property {import('../entry/instrumentation').Starting} [starting] the app's instrumentation, until it has started well
 * @property {WaitUntil} waitUntil
 * @property {() => Promise<any>} imageCacheHandler the app's own cache handler, for pictures
 * @property {InFlight} inFlight requests that wait for more than memory
 * @property {boolean} namesRoutes whether requests keep their route, to be logged, counted or traced by it
 * @property {() => void} nameRoutes makes them
 * @property {((route: string, seconds: number, isBackground: boolean) => void) | undefined} countRender
 * @property {Set<import('node:net').Socket>} upgraded clients that are joined with another server
 * @property {new () => Error} NoFallbackError
 * @property {(parsed: any) => string} formatUrl
 * @property {(step: import('../entry/render').RenderStep) => boolean} compresses whether what the entry writes is compressed
 * @property {NodeJS.Timeout | undefined} publicWatch looks for new files in `public`, until the app is closed
 * @property {((headers: object) => any) | undefined} createIncrementalCache for versions whose entries expect one
 * @property {(text: string) => import('../steps/proxy').Target} parseTarget reads the URL of an external rewrite
 * @property {(error: unknown) => void} logError
 * @property {((error: unknown) => void) | undefined} [hear] takes errors in the place of the console, see contract.js
 * @property {import('../next/package').NextPackage} next the user's `next`
 * @property {(page: string) => import('../entry/sandbox').EdgeFunction} edgeFunction what the manifest says of an edge function
 * @property {() => import('../entry/sandbox').EdgeFunction | undefined} edgeMiddleware the app's middleware, if it runs at the edge
 * @property {import('../http/own-requests').OwnRequests} own tells requests from ourselves
 * @property {Record<string, boolean>} traits what this build and its version of `next` do: `Traits` of src/engine/mod.rs, under the names
 *   of src/build/capabilities.rs
 * @property {(handler: import('../next/test-mode').Handler) => import('../next/test-mode').Handler} inTestMode
 * @property {(prefix: unknown) => void} setAssetPrefix
 * @property {((req: any) => void) | undefined} filterForwarded drops `X-Forwarded-*` that must not be believed, takes the origin from others
 */

/**
 * @param {typeof import('../native')} native
 * @param {import('./options').ResolvedOptions} options
 * @returns {Promise<ServerState>}
 */
async function prepare(native, options) {
  const { dir } = options
  if (!existsSync(dir)) {
    throw codedError(
      'FERRONEXT_WRONG_DIR',
      `The project folder ${dir} does not exist. Pass the folder of your Next.js app as \`dir\`.`,
    )
  }
  const next = findNext(dir)
  const { untested } = checkNext(native, next)
  const log = openLog(next)
  applyLogFilter(native, next)
  const started = performance.now()
  const environment = /** @type {Record<string, string | undefined>} */ (process.env)
  environment.NODE_ENV ||= 'production'
  loadEnvironment(next, dir)
  const { config, rules } = await applyConf(next, options.conf, await loadConfig(next, dir))
  if (config.output === 'export') {
    throw codedError(
      'FERRONEXT_EXPORT_OUTPUT',
      `The app in ${dir} uses "output: export", which leaves files for a static host and nothing to serve. Serve the "out" folder with any file server, or remove the option and build again.`,
    )
  }
  const distDir = path.join(dir, config.distDir)
  openPrinter(native) // what is wrong with the build is said while it is read
  const opening = native.openEngine({
    dir,
    distDir,
    nextVersion: next.version,
    config: configText(next, dir, config),
    hostname: options.hostname || undefined,
    port: portOf(options),
    rules,
    trustsAnyone: process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0',
    extraCaCerts: process.env.NODE_EXTRA_CA_CERTS,
    preferEncodings: options.preferEncodings,
  })
  const [engine] = await Promise.all([opening, loadForFaults(next)]).catch(error => {
    closePrinter(native)
    throw fromNative(error)
  })
  setup.applyConfig(next, config)
  keepProcessAlive(next)
  // As entries will, and before them: an `import()` that fails once, because no descriptor is left, fails for ever.
  const canImport = await import(pathToFileURL(CACHE_HANDLER).href).then(
    () => true,
    () => false,
  )
  const state = start(native, options, next, log, config, distDir, engine, canImport)
  if (untested) {
    await require('../entry/contract')
      .checkContract(state)
      .catch((/** @type {unknown} */ error) => {
        state.preload.stop()
        clearInterval(state.publicWatch)
        closePrinter(native)
        throw error
      })
  }
  // A custom server prints nothing that upstream's would not, unless it is asked.
  const took = Math.round(performance.now() - started)
  native.trace(
    'start',
    `next ${next.version}: ${distDir} is served, read in ${took} ms${untested ? `; ${untested}` : ''}`,
  )
  return state
}

/** The module that entries import it from. */
const CACHE_HANDLER = require.resolve('../cache/cache-handler')

/**
 * Loads what has to be there when nothing can be loaded any more: no descriptors are left, or node_modules is being replaced.
 * @param {import('../next/package').NextPackage} next
 */
async function loadForFaults(next) {
  for (const name of preloaded('prepare')) next.load(name)
}

/**
 * @param {typeof import('../native')} native
 * @param {import('./options').ResolvedOptions} options
 * @param {import('../next/package').NextPackage} next
 * @param {import('../observe/report').Log} log
 * @param {any} config
 * @param {string} distDir
 * @param {import('../native').Engine} engine
 * @param {boolean} canImport whether `import()` works. Jest has it behind a flag
 * @returns {ServerState}
 */
function start(native, options, next, log, config, distDir, engine, canImport) {
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
    if (state.hear) return state.hear(error)
    if (options.quiet) return
    // Entries report an error and then throw it: one fault, one line.
    if (error && typeof error === 'object') {
      if (logged.has(error)) return
      logged.add(error)
    }
    log.error(error)
  }
  const middlewareManifest = path.join(distDir, 'server/middleware-manifest.json')
  let installed = false
  const projectDir = path.join(process.cwd(), setup.relativeProjectDir(dir))
  const entries = new Entries(distDir, projectDir, () => {
    if (installed) return
    setup.installNodeEnvironment(next)
    const tags = new Tags(native, next, traits.staleTags)
    if (!config.cacheHandler) CacheHandler.connectCache(distDir, engine, tags)
    offerCacheHandler(native, next, tags, config.cacheMaxMemorySize)
    // Only now: what could not be loaded, because no descriptor was left, is loaded by the next request.
    installed = true
  })
  const own = ownRequests(engine.previewSigningKey)
  /** @type {ServerState} */
  const state = {
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
    lean: chooseLean(),
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
      ? createIncrementalCache(next, runtimeConfig, distDir, dir)
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
      // Any value that is not empty has to be a text; upstream fails in the same way.
      assetPrefix = prefix ? /** @type {any} */ (prefix).replace(/\/$/, '') : ''
      engine.setAssetPrefix(assetPrefix)
      // Older entries read the configuration in the context, and find it there as it was given.
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
  // Actions would fetch from whatever host the client names (CVE-2026-64649), or through the proxy; `next start` sets this too.
  if (traits.actionsFetchFromHost || givesOrigin(options.trustProxy)) {
    process.env.__NEXT_PRIVATE_ORIGIN ??= `http://${state.fetchHostname}:${state.port}`
  }
  const registered = traits.hasInstrumentation ? registerInstrumentation(state) : undefined
  if (config.experimental.preloadEntriesOnStart) state.preload.start(state, registered)
  return state
}

/**
 * Entries of 15.5 and 16.0 take the data and page cache from the request meta.
 * @param {import('../next/package').NextPackage} next
 * @param {any} config
 * @param {string} distDir
 * @param {string} dir
 */
function createIncrementalCache(next, config, distDir, dir) {
  const serverDistDir = path.join(distDir, 'server')
  /**
   * Loaded by the first request: a handler of the user's is not to slow down the start.
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

/** How often `public` is looked at, in milliseconds: as often as a file that is known (src/source/file/store.rs). */
const PUBLIC_PERIOD = 1000

/**
 * Serves files that come into `public` while the server runs. Asking the folders for their time of change is cheap and works on
 * every file system, also where nobody tells of changes: network drives and volumes of containers.
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
 * What is told of every render; `undefined` when nobody wants to know.
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

/** @param {any} module an ES module seen through require, or a CommonJS one */
const interopDefault = module => module.default ?? module

/**
 * next(): validates the options and returns the app.
 * @param {typeof import('../native')} native
 * @param {any} options
 */
function createServer(native, options) {
  const resolved = resolveOptions(options)
  claimProcess()
  if (resolved.dev) return require('./dev-server').createDevServer(native, resolved)
  return new NextCustomServer(native, resolved, () => prepare(native, resolved))
}

/**
 * Before 16.1 what an edge function or a route handler answers is compressed only if a rule or middleware has given it its
 * content type: upstream's compression did not see the headers of such an answer.
 * @param {import('../entry/render').RenderStep} step
 */
function isCompressedOnOlderLines({ edge, routeKind, headers }) {
  if (!edge && routeKind !== 'APP_ROUTE') return true
  return headers.some((text, at) => at % 2 === 0 && text.toLowerCase() === 'content-type')
}

module.exports = { createServer }
