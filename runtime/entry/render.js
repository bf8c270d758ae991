// In: Rust's decision to run a compiled entry, with all its parameters. Out: the entry has answered, or the reason why it has
// not. Upstream: renderToResponseWithComponentsImpl and runApi of next/dist/server.

const { REQUEST_META } = require('./context')
const { withForm } = require('./form-errors')
const { runEdge } = require('./edge')
const { PUBLIC_ORIGIN } = require('../http/forwarded-origin')
const { bodyErrorOf, reportBodyError } = require('../http/read-body')
const { prepareHeaders } = require('../http/request-headers')
const { MIDDLEWARE_COOKIES, ignoreReason } = require('../http/response-patches')
const { appendDistinct, mergeHeaders } = require('../http/headers')

/**
 * @typedef {import('node:http').IncomingMessage & Record<PropertyKey, any>} Request
 * @typedef {import('node:http').ServerResponse} Response
 *
 * @typedef {import('../native').Render & { direct?: boolean }} RenderStep how an entry is called; `direct`: by the user's server, without routing,
 *   see steps/direct.js
 */

/** The entry has no page for these params and routing must go on. */
const NO_FALLBACK = Symbol('no fallback')

/**
 * Runs an entry to its end.
 * @param {import('../app/state').ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {RenderStep} step
 * @param {unknown} [error] what an error page is rendered for
 * @param {Record<string, unknown>} [extraMeta] request meta beside the usual
 * @returns {Promise<typeof NO_FALLBACK | void>}
 */
async function render(server, req, res, step, error, extraMeta) {
  server.entries.beforeFirst()
  if (req.httpVersionMajor > 1) ignoreReason(res)
  prepareHeaders(server, req, res, step)
  const meta = Object.assign(prepareRequest(server, req, step, error), extraMeta)
  mergeHeaders(res, step.headers)
  if (step.vary !== undefined) appendDistinct(res, 'vary', step.vary)
  if (step.status !== undefined) res.statusCode = step.status
  if (step.edge) return runEdge(server, req, res, step, meta)
  const entry = await server.entries.load(step.file)
  server.entries.readManifests(entry, step.file, step.page)
  if (req.readableEnded) refuseWithoutBody(req, step, entry)
  const start = server.countRender && performance.now()
  try {
    if (req.method !== 'POST' || step.direct) await call(server, entry, req, res, step, meta)
    else await runPost(server, req, step, () => call(server, entry, req, res, step, meta))
  } catch (thrown) {
    if (thrown instanceof server.NoFallbackError) return NO_FALLBACK
    throw thrown
  } finally {
    if (start !== undefined) server.countRender?.(step.pathname, (performance.now() - start) / 1000, false)
  }
}

/**
 * @param {import('../app/state').ServerState} server
 * @param {any} entry
 * @param {Request} req
 * @param {Response} res
 * @param {RenderStep} step
 * @param {Record<string, any>} meta
 * @returns {Promise<unknown>}
 */
function call(server, entry, req, res, step, meta) {
  return (
    server.fastPaths.answer(server, entry, req, res, step) ??
    entry.handler(req, res, { waitUntil: server.waitUntil.ofRequest(), requestMeta: meta })
  )
}

/**
 * A POST may be for a server action: its form may be malformed, and upstream may fetch from this server for it.
 * @template T
 * @param {import('../app/state').ServerState} server
 * @param {Request} req
 * @param {RenderStep} step
 * @param {() => T} run
 * @returns {T}
 */
function runPost(server, req, step, run) {
  const withItsForm = () => withForm(req, step, run)
  if (!('next-action' in req.headers)) return withItsForm()
  return server.own.keepHost(req, process.env.__NEXT_PRIVATE_ORIGIN ?? req[REQUEST_META].initURL, withItsForm)
}

/**
 * Refuses requests that need a body which has been read already. Upstream's route handlers do, too; its API routes wait for the body for
 * ever.
 * @param {Request} req
 * @param {RenderStep} step
 * @param {any} entry
 */
function refuseWithoutBody(req, { routeKind, pathname }, entry) {
  const bodyError = bodyErrorOf(req)
  if (bodyError === undefined) return
  if (routeKind === 'APP_ROUTE' && req.method !== 'GET' && req.method !== 'HEAD') throw bodyError
  if (routeKind === 'PAGES_API') {
    if (req.body) return
    if (entry.config?.api?.bodyParser !== false) throw bodyError
    reportBodyError(bodyError, pathname)
  }
  if (routeKind === 'APP_PAGE' && isAction(req)) reportBodyError(bodyError)
}

/** Whether a request is for a server action. @param {Request} req */
const isAction = ({ method, headers }) =>
  method === 'POST' && ('next-action' in headers || String(headers['content-type']).startsWith('multipart/form-data'))

/**
 * Prepares a request as upstream does before it calls an entry.
 * @param {import('../app/state').ServerState} server
 * @param {Request} req
 * @param {RenderStep} step
 * @param {unknown} error
 */
function prepareRequest(server, req, step, error) {
  const { headers } = req
  if (step.dropNextUrl && 'next-url' in headers) delete headers['next-url']

  const { url } = req
  req.url = step.url

  /** @type {Record<string, any>} */
  const meta = {
    relativeProjectDir: server.relativeProjectDir,
    distDir: server.distDir,
    minimalMode: false,
    query: step.query,
    params: step.params,
    isLocaleDomain: step.isLocaleDomain ?? false,
  }
  if (!step.direct) {
    const origin = req[PUBLIC_ORIGIN] ?? ownOrigin(server, headers)
    // The requested URL, on the server's own host (`attachRequestMeta` of next-server.js) unless a proxy names another.
    meta.initURL = `${origin}${url}`
    meta.initProtocol = origin.slice(0, origin.indexOf(':'))
    meta.initQuery = step.initQuery ?? { ...step.query }
    meta.bubbleNoFallback = true
  }
  if (step.isRsc) meta.isRSCRequest = true
  if (step.isPrefetchRsc) meta.isPrefetchRSCRequest = true
  if (step.segmentPrefetch !== undefined) meta.segmentPrefetchRSCRequest = step.segmentPrefetch
  if (step.locale !== undefined) meta.locale = step.locale
  if (step.defaultLocale !== undefined) meta.defaultLocale = step.defaultLocale
  if (step.isDataRequest) meta.isNextDataReq = true
  // The name changed in 16.1; an entry reads the one of its version.
  if (step.rewrittenPathname !== undefined) {
    meta.rewrittenPathname = step.rewrittenPathname
    meta.rewroteURL = step.rewrittenPathname
  }
  if (error !== undefined) meta.invokeError = error
  if (req[MIDDLEWARE_COOKIES]) meta.middlewareCookie = req[MIDDLEWARE_COOKIES]
  if (server.createIncrementalCache) {
    const cache = server.createIncrementalCache(headers)
    meta.incrementalCache = cache
    Object.assign(globalThis, { __incrementalCache: cache })
  }
  req[REQUEST_META] = meta
  return meta
}

/**
 * @param {import('../app/state').ServerState} server
 * @param {import('node:http').IncomingHttpHeaders} headers
 */
function ownOrigin(server, headers) {
  const protocol = String(headers['x-forwarded-proto']).includes('https') ? 'https' : 'http'
  return `${protocol}://${server.fetchHostname}:${server.port}`
}

module.exports = { render, NO_FALLBACK }
