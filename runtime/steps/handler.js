// In: Node's req and res. Out: an answered request. Rust takes the request in and decides:
//
//   begin -> answer id              the usual case: one call in, one answer out
//   begin -> ONCE -> takeAnswer     an answer for this request alone, a redirect for example
//   begin -> slot -> runSteps       step by step until something has answered, see run.js

require('./table')
const { isStarted } = require('../entry/instrumentation')
const { restoreBody, restoreHead } = require('../http/read-body')
const { applyParsedUrl, headOf } = require('../http/request-head')
const { sendAnswer } = require('../http/respond')
const { hasSubscribers, publishRequest } = require('../observe/diagnostics-channels')
const { ROUTE } = require('../observe/requests')
const { inSpan, isTracing } = require('../observe/spans')
const { leaveSlot, reportHeadSent, runSteps } = require('./run')

/**
 * @typedef {import('../entry/render').Request} Request
 * @typedef {import('../entry/render').Response} Response
 * @typedef {import('../app/state').ServerState} ServerState
 */

/** The answer if even the error page fails. */
const INTERNAL_SERVER_ERROR = { status: 500, headers: [], body: Buffer.from('Internal Server Error') }

/** The value of `begin` for an answer of one request. */
const ONCE = -(2 ** 31)

/**
 * @param {string | import('../http/respond').Answer} taken `status \0 replaces \0 name \0 value … \0 body`
 * @returns {import('../http/respond').Answer}
 */
function answerOf(taken) {
  if (typeof taken !== 'string') return taken
  const headers = taken.split('\0')
  const status = Number(headers.shift())
  const replaces = /** @type {any} */ (headers.shift())
  return { status, replaces, headers, body: headers.pop() }
}

/** Shared, because most requests end synchronously. */
const DONE = Promise.resolve()

/**
 * The function that `getRequestHandler()` returns.
 * @param {ServerState} server
 * @returns {(req: Request, res: Response, parsedUrl?: any) => Promise<void>}
 */
function createHandler(server) {
  const { engine, native, filterForwarded, answers } = server
  const { key } = engine

  return function handle(req, res, parsedUrl) {
    if (parsedUrl) applyParsedUrl(req, parsedUrl, server.formatUrl)
    if (filterForwarded !== undefined) filterForwarded(req)
    if (req.readableEnded) restoreHead(req)
    let id
    let answer
    const { starting } = server
    const isTraced = isTracing() || hasSubscribers()
    if (isTraced || starting !== undefined) server.nameRoutes()
    try {
      id = native.begin(key, headOf(req, res), Boolean(/** @type {any} */ (req.socket)?.encrypted))
      if (id >= 0) answer = answers.get(id)
      else if (id === ONCE) answer = answerOf(native.takeAnswer(key))
    } catch (error) {
      // An error of ferronext must not affect other requests.
      server.logError(error)
      sendAnswer(res, INTERNAL_SERVER_ERROR)
      return DONE
    }
    if (starting !== undefined) return onceStarted(server, starting, req, res, id, answer)
    if (isTraced) return traced(server, req, res, id, answer)
    if (answer && server.namesRoutes) req[ROUTE] = engine.route()
    return proceed(server, req, res, id, answer)
  }
}

/**
 * Sends a ready answer, or carries out the steps to one.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {number} id
 * @param {import('../http/respond').Answer | undefined} answer
 */
function proceed(server, req, res, id, answer) {
  if (answer === undefined) return carryOut(server, req, res, -id - 1)
  if (res.headersSent) reportHeadSent(req, res)
  else sendAnswer(res, answer)
  return DONE
}

/**
 * The same, once the app's instrumentation has started.
 * @param {ServerState} server
 * @param {import('../entry/instrumentation').Starting} starting
 * @param {Request} req
 * @param {Response} res
 * @param {number} id
 * @param {import('../http/respond').Answer | undefined} answer
 */
async function onceStarted(server, starting, req, res, id, answer) {
  const { engine, inFlight } = server
  const slot = answer ? undefined : -id - 1
  const route = engine.route(slot)
  req[ROUTE] = route
  inFlight.begin()
  try {
    if (!(await isStarted(starting, res, route))) {
      if (slot !== undefined) engine.free(slot)
      return
    }
    if (isTracing() || hasSubscribers()) await traced(server, req, res, id, answer, route)
    else await proceed(server, req, res, id, answer)
  } finally {
    inFlight.end()
  }
}

/**
 * The same, inside the span of the request.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {number} id
 * @param {import('../http/respond').Answer | undefined} answer
 * @param {string} [known] its route
 */
function traced(server, req, res, id, answer, known) {
  const route = known ?? server.engine.route(answer ? undefined : -id - 1)
  req[ROUTE] = route
  const work = () => proceed(server, req, res, id, answer)
  const spanned = isTracing() ? () => inSpan(server, req, res, route, work) : work
  return hasSubscribers() ? publishRequest(req, res, route, spanned) : Promise.resolve(spanned())
}

/**
 * Carries out the steps of one request until it has been answered.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {number} slot
 */
async function carryOut(server, req, res, slot) {
  req.on('error', ignore)
  res.on('error', ignore)
  server.inFlight.begin()
  try {
    if (req.readableEnded) await restoreBody(req)
    await runSteps(server, req, res, slot)
  } catch (error) {
    // Nothing below could answer, not even the error page.
    server.logError(error)
    if (res.headersSent) res.end()
    else sendAnswer(res, INTERNAL_SERVER_ERROR)
  } finally {
    leaveSlot(req)
    if (server.namesRoutes) req[ROUTE] = server.engine.route(slot)
    server.engine.free(slot)
    server.inFlight.end()
  }
}

const ignore = () => {}

module.exports = { createHandler }
