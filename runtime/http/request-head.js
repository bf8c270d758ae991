// In: Node's request. Out: what crosses to Rust: one string with method, target and headers.

const { IncomingMessage } = require('node:http')
const { OUT_HEADERS } = require('./respond')
const { PUBLIC_ORIGIN } = require('./forwarded-origin')
const { adoptHttp1Headers } = require('./request-patches')

/** @typedef {import('node:http').IncomingMessage & Record<symbol, any>} Request */

/**
 * Node parses `rawHeaders` into `headers` at the first access and keeps the result under this symbol. While it is empty no header can have
 * changed, and joining the raw list is twice as fast as reading the object. Undefined on a Node that keeps it elsewhere; then the object is
 * read, which is always right.
 */
const PARSED_HEADERS = Object.getOwnPropertySymbols(new IncomingMessage(/** @type {any} */ (null))).find(
  symbol => symbol.description === 'kHeaders',
)

/**
 * Method, target and headers, joined by NUL, which none of them can contain, and what the user's server has set on the response.
 * @param {Request} req
 * @param {import('node:http').ServerResponse} res
 */
function headOf(req, res) {
  const head = headOfRequest(req)
  // Nearly every response is untouched.
  const untouched = OUT_HEADERS !== undefined && /** @type {any} */ (res)[OUT_HEADERS] === null
  if (untouched && res.statusCode === 200) return head
  return head + setBefore(res)
}

/**
 * `\0:set \0 status \0 name \0 value …`, see src/request/set_before.rs. `Vary` is joined when the answer is sent.
 * @param {import('node:http').ServerResponse} res
 */
function setBefore(res) {
  let text = `\0:set\0${res.statusCode}`
  // Those of HTTP/2 have no spelling to keep.
  const names = /** @type {any} */ (res).getRawHeaderNames?.() ?? res.getHeaderNames()
  for (const name of /** @type {string[]} */ (names)) {
    const value = res.getHeader(name)
    if (value === undefined || name.toLowerCase() === 'vary') continue
    for (const single of [value].flat()) text += `\0${name}\0${single}`
  }
  return text
}

/** @param {Request} req */
function headOfRequest(req) {
  if (req.httpVersionMajor > 1) {
    adoptHttp1Headers(req)
    // A body needs no header in HTTP/2.
    return withOrigin(req, `${headFrom(req)}\0:method\0${req.method}`)
  }
  if (PARSED_HEADERS !== undefined && req[PARSED_HEADERS] == null) {
    return `${req.method}\0${req.url}\0${req.rawHeaders.join('\0')}`
  }
  return withOrigin(req, headFrom(req))
}

/**
 * Adds the origin that a proxy has named, under a name that no header of a client can have.
 * @param {Request} req
 * @param {string} head
 */
const withOrigin = (req, head) => (req[PUBLIC_ORIGIN] === undefined ? head : `${head}\0:origin\0${req[PUBLIC_ORIGIN]}`)

/**
 * The same from parsed headers.
 * @param {{ method?: string, url?: string, headers: import('node:http').IncomingHttpHeaders }} req
 */
function headFrom({ method, url, headers }) {
  let head = `${method}\0${url}`
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (Array.isArray(value)) for (const single of value) head += `\0${name}\0${single}`
    else if (value !== undefined) head += `\0${name}\0${value}`
  }
  return head
}

/**
 * Applies the URL that the user's server parsed, and may have changed, to `req.url`.
 * @param {Request} req
 * @param {any} parsedUrl the result of `url.parse(req.url, true)`
 * @param {(parsed: any) => string} formatUrl upstream's formatter, for URLs that were changed
 */
function applyParsedUrl(req, parsedUrl, formatUrl) {
  const { pathname, search } = parsedUrl
  // The usual case: parsed and passed on unchanged. `search` wins over `query` in upstream's formatter, so an edited
  // query matters only where there is no search.
  if (
    typeof pathname === 'string' &&
    !parsedUrl.host &&
    !parsedUrl.hostname &&
    !parsedUrl.protocol &&
    !parsedUrl.slashes &&
    !parsedUrl.hash &&
    (search ? pathname + search === req.url : pathname === req.url && isEmpty(parsedUrl.query)) &&
    // A path with `?` or `#` in it is not the result of a parser.
    !MARKS.test(pathname) &&
    (!search || search.charCodeAt(0) === QUESTION_MARK)
  ) {
    return
  }
  req.url = formatUrl(parsedUrl)
}

const QUESTION_MARK = 63
const MARKS = /[?#]/

/** @param {any} query */
function isEmpty(query) {
  if (!query) return true
  if (typeof query === 'string') return false
  for (const _ in query) return false
  return true
}

module.exports = { headOf, headFrom, headOfRequest, applyParsedUrl }
