// In: a request in a slot. Out: an answered request. Rust decides each step, and table.js has the function that carries it out:
//
//   step -> load | image… | middleware | revalidate -> step … -> answer | stream | proxy | render | resume | middlewareResponse
//
// Steps that need requests of their own (background.js, image.js, revalidate.js) import this file, and the table imports them; so the table
// registers itself here.

const { REQUEST_META } = require('../entry/context')
const { NO_STORE } = require('../http/headers')
const { compressResponse } = require('../http/response-patches')
const { report } = require('../observe/report')

/**
 * @typedef {import('../entry/render').Request} Request
 * @typedef {import('../entry/render').Response} Response
 * @typedef {import('../app/state').ServerState} ServerState
 * @typedef {import('../native').Step} Step
 *
 * @typedef {{ [K in Step['kind']]: (run: Run, step: Extract<Step, { kind: K }>) => boolean | Promise<boolean> }} Steps how each kind of step is
 *   carried out; the result is ANSWERED or CONTINUE
 */

/** The request has been answered. */
const ANSWERED = true

/** Rust knows the next step. */
const CONTINUE = false

/**
 * Steps that a request may take. Upstream gives it up after five routes (router-server.js, "Attempted to handle request too many times"), and
 * a route takes up to three steps: something is loaded, the entry runs, its error page does.
 */
const MAX_STEPS = 16

/** The slot of a request in flight, for entries that call `render404`. */
const SLOT = Symbol('ferronext.slot')

/** @type {Steps | undefined} */
let table

/** @param {Steps} steps */
function defineSteps(steps) {
  table = steps
}

/** One pass through the steps of a request. */
class Run {
  /** The error that the error page in preparation is about. @type {unknown} */
  pending
  /** The body that middleware has answered with. @type {ReadableStream | null} */
  middlewareBody = null

  /**
   * @param {ServerState} server
   * @param {Request} req
   * @param {Response} res
   * @param {number} slot
   * @param {boolean} strict
   */
  constructor(server, req, res, slot, strict) {
    this.server = server
    this.req = req
    this.res = res
    this.slot = slot
    this.strict = strict
  }

  /** Compresses what is written from now on. */
  compress() {
    const { server, req, res } = this
    if (req.socket) compressResponse(server.native, req, res, server.engine.key)
  }

  /** Whether an entry has run for the request, and may have left headers on its response, of which Rust knows nothing. */
  get hasRun() {
    return this.req[REQUEST_META] !== undefined
  }
}

/**
 * Carries out the steps of a request until it has been answered.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {number} slot
 * @param {boolean} [strict] the entry's verdict goes to the caller: no other route and, on newer lines, no error page
 */
async function runSteps(server, req, res, slot, strict = false) {
  const steps = /** @type {Record<string, (run: Run, step: Step) => boolean | Promise<boolean>>} */ (table)
  const run = new Run(server, req, res, slot, strict)
  req[SLOT] = slot
  for (let turn = 0; turn < MAX_STEPS; turn++) {
    const next = server.engine.step(slot)
    /** @type {Step} */
    const step = typeof next === 'number' ? { kind: 'render', render: server.answers.call(next) } : next
    if (res.headersSent && needsHead(step)) return reportHeadSent(req, res)
    if (await steps[step.kind](run, step)) return
  }
  throw new Error(`Attempted to handle request too many times ${req.url}`)
}

/** Steps that send a head. An entry may deal with a head that was sent, as in upstream. */
const WITH_HEAD = new Set(['answer', 'stream', 'middlewareResponse', 'resume'])

/**
 * Whether a step has headers to send: upstream sets those of rules before a page runs, and prerendered pages have their own.
 * @param {import('../native').Step} step
 */
const needsHead = step => WITH_HEAD.has(step.kind) || (step.kind === 'render' && step.render.headers.length > 0)

/**
 * Reports why an answer is not sent. The response is left to the code that has sent its head.
 * @param {Request} req
 * @param {Response} res
 */
function reportHeadSent(req, res) {
  if (res.writableEnded || res.destroyed) return
  report(
    'error',
    `FERRONEXT_HEAD_SENT: ${req.method} ${req.url} is not answered by the app, because the head of its answer was sent before. A server that calls the handler leaves the answer to it.`,
  )
}

/**
 * Whether a request came through routing and is still being answered.
 * @param {Request} req
 */
const isRouted = req => req[SLOT] !== undefined

/**
 * Answers with the app's own error page, for an entry that has no answer.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {number} status
 * @param {boolean} noStore whether the answer must not be cached
 */
async function renderErrorPage(server, req, res, status, noStore) {
  const slot = req[SLOT]
  // It is about the missing page. The not-found page would not render with it, request itself, and wait for that for ever, and so would
  // every later request for it.
  delete req.headers['x-prerender-revalidate-if-generated']
  res.statusCode = status
  if (noStore) res.setHeader('Cache-Control', NO_STORE)
  server.engine.errorPage(slot, status, false)
  await runSteps(server, req, res, slot)
}

/**
 * The slot is another request's from here on. To delete the property would have V8 keep the request as a dictionary.
 * @param {Request} req
 */
function leaveSlot(req) {
  req[SLOT] = undefined
}

module.exports = {
  ANSWERED,
  CONTINUE,
  Run,
  defineSteps,
  isRouted,
  leaveSlot,
  renderErrorPage,
  reportHeadSent,
  runSteps,
}
