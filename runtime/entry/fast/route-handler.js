// In: a request to a route handler that is not prerendered. Out: the answer of the user's function, which upstream's route module runs
// inside its async storages (`routeModule.handle`), one level below the entry's handler. This skips the adapters of Node's request and
// response, the response cache, which keeps nothing of such a route, and a `WritableStream` for the answer.
// Upstream: next/dist/build/templates/app-route.js, server/send-response.js and server/pipe-readable.js.
//
// The first request goes through the entry's handler. Its call of the route module shows the class of the request, which is the one that the
// user's code has, and the parts of the context that are the same for each request. If the context has unknown parts, the entry keeps its
// handler.

const { isUint8Array } = require('node:util/types')
const { REQUEST_META } = require('../context')
const { isAbort } = require('../../errors')
const { countFastPath } = require('./metrics')
const { appendDistinct } = require('../../http/headers')
const { drained } = require('../../http/respond')
const { endInOneWrite } = require('../../http/response-patches')

/**
 * @typedef {import('../render').Request} Request
 * @typedef {import('../render').Response} Response
 * @typedef {import('../../app/state').ServerState} ServerState
 * @typedef {import('./prepare').Prepared} Prepared
 */

const CONTEXT_PARTS = ['params', 'previewProps', 'renderOpts', 'sharedContext']

/** The parts of `renderOpts`; those of a request are created for each request. */
const OPTIONS = [
  'cacheComponents',
  'cacheLifeProfiles',
  'experimental',
  'hmrRefreshHash',
  'incrementalCache',
  'isDraftMode',
  'onAfterTaskError',
  'onClose',
  'staticPageGenerationTimeout',
  'validationLevel',
  'waitUntil',
]

/** Parameters of `onRequestError`: request, error, context, whether it is silent, and the router context. */
const REPORT_PARAMETERS = 5

/** Headers that may have several values; of others the first value stays. */
const MULTIPLE = new Set(['set-cookie', 'www-authenticate', 'proxy-authenticate', 'vary'])

/** Headers of a body that may have been decoded since; older versions send them. */
const FRAMING = new Set(['content-length', 'content-encoding', 'transfer-encoding'])

/** Internal: cookies for the rest of the request. */
const OVERRIDE_COOKIES = 'x-middleware-set-cookie'

/** A path and a query that no parser changes. */
const PLAIN_TARGET = /^(?:\/[\w-]+(?:\.[\w-]+)*)+(?:\?[\w=&.-]*)?$/

class FastRouteHandler {
  #module
  #preparation
  /** @type {(new (url: URL, init: any) => any) | undefined} the class of requests in the entry's own code */
  #NextRequest
  /** @type {any} */
  #options
  /** @type {any} */
  #sharedContext
  /** The origin of the last request. @type {string | undefined} */
  #origin
  /** Whether none of its answers is cached, once that is known. @type {boolean | undefined} */
  #isDynamic
  #isCounted = false

  /**
   * @param {any} module
   * @param {import('./prepare').FastPreparation} preparation
   */
  constructor(module, preparation) {
    this.#module = module
    this.#preparation = preparation
    module.handle = (/** @type {any} */ request, /** @type {any} */ context) => {
      delete module.handle
      this.#learn(request, context)
      if (this.#NextRequest === undefined) this.#count(context.renderOpts?.cacheComponents ? 'app' : 'version')
      return module.handle(request, context)
    }
  }

  /** @param {import('./metrics').Reason} [off] */
  #count(off) {
    if (this.#isCounted) return
    this.#isCounted = true
    countFastPath(this.#preparation.server.native, this.#module, 'route_handler', off)
  }

  /** @param {any} request @param {any} context */
  #learn(request, context) {
    const { renderOpts } = context
    const names = Object.keys(renderOpts).sort()
    if (Object.keys(context).sort().join() !== CONTEXT_PARTS.join() || names.join() !== OPTIONS.join()) return
    if (renderOpts.cacheComponents || renderOpts.hmrRefreshHash !== undefined) return
    if (this.#module.onRequestError?.length !== REPORT_PARAMETERS) return
    this.#NextRequest = request.constructor
    this.#options = { ...renderOpts, incrementalCache: undefined, waitUntil: undefined, onClose: undefined }
    this.#sharedContext = context.sharedContext
  }

  /**
   * @param {ServerState} server
   * @param {Request} req
   * @param {Response} res
   * @returns {Promise<void> | undefined} `undefined` if the handler has to answer
   */
  answer(server, req, res) {
    if (this.#NextRequest === undefined || !req.url?.startsWith('/') || res.errored || res.destroyed) return undefined
    const { build, off } = this.#preparation
    if (build === undefined) {
      if (off) this.#count(off)
      return undefined
    }
    this.#isDynamic ??= isDynamic(this.#module.definition.pathname, build.prerenderManifest)
    this.#count(this.#isDynamic ? undefined : 'app')
    // Prerendered answers are in the response cache, which the handler reads. The request is unchanged so far.
    const described = this.#isDynamic ? this.#preparation.describe(req) : undefined
    return described && this.#answer(server, req, res, described, build)
  }

  /**
   * @param {ServerState} server
   * @param {Request} req
   * @param {Response} res
   * @param {Prepared} described
   * @param {Prepared} build
   */
  async #answer(server, req, res, described, build) {
    const module = this.#module
    // Outside of `try`: an error of the request itself leads to the error page, as with the handler.
    const { nextConfig, previewProps, prerenderManifest } = build
    const incrementalCache = await module.getIncrementalCache(req, nextConfig, previewProps, prerenderManifest, false)
    incrementalCache?.resetRequestCache()
    const request = this.#requestOf(req, res)
    try {
      await this.#handle(server, req, res, request, { params: described.params, previewProps, incrementalCache })
    } catch (error) {
      const route = { routerKind: 'App Router', routePath: module.definition.pathname, routeType: 'route' }
      const context = { ...route, revalidateReason: undefined }
      await module.onRequestError(req, error, context, false, described.routerServerContext)
      if (!res.headersSent) {
        res.statusCode = 500
        res.statusMessage = ''
        res.end()
      } else if (!res.writableEnded && !res.destroyed) res.end()
    }
  }

  /**
   * @param {ServerState} server
   * @param {Request} req
   * @param {Response} res
   * @param {any} request
   * @param {{ params: any, previewProps: any, incrementalCache: any }} parts of the context
   */
  async #handle(server, req, res, request, { params, previewProps, incrementalCache }) {
    const module = this.#module
    const waitUntil = server.waitUntil.ofRequest()
    const renderOpts = {
      ...this.#options,
      isDraftMode: false,
      incrementalCache,
      waitUntil,
      onClose: (/** @type {() => void} */ callback) => {
        res.on('close', callback)
      },
    }
    const context = { params, previewProps, renderOpts, sharedContext: this.#sharedContext }
    const response = await module.handle(request, context)
    req.fetchMetrics = renderOpts.fetchMetrics
    if (renderOpts.pendingWaitUntil) waitUntil?.(renderOpts.pendingWaitUntil)
    sendHead(server, res, response)
    if (response.body && req.method !== 'HEAD') await sendBody(res, response.body)
    else res.end()
  }

  /** @param {Request} req @param {Response} res */
  #requestOf(req, res) {
    const { headers } = req
    const method = String(req.method).toUpperCase()
    /** @type {[string, string][]} */
    const pairs = []
    for (const name of Object.keys(headers)) {
      const value = headers[name]
      if (Array.isArray(value)) for (const single of value) pairs.push([name, single])
      else if (value !== undefined) pairs.push([name, String(value)])
    }
    const controller = new AbortController()
    res.once('close', () => {
      if (!res.writableFinished) controller.abort(responseAborted())
    })
    const { initURL } = req[REQUEST_META]
    const url = this.#isWhole(req) ? initURL : new URL(/** @type {string} */ (req.url), initURL)
    return new /** @type {any} */ (this.#NextRequest)(url, {
      method,
      headers: pairs,
      duplex: 'half',
      signal: controller.signal,
      body: method === 'GET' || method === 'HEAD' ? null : req,
    })
  }

  /**
   * Whether the requested URL is the one for the handler, in the form that a parser would produce.
   * @param {Request} req
   */
  #isWhole({ url = '', [REQUEST_META]: { initURL } }) {
    const start = initURL.length - url.length
    // It follows the origin, not a base path.
    if (initURL.indexOf('/', initURL.indexOf('://') + 3) !== start) return false
    if (!initURL.endsWith(url) || !PLAIN_TARGET.test(url)) return false
    const origin = initURL.slice(0, start)
    if (origin !== this.#origin) {
      if (!URL.canParse(origin) || new URL(origin).origin !== origin) return false
      this.#origin = origin
    }
    return true
  }
}

/**
 * Whether no path of a route is prerendered, at build time or later.
 * @param {string} pathname
 * @param {{ dynamicRoutes: Record<string, any>, routes: Record<string, { srcRoute: string | null }> }} manifest
 */
function isDynamic(pathname, { dynamicRoutes, routes }) {
  if (pathname in dynamicRoutes || pathname in routes) return false
  return !Object.values(routes).some(({ srcRoute }) => srcRoute === pathname)
}

/** `request.signal.reason` for a handler when the client has disconnected. */
function responseAborted() {
  const error = new Error()
  error.name = 'ResponseAborted'
  return error
}

/**
 * @param {ServerState} server
 * @param {Response} res
 * @param {globalThis.Response} response
 */
function sendHead({ next, traits }, res, { status, statusText, headers }) {
  res.statusCode = status
  res.statusMessage = statusText
  headers.forEach((value, name) => {
    if (name === OVERRIDE_COOKIES || (traits.routeFramingIsDropped && FRAMING.has(name))) return
    if (name === 'set-cookie') {
      const { splitCookiesString } = next.load('webUtils')
      for (const cookie of splitCookiesString(value)) appendDistinct(res, name, cookie)
    } else if (MULTIPLE.has(name) || !res.hasHeader(name)) appendDistinct(res, name, value)
  })
}

/**
 * Sends a body at the pace of the client, each chunk as soon as it arrives. A client that disconnects cancels it; an error of the body ends
 * the connection, because the client has part of an answer.
 * @param {Response} res
 * @param {ReadableStream<Uint8Array>} body
 */
async function sendBody(res, body) {
  if (res.errored || res.destroyed) return
  const reader = body.getReader()
  let isGone = false
  const stop = () => {
    if (res.writableFinished) return
    isGone = true
    reader.cancel(responseAborted()).catch(() => {})
  }
  res.once('close', stop)
  /** The first chunk, for the rest of the tick: it may be the only one. @type {Uint8Array | undefined} */
  let held
  /** Until the client has taken what was written. @type {Promise<void> | undefined} */
  let full
  const write = (/** @type {Uint8Array} */ chunk) => {
    full = res.write(chunk) ? undefined : drained(res)
  }
  const release = () => {
    if (held === undefined) return
    const first = held
    held = undefined
    if (isGone) return
    // Node buffers writes until the next tick, and drops them if the body fails before; the head has to be sent.
    res.flushHeaders()
    write(first)
  }
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done || isGone) break
      if (held === undefined && !res.headersSent && isUint8Array(value)) {
        held = value
        process.nextTick(release)
        continue
      }
      release()
      // Other values may be a string, or be refused by Node.
      if (!res.headersSent) res.flushHeaders()
      if (full) await full
      write(value)
    }
  } catch (error) {
    if (isGone || isAbort(error)) return
    release()
    if (!res.writableFinished) res.destroy(/** @type {Error} */ (error))
    throw new Error('failed to pipe response', { cause: error })
  }
  if (isGone) return
  const only = held
  held = undefined
  if (only === undefined) res.end()
  else endStreamed(res, only)
}

/**
 * Ends a response with the only chunk of a stream: chunked, as if more could follow.
 * @param {Response} res
 * @param {Uint8Array} chunk
 */
function endStreamed(res, chunk) {
  res.writeHead(res.statusCode)
  endInOneWrite(res, Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
}

module.exports = { FastRouteHandler }
