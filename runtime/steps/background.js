// In: the step `revalidate`: a page was found stale, and the answer that was asked for is sent without waiting. Out: the page
// is rendered anew and stored. The entry gets a request without headers, finds its own stale answer and does the rest as it
// does under upstream: render in the background, store, report and log what goes wrong, put off the next attempt.

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
  // The answer that is on its way goes first.
  await new Promise(resolve => setImmediate(resolve))
  // Work of this render only: its end is the end of the slot.
  const waitUntil = new WaitUntil()
  const { engine, countRender } = server
  const start = performance.now()
  const route = countRender ? engine.route(slot) : ''
  const own = { waitUntil: { value: waitUntil }, countRender: { value: undefined } }
  try {
    const { req, res } = internalExchange(server.next, url, {})
    await runSteps(Object.create(server, own), req, res, slot, true)
    await waitUntil.settle()
    // Here and not around the entry, which has answered long before it has rendered.
    countRender?.(route, (performance.now() - start) / 1000, true)
  } catch (error) {
    server.logError(error)
  } finally {
    server.engine.free(slot)
  }
}

module.exports = { renderInBackground }
