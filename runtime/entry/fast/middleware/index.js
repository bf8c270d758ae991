// In: a request that the app's middleware (or proxy) sees, in Node's runtime or at the edge. Out: its decision, without upstream's adapter,
// which parses the URL and copies the headers several times and makes stores that few handlers read.
// Upstream: next/dist/server/web/adapter.js and server/web/sandbox/sandbox.js.
//
// The first request goes through the adapter, and shows what is in the bundle (recorder.js). The same request is made here and compared. If it
// differs, or if a store has an unknown part, the adapter keeps the middleware. Single requests that need more of it go to it, too: data
// requests, bodies, locales, traces.

const { isDeepStrictEqual } = require('node:util')
const { countFastPath } = require('../metrics')
const { decisionOf } = require('./decision')
const { endOfOrigin } = require('./origin')
const { record } = require('./recorder')
const { Stores } = require('./stores')
const { isTracing } = require('../../../observe/spans')

/**
 * @typedef {import('../../render').Request} Request
 * @typedef {import('../../render').Response} Response
 * @typedef {import('../../../app/state').ServerState} ServerState
 * @typedef {import('../metrics').Reason} Reason
 * @typedef {import('./decision').Decision} Decision
 * @typedef {(work: Promise<unknown>) => void} WaitUntil
 *
 * @typedef {object} Realm where the bundle runs
 * @property {boolean} isEdge
 * @property {any} Request the class that requests of the bundle extend
 * @property {any} Response
 * @property {<T>(waitUntil: WaitUntil, headers: any, work: () => T) => T} run runs `work` as the sandbox does
 *
 * @typedef {object} Known what the first request has shown
 * @property {Realm} realm
 * @property {(request: any, event: any) => any} handler the user's function, in the wrapper of the bundle
 * @property {any} Request the class of its requests
 * @property {symbol} internals where a request keeps its cookies and its URL
 * @property {any} RequestCookies
 * @property {any} NextURL
 * @property {any} Event
 * @property {string} page
 * @property {Stores} stores
 * @property {import('./decision').Tools} tools
 */

/** A path and a query that no parser changes. */
const PLAIN_TARGET = /^(?:\/|(?:\/[\w-]+(?:\.[\w-]+)*)+)(?:\?[\w.-]+=[\w.-]*(?:&[\w.-]+=[\w.-]*)*)?$/

/** URLs of data and payload requests, and query names that upstream reserves (`normalizeNextQueryParam`). */
const RESERVED_TARGET = /^\/_next\/|\/_next\/data\/|\.rsc(?:$|\?)|[?&]nxt/

/** Requests with one of these headers are the adapter's: data requests, revalidation, traces, ids of the development server. */
const ADAPTER_HEADERS = [
  'x-nextjs-data',
  'x-prerender-revalidate',
  'traceparent',
  'x-nextjs-request-id',
  'x-nextjs-html-request-id',
]

/** Origins are checked once. Clients name them, so that there may be many. */
const MAX_ORIGINS = 64

class FastMiddleware {
  /** The configuration that middleware sees. */
  nextConfig
  #server
  /** @type {Known | undefined} */
  #known
  /** @type {Reason | undefined} */
  #off
  #isLearning = false
  /** Origins as `NextURL` writes them. @type {Map<string, string>} */
  #origins = new Map()

  /** @param {ServerState} server */
  constructor(server) {
    this.#server = server
    const { basePath, i18n, trailingSlash, experimental } = server.config
    this.nextConfig = { basePath, i18n, trailingSlash, experimental }
    this.#off = offFor(server)
  }

  /**
   * Runs the middleware for a request.
   * @param {Request} req
   * @param {Response} res
   * @param {string} url the URL of the request, as Rust has made it
   * @returns {Promise<Decision> | undefined} `undefined` if the adapter has to
   */
  decide(req, res, url) {
    const known = this.#known
    if (known === undefined || this.#server.fastPaths.off || isTracing() || !isFast(req)) return undefined
    const input = this.#inputOf(known, url)
    const waitUntil = this.#server.waitUntil.ofRequest()
    if (input === undefined || waitUntil === undefined) return undefined
    return this.#run(known, req, res, url, input, waitUntil)
  }

  /**
   * @param {Known} known
   * @param {Request} req
   * @param {Response} res
   * @param {string} url
   * @param {string} input
   * @param {WaitUntil} waitUntil
   * @returns {Promise<Decision>}
   */
  async #run(known, req, res, url, input, waitUntil) {
    const { realm, handler, stores, tools } = known
    const { headers, flight } = this.#headersOf(req.headers)
    const request = this.#requestOf(known, input, { method: String(req.method), headers }, res)
    const event = new known.Event({ request, page: known.page, context: { waitUntil } })
    const context = stores.contextOf(request, waitUntil, input)
    let response
    try {
      response = await realm.run(waitUntil, request.headers, () => context.run(handler, event))
    } finally {
      context.close()
    }
    if (response && !(response instanceof realm.Response)) {
      throw new TypeError('Expected an instance of Response to be returned')
    }
    return decisionOf(tools, { url, input, request, flight }, response, context.cookies)
  }

  /**
   * @param {Known} known
   * @param {string} url
   * @returns {string | undefined} the URL that the handler sees; `undefined` if the adapter has to make it
   */
  #inputOf({ NextURL }, url) {
    const end = endOfOrigin(url)
    if (end === -1) return undefined
    const origin = this.#originOf(NextURL, url.slice(0, end))
    const target = url.slice(end)
    if (origin === undefined || RESERVED_TARGET.test(target)) return undefined
    if (this.#isPlain(target)) return origin + target
    const whole = new NextURL(url, { headers: {}, nextConfig: this.nextConfig })
    whole.searchParams.delete('_rsc')
    return whole.toString()
  }

  /**
   * @param {any} NextURL
   * @param {string} origin
   * @returns {string | undefined} the origin as upstream writes it
   */
  #originOf(NextURL, origin) {
    const known = this.#origins.get(origin)
    if (known !== undefined) return known
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) return undefined
    const { origin: written } = new NextURL(`${origin}/`, { headers: {}, nextConfig: this.nextConfig })
    if (this.#origins.size >= MAX_ORIGINS) this.#origins.clear()
    this.#origins.set(origin, written)
    return written
  }

  /** Whether upstream leaves a target as it is. @param {string} target */
  #isPlain(target) {
    return !this.nextConfig.basePath && PLAIN_TARGET.test(target) && !target.includes('_rsc=')
  }

  /**
   * The headers that the handler sees, and those of the client's router, which it does not see.
   * @param {import('node:http').IncomingHttpHeaders} all
   */
  #headersOf(all) {
    /** @type {string[]} */
    const flightNames = this.#server.next.load('appRouterHeaders').FLIGHT_HEADERS
    /** @type {[string, string][]} */
    const headers = []
    /** @type {[string, string][]} */
    const flight = []
    for (const name of Object.keys(all)) {
      const value = all[name]
      if (value === undefined) continue
      if (flightNames.includes(name)) flight.push([name, String(value)])
      else if (Array.isArray(value)) for (const single of value) headers.push([name, single])
      else headers.push([name, String(value)])
    }
    flight.sort((a, b) => flightNames.indexOf(a[0]) - flightNames.indexOf(b[0]))
    return { headers, flight }
  }

  /**
   * A request as the adapter makes it. The constructor of `NextRequest` is passed over: it parses the URL once more and copies the headers, for
   * parts that are made here when they are read.
   * @param {Pick<Known, 'realm' | 'Request' | 'NextURL' | 'RequestCookies' | 'internals' | 'page'>} known
   * @param {string} input
   * @param {{ method: string, headers: [string, string][] }} init
   * @param {Response} res whose end without an answer aborts the signal of the request
   */
  #requestOf({ realm, Request, NextURL, RequestCookies, internals, page }, input, init, res) {
    const { nextConfig } = this
    const { next } = this.#server
    const signal = next.load('nextRequest').signalFromNodeResponse(res)
    const request = Reflect.construct(realm.Request, [input, { ...init, signal }], Request)
    /** @type {any} */
    let nextUrl
    request[internals] = {
      // Parsed now, because the handler may change the headers.
      cookies: new RequestCookies(request.headers),
      get nextUrl() {
        if (nextUrl === undefined) {
          const copy = next.load('webUtils').toNodeOutgoingHttpHeaders(request.headers)
          nextUrl = new NextURL(input, { headers: copy, nextConfig })
        }
        return nextUrl
      },
      url: input,
    }
    request.sourcePage = page
    return request
  }

  /**
   * Calls the adapter, and learns from its first request.
   * @param {Request} req
   * @param {Response} res
   * @param {string} url
   * @param {Realm} realm
   * @param {() => Promise<any>} adapter
   * @returns {Promise<any>} the result of the adapter
   */
  async learn(req, res, url, realm, adapter) {
    const off = this.#off ?? this.#server.fastPaths.off
    if (off !== undefined) this.#decideFor(off)
    const isNew = this.#known === undefined && this.#off === undefined && !this.#isLearning
    // A tracer adds to what the adapter does.
    if (!isNew || !isFast(req) || isTracing()) return adapter()
    const { headers } = this.#headersOf(req.headers)
    this.#isLearning = true
    try {
      const { result, seen } = await record(adapter, described)
      try {
        if (seen === undefined) this.#decideFor('version')
        else this.#adopt(seen, url, headers, realm, res)
      } catch {
        // Something that another version has in another form.
        this.#decideFor('version')
      }
      return result
    } finally {
      this.#isLearning = false
    }
  }

  /**
   * @param {import('./recorder').Seen} seen
   * @param {string} url
   * @param {[string, string][]} headers
   * @param {Realm} realm
   * @param {Response} res
   */
  #adopt(seen, url, headers, realm, res) {
    const { request, event, handler } = seen
    const internals = internalsOf(request)
    const stores = Stores.of(seen, this.#server)
    const Base = Object.getPrototypeOf(Object.getPrototypeOf(request.constructor))
    if (stores === undefined || internals === undefined || Base !== realm.Request) return this.#decideFor('version')
    const known = {
      realm,
      handler,
      Request: request.constructor,
      internals,
      RequestCookies: request.cookies.constructor,
      NextURL: request.nextUrl.constructor,
      Event: event.constructor,
      page: request.sourcePage,
      stores,
      tools: this.#toolsOf(realm, request.nextUrl.constructor),
    }
    const input = this.#inputOf(known, url)
    if (input === undefined) return
    const same = this.#requestOf(known, input, { method: request.method, headers }, res)
    if (!isDeepStrictEqual(described(same), seen.description)) return this.#decideFor('version')
    this.#known = known
    this.#decideFor()
  }

  /**
   * @param {Realm} realm
   * @param {any} NextURL
   * @returns {import('./decision').Tools}
   */
  #toolsOf({ isEdge }, NextURL) {
    const { next, traits } = this.#server
    const { nextConfig } = this
    const isPlain = (/** @type {string} */ url) => {
      const end = endOfOrigin(url)
      if (end === -1 || !this.#isPlain(url.slice(end)) || RESERVED_TARGET.test(url)) return false
      const origin = url.slice(0, end)
      return this.#originOf(NextURL, origin) === origin
    }
    return { next, NextURL, nextConfig, isEdge, isPlain, redirectsKeepOrigin: !traits.relativeMiddlewareRedirects }
  }

  /** Remembers and counts whether the fast path is on. @param {Reason} [off] */
  #decideFor(off) {
    this.#off = off
    countFastPath(this.#server.native, this, 'middleware', off)
  }
}

/**
 * Why the adapter runs for every request of an app.
 * @param {ServerState} server
 * @returns {Reason | undefined}
 */
function offFor({ config }) {
  const { i18n, skipMiddlewareUrlNormalize, skipProxyUrlNormalize, experimental } = config
  if (process.env.NEXT_PRIVATE_TEST_PROXY === 'true') return 'environment'
  if (i18n || skipMiddlewareUrlNormalize || skipProxyUrlNormalize) return 'app'
  return experimental?.clientParamParsingOrigins?.length > 0 ? 'app' : undefined
}

/** Whether a request needs nothing that only the adapter does. @param {Request} req */
function isFast({ method, headers }) {
  if (method !== 'GET' && method !== 'HEAD') return false
  for (const name of ADAPTER_HEADERS) if (name in headers) return false
  return headers.rsc === undefined || headers.rsc === '1'
}

/** @param {any} request */
const internalsOf = request =>
  Object.getOwnPropertySymbols(request).find(symbol => symbol.description === 'internal request')

/** What a handler can see of a request. @param {any} request */
function described(request) {
  const internals = /** @type {symbol} */ (internalsOf(request))
  const { nextUrl, cookies, url, method, body, redirect, credentials, mode, cache, referrer, integrity } = request
  return {
    keys: Object.keys(request).sort(),
    internals: internals && Object.keys(request[internals]).sort(),
    headers: [...request.headers],
    cookies: [...cookies].map(([name, cookie]) => [name, cookie.value]),
    nextUrl: [nextUrl.href, nextUrl.locale, nextUrl.basePath, nextUrl.buildId, nextUrl.search],
    others: [url, method, body, redirect, credentials, mode, cache, referrer, integrity, request.sourcePage],
  }
}

module.exports = { FastMiddleware }
