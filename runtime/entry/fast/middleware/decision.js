// In: the response of the middleware's handler. Out: status, headers and body of its decision, as upstream's adapter leaves them: rewrites and
// redirects in the form that routing reads, and the headers of the client's router, which no handler may change.
// Upstream: the part of next/dist/server/web/adapter.js behind the handler.

const { endOfOrigin } = require('./origin')
const { flatHeaders } = require('../../../http/headers')

/** Headers of a body that the sandbox may have decoded; it drops them (`FORBIDDEN_HEADERS` of next/dist/server/web/sandbox/sandbox.js). */
const FRAMING = new Set(['content-length', 'content-encoding', 'transfer-encoding'])

const REWRITE = 'x-middleware-rewrite'
const OVERRIDE = 'x-middleware-override-headers'
const REQUEST_PREFIX = 'x-middleware-request-'

/** What `NextResponse.next()` would be. */
const CONTINUE = ['x-middleware-next', '1']

/**
 * @typedef {object} Asked what the middleware was asked
 * @property {string} url as Rust has made it
 * @property {string} input as the handler has seen it
 * @property {any} request
 * @property {[string, string][]} flight the headers of the client's router, which the handler has not seen
 *
 * @typedef {object} Tools
 * @property {import('../../../next/package').NextPackage} next
 * @property {any} NextURL of the bundle
 * @property {object} nextConfig that the middleware sees
 * @property {boolean} isEdge
 * @property {boolean} redirectsKeepOrigin whether a redirect within the origin stays absolute
 * @property {(url: string) => boolean} isPlain whether a URL is in the form in which `NextURL` leaves it
 *
 * @typedef {object} Decision
 * @property {number} status
 * @property {string[]} headers names, in lower case, and values in turn; one pair for each cookie
 * @property {ReadableStream | null} body
 * @property {boolean} [localeAdded] whether the locale of a rewrite is not the handler's, from 16.5 on
 */

/**
 * @param {Tools} tools
 * @param {Asked} asked
 * @param {any} response of the handler, if it has one
 * @param {string[] | undefined} cookies that it has set by `cookies()`
 * @returns {Decision}
 */
function decisionOf(tools, asked, response, cookies) {
  if (!response) return { status: 200, headers: CONTINUE, body: null }
  if (cookies !== undefined) response.headers.set('set-cookie', cookies)
  const all = flatHeaders(tools.next, response.headers)
  const flat = tools.isEdge ? withoutFraming(all) : all
  const rewriteAt = valueAt(flat, REWRITE)
  if (rewriteAt > 0) setRewrite(tools, asked, flat, rewriteAt)
  let { body } = response
  const locationAt = valueAt(flat, 'location')
  if (locationAt > 0) {
    // Upstream makes a new response of it, which fails for a body that has been read.
    if (body !== null) body = new response.constructor(body, response).body
    flat[locationAt] = locationOf(tools, asked, /** @type {string} */ (flat[locationAt]))
  }
  const overrideAt = valueAt(flat, OVERRIDE)
  if (overrideAt > 0) keepFlightHeaders(asked, flat, overrideAt)
  return { status: response.status, headers: flat, body }
}

/**
 * @param {Tools} tools
 * @param {Asked} asked
 * @param {string[]} flat
 * @param {number} at
 */
function setRewrite({ next, NextURL, nextConfig, isPlain }, { url, request, flight }, flat, at) {
  const rewrite = /** @type {string} */ (flat[at])
  const isRsc = flight.some(([name]) => name === 'rsc')
  if (!isRsc && isPlain(rewrite)) return
  const destination = new NextURL(rewrite, { forceLocale: true, headers: {}, nextConfig })
  if (destination.host === request.nextUrl.host) flat[at] = String(destination)
  if (!isRsc) return
  const requestUrl = new NextURL(url, { headers: {}, nextConfig })
  const rscHash = requestUrl.searchParams.get('_rsc')
  requestUrl.searchParams.delete('_rsc')
  const { parseRelativeURL } = next.load('relativizeUrl')
  if (parseRelativeURL(destination.toString(), requestUrl.toString()).isRelative) {
    if (requestUrl.pathname !== destination.pathname) setHeader(flat, 'x-nextjs-rewritten-path', destination.pathname)
    if (requestUrl.search !== destination.search) {
      setHeader(flat, 'x-nextjs-rewritten-query', destination.search.slice(1))
    }
  }
  if (!rscHash) return
  const forwarded = new URL(rewrite)
  if (forwarded.searchParams.has('_rsc')) return
  forwarded.searchParams.set('_rsc', rscHash)
  flat[at] = forwarded.toString()
}

/**
 * @param {Tools} tools
 * @param {Asked} asked
 * @param {string} location
 */
function locationOf({ next, NextURL, nextConfig, isPlain, redirectsKeepOrigin }, { url, input }, location) {
  if (isPlain(location) && isPlain(input)) {
    const end = endOfOrigin(input)
    const isWithin = !redirectsKeepOrigin && location.startsWith(input.slice(0, end + 1))
    return isWithin ? location.slice(end) : location
  }
  const options = { forceLocale: false, headers: {}, nextConfig }
  const redirectUrl = new NextURL(location, options)
  const requestUrl = new NextURL(url, options)
  requestUrl.searchParams.delete('_rsc')
  if (redirectUrl.host !== requestUrl.host) return location
  if (redirectsKeepOrigin) return redirectUrl.toString()
  return next.load('relativizeUrl').getRelativeURL(redirectUrl, requestUrl)
}

/** @param {Asked} asked @param {string[]} flat @param {number} at */
function keepFlightHeaders({ flight }, flat, at) {
  for (const [name, value] of flight) setHeader(flat, REQUEST_PREFIX + name, value)
  flat[at] = [flat[at], ...flight.map(([name]) => name)].join()
}

/** @param {string[]} flat @param {string} name @param {string} value */
function setHeader(flat, name, value) {
  const at = valueAt(flat, name)
  if (at > 0) flat[at] = value
  else flat.push(name, value)
}

/** Where the value of a name stands, -1 without one. @param {string[]} flat @param {string} name */
function valueAt(flat, name) {
  for (let at = 0; at < flat.length; at += 2) if (flat[at] === name) return at + 1
  return -1
}

/** @param {string[]} flat */
const withoutFraming = flat => flat.filter((_, at) => !FRAMING.has(/** @type {string} */ (flat[at - (at % 2)])))

module.exports = { decisionOf }
