// In: Rust's decision to run the app's middleware (or proxy). Out: Rust has its answer, and the body of that answer waits for the step that
// sends it. Rust interprets the headers of the answer (src/route/middleware.rs).
// Upstream: `runMiddleware` and `handleCatchallMiddlewareRequest` of next/dist/server/next-server.js.

const { isRefused, limitBody } = require('../http/body-limit')
const { isAbort } = require('../errors')
const { prepareHeaders } = require('../http/request-headers')
const { MIDDLEWARE_COOKIES } = require('../http/response-patches')
const { report } = require('../observe/report')
const { flatHeaders, mergeHeaders } = require('../http/headers')
const { openSandbox, runInSandbox } = require('../entry/sandbox')

/**
 * @typedef {Extract<import('../native').Step, { kind: 'middleware' }>} MiddlewareStep
 * @typedef {import('../entry/fast/middleware').Realm} Realm
 * @typedef {import('../http/request-body').RequestBody} Body
 *
 * @typedef {{ response: Response, waitUntil: Promise<unknown>, rewriteLocaleWasInferred?: boolean }} Result of the adapter; the last from 16.5 on
 *
 * @typedef {object} Outcome of running it
 * @property {boolean} [answered] the request has been answered, or the client has disconnected
 * @property {ReadableStream | null} [body] the body of its answer
 * @property {unknown} [error] what it threw
 */

/**
 * Runs middleware and passes the outcome to Rust.
 * @param {import('../app/state').ServerState} server
 * @param {import('../entry/render').Request} req
 * @param {import('../entry/render').Response} res
 * @param {number} slot
 * @param {MiddlewareStep} step
 * @returns {Promise<Outcome>}
 */
async function runMiddleware(server, req, res, slot, step) {
  prepareHeaders(server, req, res, step)
  server.entries.beforeFirst()
  const hasBody = req.method !== 'GET' && req.method !== 'HEAD'
  const body = hasBody ? limitBody(server, req, res) : undefined
  if (body === null) return { answered: true }
  body?.hold()
  try {
    const decided = server.fastMiddleware.decide(req, res, step.url) ?? callAdapter(server, req, res, step, body)
    const { status, headers, body: answer, localeAdded = false } = await decided
    if (isRefused(req)) return { answered: true }
    const cookies = headers.filter((_, at) => at % 2 === 1 && headers[at - 1] === 'set-cookie')
    if (cookies.length > 0) req[MIDDLEWARE_COOKIES] = cookies
    const peer = /** @type {string | undefined} */ (req.headers['x-forwarded-for'])
    server.engine.middlewareAnswered(slot, status, headers, localeAdded, peer)
    return { body: answer }
  } catch (error) {
    const { name, code } = /** @type {any} */ (error ?? {})
    if (isRefused(req) || isAbort(error)) return { answered: true }
    const status = code === 'ENOENT' ? 404 : name === 'DecodeError' ? 400 : 500
    if (status === 500) report('error', error)
    server.engine.middlewareFailed(slot, status)
    return { error }
  } finally {
    body?.release()
  }
}

/**
 * Runs the middleware by upstream's adapter.
 * @param {import('../app/state').ServerState} server
 * @param {import('../entry/render').Request} req
 * @param {import('../entry/render').Response} res
 * @param {MiddlewareStep} step
 * @param {import('../http/request-body').RequestBody | undefined} body
 * @returns {Promise<import('../entry/fast/middleware').Decision>}
 */
async function callAdapter(server, req, res, step, body) {
  const { fastMiddleware, next } = server
  const { signalFromNodeResponse } = next.load('nextRequest')
  const request = {
    headers: req.headers,
    method: String(req.method).toUpperCase(),
    nextConfig: fastMiddleware.nextConfig,
    url: step.url,
    page: {},
    signal: signalFromNodeResponse(res),
    waitUntil: server.waitUntil.ofRequest(),
  }
  const { realm, adapter } = await openMiddleware(server)
  /** @type {Promise<Result>} */
  const called = fastMiddleware.learn(req, res, step.url, realm, () => adapter(request, body))
  const { response, waitUntil, rewriteLocaleWasInferred } = await called
  waitUntil?.catch(error => report('error', 'Uncaught: middleware waitUntil errored', error))
  return {
    status: response.status,
    headers: flatHeaders(next, response.headers),
    body: response.body,
    localeAdded: rewriteLocaleWasInferred === true,
  }
}

/**
 * @param {import('../app/state').ServerState} server
 * @returns {Promise<{ realm: Realm, adapter: (request: object, body: Body | undefined) => Promise<Result> }>}
 */
async function openMiddleware(server) {
  const info = server.edgeMiddleware()
  if (info) {
    const realm = await openSandbox(server, info)
    return { realm, adapter: (request, body) => runInSandbox(server, info, { ...request, body }) }
  }
  const module = await server.entries.load('server/middleware.js')
  const adapter = module.default || module
  const handler = module.proxy || module.middleware || module
  return {
    realm: NODE_REALM,
    adapter: (request, body) =>
      adapter({ handler, request: { ...request, body: body?.cloneBodyStream() }, page: 'middleware' }),
  }
}

/** Middleware in Node's runtime. @type {Realm} */
const NODE_REALM = { isEdge: false, Request, Response, run: (_waitUntil, _headers, work) => work() }

/**
 * Sends the answer of middleware.
 * @param {import('../app/state').ServerState} server
 * @param {import('../entry/render').Response} res
 * @param {{ status: number, headers: string[] }} step
 * @param {ReadableStream | null} body
 */
async function sendMiddlewareResponse({ next }, res, step, body) {
  mergeHeaders(res, step.headers)
  res.statusCode = step.status
  if (body) await next.load('pipeReadable').pipeToNodeResponse(body, res)
  else res.end()
}

module.exports = { runMiddleware, sendMiddlewareResponse }
