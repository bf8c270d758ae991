// In: `experimental.testProxy` of the app's configuration. Out: requests in Next.js's test mode: a test answers the app's `fetch`
// calls, and nothing is cached. Upstream: next/dist/server/lib/router-server.js, next/dist/server/lib/incremental-cache/index.js.

/**
 * @callback Handler
 * @param {any} req
 * @param {any} res
 * @param {any} [parsedUrl]
 * @returns {Promise<void>}
 */

/**
 * Runs before any entry is loaded: entries keep the `fetch` that they find.
 * @param {import('./package').NextPackage} next
 * @param {any} config
 * @returns {(handler: Handler) => Handler} wraps a handler
 */
function testMode(next, config) {
  if (!config.experimental.testProxy) return handler => handler
  process.env.NEXT_PRIVATE_TEST_PROXY = 'true'
  const { interceptTestApis, wrapRequestHandlerNode } = next.load('testMode')
  interceptTestApis()
  return wrapRequestHandlerNode
}

module.exports = { testMode }
