// In: each kind of step that Rust can ask for. Out: how JavaScript carries it out. `tsc` fails for a kind that is missing here.

const { report } = require('../observe/report')
const { sendAnswer, sendStream } = require('../http/respond')
const { renderInBackground } = require('./background')
const { imageStep, loadImage } = require('./image')
const { runMiddleware, sendMiddlewareResponse } = require('./middleware')
const { proxyRequest } = require('./proxy')
const { renderStep } = require('./render')
const { resumeAfterShell } = require('./resume')
const { ANSWERED, CONTINUE, defineSteps } = require('./run')

/** @typedef {import('../app/state').ServerState} ServerState */

defineSteps({
  async load({ server, slot }) {
    await server.engine.load(slot)
    return CONTINUE
  },
  async loadImage({ server, res, slot }) {
    await loadImage(server.engine, res, slot)
    return CONTINUE
  },
  imageInternal: imageStep,
  imageGet: imageStep,
  imageSet: imageStep,
  answer({ res, hasRun }, step) {
    sendAnswer(res, step, hasRun)
    return ANSWERED
  },
  async stream({ server, res, slot, hasRun }, step) {
    await sendStream(res, step, server.engine, slot, hasRun)
    return ANSWERED
  },
  revalidate({ server }, step) {
    renderInBackground(server, step)
    return CONTINUE
  },
  async middleware(run, step) {
    const { answered, body, error } = await runMiddleware(run.server, run.req, run.res, run.slot, step)
    if (answered) return ANSWERED
    run.middlewareBody = body ?? null
    run.pending = error
    return CONTINUE
  },
  async middlewareResponse(run, step) {
    if (run.server.config.compress) run.compress()
    await sendMiddlewareResponse(run.server, run.res, step, run.middlewareBody)
    return ANSWERED
  },
  async proxy(run, step) {
    const { server, req, res, slot } = run
    if (server.config.compress) run.compress()
    const target = targetOf(server, step.url)
    if (target) {
      await proxyRequest(server, req, res, slot, step, target)
      return ANSWERED
    }
    server.engine.errorPage(slot, 500, true)
    return CONTINUE
  },
  async resume(run, step) {
    const { server, req, res } = run
    if (server.compresses(step.render)) run.compress()
    await resumeAfterShell(server, req, res, step)
    return ANSWERED
  },
  render: renderStep,
})

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
