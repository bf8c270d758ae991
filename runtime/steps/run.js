// In: Node's req and res. Out: an answered request. Rust decides every step; this file carries out what it says.
//
//   begin -> answer id                                 the usual case: one call in, one answer out
//   begin -> ONCE -> takeAnswer                        an answer for this request alone, a redirect for example
//   begin -> slot -> step -> load | answer | stream | proxy | revalidate | image | render | resume -> … until something has answered

const { renderInBackground } = require('./background')
const { isHeard, told } = require('../observe/diagnostics-channels')
const { compressResponse } = require('../http/response-patches')
const { isRefused } = require('../http/body-limit')
const { REQUEST_META } = require('../entry/context')
const { isBrokenForm } = require('../entry/form-errors')
const { isAbort } = require('../errors')
const { answerForImage, loadImage } = require('./image')
const { isStarted } = require('../entry/instrumentation')
const { runMiddleware, sendMiddlewareResponse } = require('./middleware')
const { PLAIN_FAILURE, sendPayload } = require('./direct')
const { ROUTE } = require('../observe/requests')
const { proxyRequest } = require('./proxy')
const { restoreBody, restoreHead } = require('../http/read-body')
const { NO_FALLBACK, render } = require('../entry/render')
const { report } = require('../observe/report')
const { headOf, applyParsedUrl } = require('../http/request-head')
const { NO_STORE } = require('../http/headers')
const { sendAnswer, sendStream } = require('../http/respond')
const { resumeAfterShell } = require('./resume')
const { inSpan, isTracing } = require('../observe/spans')

/**
 * @typedef {import('../entry/render').Request} Request
 * @typedef {import('../entry/render').Response} Response
 * @typedef {import('../app/server').ServerState} ServerState
 */

/** The slot of a request that is in flight, for entries that come back with `render404`. */
const SLOT = Symbol('ferronext.slot')

/** What is left when not even an error page can be had. */
const INTERNAL_SERVER_ERROR = { status: 500, headers: [], body: Buffer.from('Internal Server Error') }

/** What `begin` returns for an answer that was made for one request. */
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

/** Done: shared, because most requests end synchronously and nobody looks at the value. */
const DONE = Promise.resolve()

/**
 * Steps that a request may take. Upstream gives it up after five routes (router-server.js, "Attempted to handle request too many times"), and
 * a route takes up to three steps: something is loaded, the entry runs, its error page does.
 */
const MAX_STEPS = 16

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
    const isTraced = isTracing() || isHeard()
    if (isTraced || starting !== undefined) server.nameRoutes()
    try {
      id = native.begin(key, headOf(req, res), Boolean(/** @type {any} */ (req.socket)?.encrypted))
      if (id >= 0) answer = answers.get(id)
      else if (id === ONCE) answer = answerOf(native.takeAnswer(key))
    } catch (error) {
      // A fault of ours costs this request and nothing else.
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
 * Sends an answer that is there, or carries out what leads to one.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {number} id
 * @param {import('../http/respond').Answer | undefined} answer
 */
function proceed(server, req, res, id, answer) {
  if (answer === undefined) return carryOut(server, req, res, -id - 1)
  if (res.headersSent) tellHeadSent(req, res)
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
    if (isTracing() || isHeard()) await traced(server, req, res, id, answer, route)
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
  return isHeard() ? told(req, res, route, spanned) : Promise.resolve(spanned())
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
    await steps(server, req, res, slot)
  } catch (error) {
    // Nothing below could answer, not even the error page.
    server.logError(error)
    if (res.headersSent) res.end()
    else sendAnswer(res, INTERNAL_SERVER_ERROR)
  } finally {
    // The slot is another request's from here on. Deleting the property would have V8 keep the request as a dictionary.
    req[SLOT] = undefined
    if (server.namesRoutes) req[ROUTE] = server.engine.route(slot)
    server.engine.free(slot)
    server.inFlight.end()
  }
}

/**
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {number} slot
 * @param {boolean} [strict] the entry's verdict goes to the caller: no other route and, on newer lines, no error page
 */
async function steps(server, req, res, slot, strict = false) {
  const { engine, native } = server
  req[SLOT] = slot
  let compressed = false
  const compress = () => {
    if (compressed || !req.socket) return
    compressResponse(native, req, res, engine.key)
    compressed = true
  }
  /** @type {unknown} the error that the error page in preparation is about */
  let pending
  /** @type {ReadableStream | null} the body that middleware answered with */
  let middlewareBody = null
  for (let turn = 0; turn < MAX_STEPS; turn++) {
    const next = engine.step(slot)
    /** @type {import('../native').Step} */
    const step = typeof next === 'number' ? { kind: 'render', render: server.answers.call(next) } : next
    if (res.headersSent && needsHead(step)) return tellHeadSent(req, res)
    switch (step.kind) {
      case 'load':
        await engine.load(slot)
        continue
      case 'loadImage':
        await loadImage(engine, res, slot)
        continue
      case 'imageInternal':
      case 'imageGet':
      case 'imageSet':
        await answerForImage(server, slot, step, steps)
        continue
      case 'answer':
        return sendAnswer(res, step, hasRun(req))
      case 'stream':
        return sendStream(res, step, engine, slot, hasRun(req))
      case 'revalidate':
        renderInBackground(server, step, steps)
        continue
      case 'middleware': {
        const { answered, body, error } = await runMiddleware(server, req, res, slot, step)
        if (answered) return
        middlewareBody = body ?? null
        pending = error
        continue
      }
      case 'middlewareResponse':
        if (server.config.compress) compress()
        return sendMiddlewareResponse(server, res, step, middlewareBody)
      case 'proxy': {
        if (server.config.compress) compress()
        const target = targetOf(server, step.url)
        if (target) return proxyRequest(server, req, res, slot, step, target)
        engine.errorPage(slot, 500, true)
        continue
      }
      case 'resume':
        if (server.compresses(step.render)) compress()
        return resumeAfterShell(server, req, res, step)
      case 'render':
        break
    }
    const call = step.render
    if (server.compresses(call)) compress()
    try {
      const outcome = await render(server, req, res, call, pending)
      if (outcome !== NO_FALLBACK) return
      if (strict) throw new server.NoFallbackError()
      // Entries change the URL and the headers of a request, and upstream routes what they have left.
      const { isRSCRequest = false } = req[REQUEST_META] ?? {}
      engine.noFallback(slot, req.url ?? '', 'rsc' in req.headers, isRSCRequest)
    } catch (error) {
      if (isAbort(error) || isRefused(req)) return
      const isThrown = server.traits.revalidationsThrow && call.routeKind === 'APP_PAGE'
      if (strict && (isThrown || error instanceof server.NoFallbackError)) throw error
      if (res.headersSent) {
        server.logError(error)
        res.end()
        return
      }
      const name = /** @type {any} */ (error)?.constructor?.name
      const status = name === 'DecodeError' || name === 'NormalizeError' || isBrokenForm(req, call, error) ? 400 : 500
      if (status === 500) server.logError(error)
      // An error page failed, too: plain text is what is left. A broken request is not the page's fault.
      if (pending !== undefined || (call.isErrorPage && status === 500)) {
        res.statusCode = 500
        return sendPayload(server, req, res, PLAIN_FAILURE)
      }
      pending = error
      const isPage = !call.edge && (call.routeKind === 'PAGES' || call.routeKind === 'APP_PAGE')
      if (status === 500 && isPage) await reportFault(server, req, res, slot, error)
      // A page says itself how long its error page is kept; an API route or an edge function has no say in it.
      engine.errorPage(slot, status, call.edge || call.routeKind === 'PAGES_API')
    }
  }
  throw new Error(`Attempted to handle request too many times ${req.url}`)
}

/** Steps that send a head. What an entry makes of one that was sent is its own affair, as in upstream. */
const WITH_HEAD = new Set(['answer', 'stream', 'middlewareResponse', 'resume'])

/**
 * Whether a step is nothing without its head: upstream sets the headers of rules before any page runs, and what is prerendered has its own.
 * @param {import('../native').Step} step
 */
const needsHead = step => WITH_HEAD.has(step.kind) || (step.kind === 'render' && step.render.headers.length > 0)

/**
 * Names the cause of an answer that is not sent. The response is left to whoever has begun it.
 * @param {Request} req
 * @param {Response} res
 */
function tellHeadSent(req, res) {
  if (res.writableEnded || res.destroyed) return
  report(
    'error',
    `FERRONEXT_HEAD_SENT: ${req.method} ${req.url} is not answered by the app, because the head of its answer was sent before. A server that calls the handler leaves the answer to it.`,
  )
}

/**
 * Lets the app's `_error` page see a fault although another page will be shown; it answers nothing.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {number} slot
 * @param {unknown} error
 */
async function reportFault(server, req, res, slot, error) {
  const step = server.engine.reportFault(slot)
  if (!step) return
  try {
    await render(server, req, res, step, error, { customErrorRender: true })
  } catch (second) {
    server.logError(second)
  }
}

/**
 * Whether an entry has run for a request, and may have left headers on its response, of which Rust knows nothing.
 * @param {Request} req
 */
const hasRun = req => req[REQUEST_META] !== undefined

/**
 * Whether a request came through routing and is still being answered.
 * @param {Request} req
 */
const isRouted = req => req[SLOT] !== undefined

/**
 * Answers with the app's own error page, for an entry that has found out that it has no answer.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {number} status
 * @param {boolean} noStore whether the answer must not be cached
 */
async function renderErrorPage(server, req, res, status, noStore) {
  const slot = req[SLOT]
  // It was about the page that is not there. The not-found page would refuse to be rendered for the same reason, ask for
  // itself, and wait for that for ever, and so would every later request for it.
  delete req.headers['x-prerender-revalidate-if-generated']
  res.statusCode = status
  if (noStore) res.setHeader('Cache-Control', NO_STORE)
  server.engine.errorPage(slot, status, false)
  await steps(server, req, res, slot)
}

/**
 * A rule or middleware can fill in something that makes no URL.
 * @param {ServerState} server
 * @param {string} text
 */
function targetOf(server, text) {
  try {
    return server.parseTarget(text)
  } catch (error) {
    report('error', error)
    return undefined
  }
}

const ignore = () => {}

module.exports = { createHandler, steps, isRouted, renderErrorPage }
