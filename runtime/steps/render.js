// In: the step `render`. Out: the entry has answered, or Rust knows why it has not: another route or an error page follows.

const { isBrokenForm } = require('../entry/form-errors')
const { REQUEST_META } = require('../entry/context')
const { NO_FALLBACK, render } = require('../entry/render')
const { isAbort } = require('../errors')
const { isRefused } = require('../http/body-limit')
const { PLAIN_FAILURE, sendPayload } = require('./direct')
const { ANSWERED, CONTINUE } = require('./run')

/**
 * @typedef {import('../entry/render').Request} Request
 * @typedef {import('../entry/render').Response} Response
 * @typedef {import('../entry/render').RenderStep} RenderStep
 * @typedef {import('../app/state').ServerState} ServerState
 */

/** @type {import('./run').Steps['render']} */
async function renderStep(run, { render: call }) {
  const { server, req, res, slot, strict } = run
  if (server.compresses(call)) run.compress()
  try {
    const outcome = await render(server, req, res, call, run.pending)
    if (outcome !== NO_FALLBACK) return ANSWERED
    if (strict) throw new server.NoFallbackError()
    // Entries change the URL and the headers of a request, and upstream routes what they have left.
    const { isRSCRequest = false } = req[REQUEST_META] ?? {}
    server.engine.noFallback(slot, req.url ?? '', 'rsc' in req.headers, isRSCRequest)
    return CONTINUE
  } catch (error) {
    if (isAbort(error) || isRefused(req)) return ANSWERED
    const isThrown = server.traits.revalidationsThrow && call.routeKind === 'APP_PAGE'
    if (strict && (isThrown || error instanceof server.NoFallbackError)) throw error
    return renderFailed(run, call, error)
  }
}

/**
 * Has an error page follow, or ends the response where none can.
 * @param {Parameters<typeof renderStep>[0]} run
 * @param {RenderStep} call
 * @param {unknown} error
 */
async function renderFailed(run, call, error) {
  const { server, req, res, slot } = run
  if (res.headersSent) {
    server.logError(error)
    res.end()
    return ANSWERED
  }
  const name = /** @type {any} */ (error)?.constructor?.name
  const status = name === 'DecodeError' || name === 'NormalizeError' || isBrokenForm(req, call, error) ? 400 : 500
  if (status === 500) server.logError(error)
  // An error page failed, too: the answer is plain text. A malformed request is no error of the page.
  if (run.pending !== undefined || (call.isErrorPage && status === 500)) {
    res.statusCode = 500
    sendPayload(server, req, res, PLAIN_FAILURE)
    return ANSWERED
  }
  run.pending = error
  const isPage = !call.edge && (call.routeKind === 'PAGES' || call.routeKind === 'APP_PAGE')
  if (status === 500 && isPage) await reportFault(server, req, res, slot, error)
  // A page decides about the cache policy of its error page; an API route or an edge function does not.
  server.engine.errorPage(slot, status, call.edge || call.routeKind === 'PAGES_API')
  return CONTINUE
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

module.exports = { renderStep }
