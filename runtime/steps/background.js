// In: the step `revalidate`: a page is stale, and the stale answer is sent without waiting. Out: the page is rendered and stored. The entry gets
// an internal request without headers, finds its own stale answer and does the rest as in upstream: it renders in the background, stores the
// page, reports errors, and delays the next attempt.

const { internalExchange } = require('../http/internal-request')
const { WaitUntil } = require('../process/in-flight')
const { runSteps } = require('./run')

/**
 * Starts the render and returns at once.
 * @param {import('../app/state').ServerState} server
 * @param {{ slot: number, url: string }} step
 */
function renderInBackground(server, step) {
  const work = run(server, step)
  const waitUntil = server.waitUntil.ofRequest() ?? server.waitUntil.add
  waitUntil(work)
}

/**
 * @param {import('../app/state').ServerState} server
 * @param {{ slot: number, url: string }} step
 */
async function run(server, { slot, url }) {
  // The stale answer goes out first.
  await new Promise(resolve => setImmediate(resolve))
  // Work of this render only: the slot is freed when it ends.
  const waitUntil = new WaitUntil()
  const { engine, countRender } = server
  const start = performance.now()
  const route = countRender ? engine.route(slot) : ''
  const own = { waitUntil: { value: waitUntil }, countRender: { value: undefined } }
  try {
    const { req, res } = internalExchange(server.next, url, {})
    await runSteps(Object.create(server, own), req, res, slot, true)
    await waitUntil.settle()
    // The entry answers before it renders, so the time is measured here.
    countRender?.(route, (performance.now() - start) / 1000, true)
  } catch (error) {
    server.logError(error)
  } finally {
    server.engine.free(slot)
  }
}

module.exports = { renderInBackground }
