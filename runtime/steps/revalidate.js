// In: `res.revalidate(path)` of an API route. Out: the page is rendered and stored. The internal request does not pass rules and
// middleware. Upstream: `revalidate` of next/dist/server/next-server.js.

const { runSteps } = require('./run')
const { internalExchange } = require('../http/internal-request')
const { headFrom } = require('../http/request-head')
const { sendAnswer } = require('../http/respond')

/**
 * @typedef {object} RevalidateRequest
 * @property {string} urlPath
 * @property {import('node:http').IncomingHttpHeaders} [headers] with the secret that makes it a revalidation
 * @property {import('node:http').IncomingHttpHeaders} [revalidateHeaders] their name before 16.1
 * @property {{ unstable_onlyGenerated?: boolean }} opts
 */

/**
 * @param {import('../app/state').ServerState} server
 * @param {import('../next/package').NextPackage} next
 * @param {RevalidateRequest} request
 */
async function revalidate(server, next, { urlPath, headers: given, revalidateHeaders, opts }) {
  const headers = given ?? revalidateHeaders ?? {}
  const { req, res } = internalExchange(next, urlPath, headers)
  const id = server.engine.beginRevalidate(headFrom({ method: req.method, url: urlPath, headers }))
  try {
    // No error page: errors go to the caller, "no fallback" included.
    if (id >= 0) sendAnswer(res, server.engine.answer(id))
    else await runSteps(server, req, res, -id - 1, true)
  } catch (error) {
    // There was no page to revalidate: the entry answers 404, and then throws.
    if (!(res.isSent && res.statusCode === 404 && opts?.unstable_onlyGenerated)) throw error
    return
  } finally {
    if (id < 0) server.engine.free(-id - 1)
  }
  await res.hasStreamed
  const revalidated = res.getHeader('x-nextjs-cache') === 'REVALIDATED' || res.statusCode === 200
  if (!revalidated && !(res.statusCode === 404 && opts?.unstable_onlyGenerated)) {
    throw new Error(`Invalid response ${res.statusCode}`)
  }
}

module.exports = { revalidate }
