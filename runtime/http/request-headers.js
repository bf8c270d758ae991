// In: a request as it arrived, later the changes of routing and middleware to its headers. Out: the headers that middleware
// and entries see. Upstream: `filterInternalHeaders` of next/dist/server/lib/server-ipc/utils.js, `handleRequestImpl` of
// base-server.js, lib/patch-set-header.js.

const { groupHeaders } = require('./headers')
const { joinCookies } = require('./response-patches')

/** @typedef {import('../entry/render').Request} Request */

/** Headers that only the server may set. Rust drops them from its copy, this file from the request that JavaScript sees. */
const INTERNAL_HEADERS = [
  'x-middleware-rewrite',
  'x-middleware-redirect',
  'x-middleware-set-cookie',
  'x-middleware-skip',
  'x-middleware-override-headers',
  'x-middleware-next',
  'x-now-route-matches',
  'x-matched-path',
  'x-nextjs-data',
  'x-next-resume-state-length',
  'next-resume',
]

/** Marks a request whose internal headers have been dropped. */
const PREPARED = Symbol('ferronext.prepared')

/**
 * @typedef {object} HeaderChanges what routing and middleware changed
 * @property {string[]} [requestHeaders] flat; a name that repeats has several values
 * @property {boolean} [replacesRequestHeaders] whether they replace the headers that arrived
 * @property {boolean} [direct] requested by the user's server, without routing; no header is added
 */

/**
 * Prepares the headers of a request for JavaScript: before middleware, and again before an entry, because middleware may have replaced them.
 * @param {import('../app/state').ServerState} server
 * @param {Request} req
 * @param {import('../entry/render').Response} res
 * @param {HeaderChanges} changes
 */
function prepareHeaders(server, req, res, changes) {
  const { headers, socket } = req
  if (!req[PREPARED]) {
    req[PREPARED] = true
    for (const name of INTERNAL_HEADERS) if (name in headers) delete headers[name]
    server.own.isOwn(req)
    if (!changes.direct) joinCookies(req, res)
  }
  changeHeaders(headers, changes)
  if (changes.direct) return
  const forwardedProto = headers['x-forwarded-proto']
  const encrypted = Boolean(/** @type {any} */ (socket)?.encrypted)
  const https = forwardedProto ? forwardedProto === 'https' : encrypted
  headers['x-forwarded-host'] ??= headers.host ?? server.hostname
  headers['x-forwarded-port'] ??= String(server.port)
  headers['x-forwarded-proto'] ??= https ? 'https' : 'http'
  headers['x-forwarded-for'] ??= socket?.remoteAddress
}

/**
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @param {HeaderChanges} changes
 */
function changeHeaders(headers, { requestHeaders, replacesRequestHeaders }) {
  if (requestHeaders === undefined) return
  const changed = groupHeaders(requestHeaders)
  if (replacesRequestHeaders) for (const name of Object.keys(headers)) if (!changed.has(name)) delete headers[name]
  Object.assign(headers, Object.fromEntries(changed))
}

module.exports = { prepareHeaders }
