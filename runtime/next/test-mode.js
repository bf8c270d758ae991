// In: `experimental.testProxy` of the app's configuration. Out: requests in Next.js's test mode, in which a test answers what the app
// fetches, and nothing is kept. Upstream: next/dist/server/lib/router-server.js, next/dist/server/lib/incremental-cache/index.js.

/**
 * @callback Handler
 * @param {any} req
 * @param {any} res
 * @param {any} [parsedUrl]
 * @returns {Promise<void>}
 */

/**
 * Comes before any entry is loaded, which keeps the `fetch` that it finds.
 * @param {import('./package').NextPackage} next
 * @param {any} config
 * @returns {(handler: Handler) => Handler} what a handler becomes
 */
function testMode(next, config) {
  if (!config.experimental.testProxy) return handler => handler
  process.env.NEXT_PRIVATE_TEST_PROXY = 'true'
  const { interceptTestApis, wrapRequestHandlerNode } = next.load('testMode')
  interceptTestApis()
  return wrapRequestHandlerNode
}

module.exports = { testMode }
