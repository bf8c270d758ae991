// In: the app's `instrumentation.ts`. Out: it is started once, and told of faults that no compiled entry has told it of.
// Upstream: `runInstrumentationHookIfAvailable` and `instrumentationOnRequestError` of next/dist/server/next-server.js.

const path = require('node:path')
const { report } = require('./report')

/** @typedef {import('./server').ServerState} ServerState */

const MODULE = 'next/dist/server/lib/router-utils/instrumentation-globals.external'

/**
 * Starts it. Entries wait for it; a failure is logged as upstream logs it.
 * @param {ServerState} server
 * @returns {Promise<void>}
 */
function registerInstrumentation({ entries, next, dir, distDir }) {
  entries.beforeFirst()
  /** @type {Promise<void>} */
  const registered = next.require(MODULE).ensureInstrumentationRegistered(dir, path.relative(dir, distDir))
  registered.catch(error => report('error', 'Failed to prepare server', error))
  return registered
}

/**
 * Reports what an edge function has thrown, and logs it. Some bundles report by themselves, in the sandbox, and upstream's server does it
 * all the same; it knows such a function by its page alone, as one of the Pages Router.
 * @param {ServerState} server
 * @param {import('./render').Request} req
 * @param {import('./render').RenderStep} step
 * @param {unknown} error
 */
async function reportEdgeFault(server, req, step, error) {
  // Upstream has found no page by routing for an error page, or for one that the user's server asks for by its name.
  if (step.direct || step.status !== undefined) return
  const { config, dir, distDir, next, traits } = server
  if (traits.hasInstrumentation) {
    const request = {
      path: withoutBase(req.url || '', config.basePath),
      method: req.method || 'GET',
      headers: req.headers,
    }
    const context = {
      routePath: step.page,
      routerKind: 'Pages Router',
      routeType: 'route',
      revalidateReason: undefined,
    }
    await next.require(MODULE).instrumentationOnRequestError(dir, path.relative(dir, distDir), error, request, context)
  }
  server.logError(error)
}

/** @param {string} url @param {string} basePath */
function withoutBase(url, basePath) {
  if (!basePath || !url.startsWith(basePath)) return url
  const rest = url.slice(basePath.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

module.exports = { registerInstrumentation, reportEdgeFault }
