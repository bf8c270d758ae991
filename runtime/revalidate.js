// In: `res.revalidate(path)` of an API route. Out: the page is rendered anew and stored. The request never leaves the
// process and goes past rules and middleware. Upstream: `revalidate` of next/dist/server/next-server.js.

const { steps } = require('./driver')
const { headFrom } = require('./request')
const { mergeHeaders } = require('./respond')

/**
 * @typedef {object} RevalidateRequest
 * @property {string} urlPath
 * @property {import('node:http').IncomingHttpHeaders} headers with the secret that makes it a revalidation
 * @property {{ unstable_onlyGenerated?: boolean }} opts
 */

/**
 * @param {import('./server').ServerState} server
 * @param {import('./next-package').NextPackage} next
 * @param {RevalidateRequest} request
 */
async function revalidate(server, next, { urlPath, headers, opts }) {
  const { createRequestResponseMocks } = next.require('next/dist/server/lib/mock-request')
  const { req, res } = createRequestResponseMocks({ url: urlPath, headers })
  const slot = -server.engine.beginRevalidate(headFrom({ method: req.method, url: urlPath, headers })) - 1
  const { writeHead } = res
  // The mock takes headers one by one only.
  res.writeHead = (/** @type {number} */ status, /** @type {string[]} */ flat = []) => {
    mergeHeaders(res, flat)
    return writeHead.call(res, status)
  }
  try {
    // Nobody is there to see an error page: what is thrown goes to the caller, "no fallback" included.
    await steps(server, req, res, slot, true)
  } finally {
    server.engine.free(slot)
  }
  await res.hasStreamed
  const revalidated = res.getHeader('x-nextjs-cache') === 'REVALIDATED' || res.statusCode === 200
  if (!revalidated && !(res.statusCode === 404 && opts?.unstable_onlyGenerated)) {
    throw new Error(`Invalid response ${res.statusCode}`)
  }
}

module.exports = { revalidate }
