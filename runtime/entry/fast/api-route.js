// In: the compiled entry of an API route. Out: answers of upstream's own route module for API routes, which calls the user's function, one level
// below the entry's handler. The code between the two prepares and traces each request
// (next/dist/build/templates/pages-api.js).

const path = require('node:path')
const { REQUEST_META, contextOf } = require('../context')
const { countFastPath } = require('./metrics')
const { FastPreparation } = require('./prepare')

/**
 * @typedef {import('../render').Request} Request
 * @typedef {import('../render').Response} Response
 * @typedef {import('../../app/state').ServerState} ServerState
 */

/** The original request of a proxy. */
const ORIGINAL = Symbol('ferronext.original')

/** Options that the build compiles into the entry, where they cannot be read. An app with one of them keeps the handler. */
const WRITTEN_INTO_ENTRIES = ['allowedRevalidateHeaderKeys', 'multiZoneDraftMode', 'trustHostHeader']

class FastApiRoute {
  #preparation
  #entry
  #module
  #page

  /**
   * @param {ServerState} server
   * @param {any} entry
   * @param {import('../render').RenderStep} step
   * @returns {FastApiRoute | null} `null` if the entry needs its handler
   */
  static of(server, entry, { page, pathname }) {
    const { config, next, distDir, relativeProjectDir } = server
    /** @param {import('./metrics').Reason} reason */
    const leaveToHandler = reason => {
      countFastPath(server.native, entry, 'api_route', reason)
      return null
    }
    // The entry of an index page names itself in several ways.
    if (/(^|\/)(api|index)$/.test(page) || typeof entry.default !== 'function') return leaveToHandler('app')
    if (WRITTEN_INTO_ENTRIES.some(name => config.experimental?.[name])) return leaveToHandler('app')
    // The compiled forms of the route module, of which the entry has loaded one.
    const bundle = [next.fileOf('apiRouteTurbopack'), next.fileOf('apiRouteWebpack')].find(isLoaded)
    const Module = bundle && require(bundle).PagesAPIRouteModule
    if (typeof Module?.prototype?.render !== 'function') return leaveToHandler('version')
    const module = new Module({
      definition: { kind: 'PAGES_API', page, pathname, bundlePath: '', filename: '' },
      userland: {
        config: entry.config,
        default: (/** @type {Request} */ req, /** @type {Response} */ res) => call(entry, req, res),
      },
      distDir: path.relative(path.resolve(relativeProjectDir), distDir),
      relativeProjectDir,
    })
    return module.isDev ? null : new FastApiRoute(server, module, page, entry)
  }

  /**
   * @param {ServerState} server
   * @param {any} module
   * @param {string} page
   * @param {any} entry
   */
  constructor(server, module, page, entry) {
    this.#preparation = new FastPreparation(server, module, entry)
    this.#entry = entry
    this.#module = module
    this.#page = page
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @returns {Promise<void> | undefined} `undefined` if the handler has to answer
   */
  answer(req, res) {
    const described = this.#preparation.describe(req)
    if (described !== undefined) return this.#render(req, res, described)
    return this.#preparation.isLearning(req) ? this.#first(req, res) : undefined
  }

  /** @param {Request} req @param {Response} res */
  async #first(req, res) {
    const prepared = await this.#preparation.prepare(req, res, { srcPage: this.#page })
    const { build, off, server } = this.#preparation
    if (build ?? off) countFastPath(server.native, this.#entry, 'api_route', off)
    if (prepared) return this.#render(req, res, prepared, prepared)
    res.statusCode = 400
    res.end('Bad Request')
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {import('./prepare').Prepared} described
   * @param {any} build
   */
  async #render(req, res, { query, params }, build = this.#preparation.build) {
    const module = this.#module
    try {
      await module.render(isWithoutBody(req) ? RequestProxy.for(req) : req, res, {
        query: { ...query, ...params },
        params,
        allowedRevalidateHeaderKeys: undefined,
        multiZoneDraftMode: false,
        trustHostHeader: undefined,
        previewProps: build.previewProps ?? build.prerenderManifest.preview,
        propagateError: false,
        dev: false,
        page: this.#page,
        internalRevalidate: contextOf(req[REQUEST_META].relativeProjectDir)?.revalidate,
        onError: (/** @type {any[]} */ ...args) => module.instrumentationOnRequestError(req, ...args),
      })
    } catch {
      // Errors of the function are answered by the module; this is an error of `onError`.
      if (res.headersSent) return
      res.statusCode = 500
      res.statusMessage = 'Internal Server Error'
      res.end('Internal Server Error')
    }
  }
}

/**
 * Whether a request has no body for sure, so that upstream need not read it. The value of `req.body` depends on the type; without one it is an
 * empty string.
 * @param {Request} req
 */
function isWithoutBody({ headers }) {
  const length = headers['content-length']
  return (
    (length === undefined || length === '0') &&
    headers['transfer-encoding'] === undefined &&
    headers['content-type'] === undefined
  )
}

/**
 * A proxy of the request for upstream's route module. It defines four accessors on each request, after which V8 keeps the request as a
 * dictionary: a tenth of the time of a short answer. The proxy takes the accessors, and the request gets their values.
 */
class RequestProxy {
  /** @type {unknown} */
  query = undefined
  /** @type {() => unknown} */
  readCookies = () => ({})

  /** @param {Request} req */
  constructor(req) {
    this[ORIGINAL] = req
    this.headers = req.headers
    this.url = req.url
    this.method = req.method
    /** A value, so that upstream reads no body. */
    this.body = ORIGINAL
  }

  /** @param {Request} req */
  static for(req) {
    return /** @type {any} */ (new Proxy(new RequestProxy(req), ACCESSORS))
  }
}

/** @type {ProxyHandler<RequestProxy>} */
const ACCESSORS = {
  defineProperty(proxy, name, { value, get }) {
    if (name === 'query') proxy.query = value
    else if (name === 'cookies' && get) proxy.readCookies = get
    return true
  },
}

/**
 * Calls the user's function with the request itself.
 * @param {any} entry
 * @param {any} req the request, or its proxy
 * @param {Response} res
 */
function call(entry, req, res) {
  const original = req[ORIGINAL]
  if (original === undefined) return entry.default(req, res)
  const set = hasOwnPlaces(original) ? assign : define
  set(original, 'cookies', req.readCookies())
  set(original, 'query', req.query)
  // Requests in preview mode do not come here.
  set(original, 'previewData', false)
  set(original, 'preview', undefined)
  set(original, 'draftMode', undefined)
  // The user's server may have parsed a body already.
  if (entry.config?.api?.bodyParser !== false && !original.body) set(original, 'body', '')
  return entry.default(original, res)
}

/** @typedef {(object: any, name: string, value: unknown) => void} Setter */

/** @type {Setter} */
const assign = (object, name, value) => {
  object[name] = value
}

/** @type {Setter} */
const define = (object, name, value) => {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}

/** By prototype, whether properties of a request can be assigned. A framework may have accessors of these names, as Express 5 does. */
const ownPlaces = new WeakMap()

/** @param {Request} req @returns {boolean} */
function hasOwnPlaces(req) {
  const prototype = Object.getPrototypeOf(req)
  let has = ownPlaces.get(prototype)
  if (has === undefined) {
    has = !['cookies', 'query', 'previewData', 'preview', 'draftMode', 'body'].some(name => name in prototype)
    ownPlaces.set(prototype, has)
  }
  return has
}

/** @param {string} file */
const isLoaded = file => require.cache[file] !== undefined

module.exports = { FastApiRoute }
