// In: requests, if the diagnostics channels have subscribers by which dd-trace follows Next.js. Out: the events that it publishes for upstream's
// server, whose classes it patches and which is not loaded here: the start of a request, its page, and its end. dd-trace makes its
// span `next.request` of them and names Node's own span after the page (packages/datadog-plugin-next of dd-trace-js).

const { AsyncResource } = require('node:async_hooks')
const { channel } = require('node:diagnostics_channel')
const { hasSpan } = require('./spans')
const { ROUTE } = require('./requests')

const START = channel('apm:next:request:start')
const FINISH = channel('apm:next:request:finish')
const ERROR = channel('apm:next:request:error')
const PAGE = channel('apm:next:page:load')

/** Checked for each request, because a tracer may be started at any time. */
const hasSubscribers = () => START.hasSubscribers

/** Files are published as static pages. @param {string} route see src/pipeline/label.rs */
const isFile = route => route === '(public)' || route === '(_next/static)'

/**
 * Runs `work`, and publishes the request.
 * @param {import('../entry/render').Request} req
 * @param {import('../entry/render').Response} res
 * @param {string} route see src/pipeline/label.rs
 * @param {() => void | Promise<void>} work
 * @returns {Promise<void>}
 */
async function publishRequest(req, res, route, work) {
  if (!hasSpan(route) && !isFile(route)) return work()
  /** @type {{ req: any, res: any, finishOnResponse: boolean, error?: unknown }} */
  const context = { req, res, finishOnResponse: true }
  await START.runStores(context, async () => {
    const end = AsyncResource.bind(() => FINISH.publish(context))
    publishPage(req, route)
    try {
      await work()
    } catch (error) {
      context.error = error
      ERROR.publish(context)
      throw error
    } finally {
      // Middleware and rewrites may have led to another page.
      if (req[ROUTE] !== undefined && req[ROUTE] !== route) publishPage(req, req[ROUTE])
      if (res.writableFinished || res.destroyed) end()
      else res.once('close', end)
    }
  })
}

/** @param {import('../entry/render').Request} req @param {string} route */
function publishPage(req, route) {
  if (isFile(route)) PAGE.publish({ page: req.url, isStatic: true })
  else if (route === '(not-found)') PAGE.publish({ page: '/404' })
  else if (!route.startsWith('(')) PAGE.publish({ page: route })
}

module.exports = { hasSubscribers, publishRequest }
