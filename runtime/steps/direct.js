// In: a page or an error page that the user's server renders by itself (`app.renderToHTML()`, `app.renderError()` …). Out: the page has
// answered, or its HTML. Rules, files, middleware, compression and prepared answers are skipped: the entry writes the whole answer. Upstream:
// renderToHTML, renderError and render404 of next/dist/server.

const { readFile } = require('node:fs/promises')
const path = require('node:path')
const { restoreBody } = require('../http/read-body')
const { NO_FALLBACK, render } = require('../entry/render')
const { headFrom } = require('../http/request-head')
const { NO_STORE, appendDistinct } = require('../http/headers')

/**
 * @typedef {import('../entry/render').Request} Request
 * @typedef {import('../entry/render').Response} Response
 * @typedef {import('../app/state').ServerState} ServerState
 * @typedef {Record<string, any>} Query
 */

/** @typedef {{ text: string, type: string }} Payload a document that has not been sent */

const HTML = 'text/html; charset=utf-8'
const PLAIN_FAILURE = { text: 'Internal Server Error', type: 'text/plain' }

/**
 * The HTML of a page. Newer versions capture what the page writes and leave its headers on `res`; in older ones the page answers the request,
 * and only a static document is returned.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {string} pathname
 * @param {Query | null} [query]
 * @returns {Promise<string | null>}
 */
async function renderToHTML(server, req, res, pathname, query) {
  const url = server.formatUrl({ pathname, query })
  if (server.traits.capturedHtml && !url.startsWith('/')) {
    // A page cannot get a URL that is no path.
    server.logError(
      new TypeError(`app.renderToHTML() takes a path that starts with "/", not ${JSON.stringify(pathname)}`),
    )
    res.statusCode = 500
    return PLAIN_FAILURE.text
  }
  if (!server.traits.capturedHtml) return textOf(await pagePayload(server, req, res, pathname, url, query))
  req.url = url
  const { MockedResponse } = server.next.load('mockRequest')
  const captured = new MockedResponse({ headers: res.getHeaders(), statusCode: res.statusCode, socket: res.socket })
  const payload = await pagePayload(server, req, captured, pathname, url, query)
  if (payload === null && captured.isSent) await captured.hasStreamed
  const headers = captured.getHeaders()
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined) res.setHeader(name, Array.isArray(value) ? value.map(String) : String(value))
  }
  res.statusCode = captured.statusCode
  if (payload !== null) return payload.text
  return captured.buffers.length > 0 ? Buffer.concat(captured.buffers).toString('utf8') : null
}

/**
 * Answers with a page, which gets the URL of the request.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {string} pathname
 * @param {Query | null} [query]
 */
async function renderPage(server, req, res, pathname, query) {
  const url = server.formatUrl({ pathname, query })
  const payload = await pagePayload(server, req, res, pathname, url, query, true)
  if (payload !== null) sendPayload(server, req, res, payload)
}

/**
 * Answers with the error page for `res.statusCode`.
 * @param {ServerState} server
 * @param {unknown} error the error for the page
 * @param {Request} req
 * @param {Response} res
 * @param {Query | null} [query]
 * @param {boolean} [setHeaders] whether the answer must not be stored
 */
async function renderError(server, error, req, res, query, setHeaders = true) {
  await answerError(server, error, req, res, query, setHeaders, false)
}

/**
 * @param {ServerState} server
 * @param {unknown} error
 * @param {Request} req
 * @param {Response} res
 * @param {Query | null | undefined} query
 * @param {boolean} setHeaders
 * @param {boolean} localised
 */
async function answerError(server, error, req, res, query, setHeaders, localised) {
  if (setHeaders) res.setHeader('Cache-Control', NO_STORE)
  const payload = await errorPayload(server, error, req, res, query, localised)
  if (payload !== null) sendPayload(server, req, res, payload)
}

/**
 * Like `renderError`, but a static document is returned. An error page with code answers the request itself.
 * @param {ServerState} server
 * @param {unknown} error
 * @param {Request} req
 * @param {Response} res
 * @param {Query | null} [query]
 */
async function renderErrorToHTML(server, error, req, res, query) {
  return textOf(await errorPayload(server, error, req, res, query))
}

/**
 * Answers with the 404 page, that of the default locale.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {{ query?: any } | null} [parsedUrl]
 * @param {boolean} [setHeaders]
 */
async function render404(server, req, res, parsedUrl, setHeaders = true) {
  res.statusCode = 404
  const query = parsedUrl ? parsedUrl.query : queryOf(req.url ?? '')
  await answerError(server, null, req, res, query, setHeaders, true)
}

/** @param {Payload | null} payload */
const textOf = payload => (payload === null ? null : payload.text)

/** @param {string} url */
const queryOf = url => Object.fromEntries(new URLSearchParams(url.split('?').slice(1).join('?')))

/**
 * @param {ServerState} server
 * @param {Request} req
 * @param {any} res
 * @param {string} pathname
 * @param {string} url what is rendered, with its query
 * @param {Query | null | undefined} query
 * @param {boolean} [asAsked] whether the page gets the URL of the request
 * @returns {Promise<Payload | null>} `null` when the page has answered
 */
async function pagePayload(server, req, res, pathname, url, query, asAsked = !server.traits.capturedHtml) {
  if (typeof pathname !== 'string') {
    const error = new TypeError(`app.renderToHTML() takes a path, not ${pathname}`)
    server.logError(error)
    res.statusCode = 500
    return errorPayload(server, error, req, res, query)
  }
  const step = directPage(server, req, pathname, url)
  if (!step) {
    res.statusCode = 404
    return errorPayload(server, null, req, res, query)
  }
  if (asAsked && req.url !== undefined) step.url = req.url
  const { params = {}, query: own = {} } = step
  for (const [name, value] of Object.entries(query ?? {})) {
    // As given: in the URL numbers are strings. A page with `getStaticProps` has no query.
    if (name in own && !(name in params)) own[name] = value
  }
  try {
    return await run(server, req, res, step, undefined, true)
  } catch (error) {
    const name = /** @type {any} */ (error)?.constructor?.name
    if (name === 'DecodeError' || name === 'NormalizeError') {
      res.statusCode = 400
      return errorPayload(server, error, req, res, query)
    }
    res.statusCode = 500
    server.logError(error)
    return errorPayload(server, error, req, res, query)
  }
}

/**
 * @param {ServerState} server
 * @param {Request} req
 * @param {string} pathname
 * @param {string} url
 */
function directPage(server, { headers, method }, pathname, url) {
  const ask = (/** @type {string} */ path) => server.engine.directPage(headFrom({ method, url: path, headers }))
  const step = ask(url.startsWith('/') ? url : `/${url}`)
  if (step || !/[^/]\/$/.test(pathname)) return step
  // The router removes a trailing slash, and the pattern of a dynamic route accepts it.
  const without = ask(url.replace(/\/(?=\?|$)/, ''))
  if (!without?.params || Object.keys(without.params).length === 0) return null
  without.url = url
  return without
}

/**
 * @param {ServerState} server
 * @param {unknown} error
 * @param {Request} req
 * @param {any} res
 * @param {Query | null | undefined} query
 * @param {boolean} [localised] whether the page has the default locale; otherwise it has none
 * @returns {Promise<Payload | null>}
 */
async function errorPayload(server, error, req, res, query, localised = false) {
  try {
    const { headers, method, url } = req
    const step = server.engine.directError(headFrom({ method, url, headers }), res.statusCode, localised)
    if (!step) throw new Error('missing required error components')
    step.query = { ...query }
    return await run(server, req, res, step, error ?? undefined)
  } catch (fault) {
    server.logError(fault)
    res.statusCode = 500
    return PLAIN_FAILURE
  }
}

/**
 * @param {ServerState} server
 * @param {Request} req
 * @param {any} res
 * @param {any} step
 * @param {unknown} [error]
 * @param {boolean} [isAsked] whether it is the requested page, not an error page
 * @returns {Promise<Payload | null>}
 */
async function run(server, req, res, step, error, isAsked = false) {
  server.filterForwarded?.(req)
  if (req.readableEnded) await restoreBody(req)
  if (step.vary) appendDistinct(res, 'vary', step.vary)
  if (isAsked && !step.edge && (await answersEarly(server, req, res, step))) return null
  if (step.pathname === '/404' || step.pathname === '/_not-found') res.statusCode = 404
  if (step.file.endsWith('.html')) {
    return { text: await readFile(path.join(server.distDir, step.file), 'utf8'), type: HTML }
  }
  // Set above. The entry gets no values of a router.
  Object.assign(step, { vary: undefined, direct: true })
  const outcome = await render(server, req, res, step, error)
  if (outcome === NO_FALLBACK) throw new server.NoFallbackError()
  return null
}

/**
 * Gives the answers that upstream gives before a page runs (`renderToResponseWithComponentsImpl` of base-server.js).
 * @param {ServerState} server
 * @param {Request} req
 * @param {any} res
 * @param {any} step
 */
async function answersEarly(server, req, res, { file, pathname: route, locale, routeKind }) {
  const { headers, method } = req
  const isFile = file.endsWith('.html')
  const pathname = route === '/_not-found' ? '/404' : route
  const isNotFound = pathname === '/404' || (pathname === '/_error' && res.statusCode === 404)
  const isError = isNotFound || pathname === '/500' || pathname === '/_error'
  const isKept = pathname in require(path.join(server.distDir, 'prerender-manifest.json')).routes
  const isPrerendered = isKept || (!isFile && Boolean((await server.entries.load(file)).getStaticProps))
  if (!isPrerendered && headers['x-middleware-prefetch'] && !isError) {
    res.setHeader('x-matched-path', pathname)
    res.setHeader('x-middleware-skip', '1')
    res.setHeader('cache-control', NO_STORE)
    res.end('{}')
    return true
  }
  if (headers['x-nextjs-data'] && (!res.statusCode || res.statusCode === 200)) {
    // Upstream detects the locale of the path, although the page gets none.
    const { locales = [], defaultLocale } = server.config.i18n ?? {}
    const found = locale ?? (locales.includes(pathname.split('/', 2)[1]) ? undefined : defaultLocale)
    res.setHeader('x-nextjs-matched-path', `${found ? `/${found}` : ''}${pathname}`)
  }
  if (method === 'GET' || method === 'HEAD') return false
  const { getIsPossibleServerAction } = server.next.load('serverActions')
  if ((isFile || isPrerendered) && !isError && !getIsPossibleServerAction(req)) {
    res.statusCode = 405
    res.setHeader('Allow', ['GET', 'HEAD'])
    res.end('Method Not Allowed')
    return true
  }
  if (method !== 'OPTIONS' || isNotFound || isFile || routeKind === 'APP_ROUTE') return false
  res.statusCode = 400
  res.end()
  return true
}

/**
 * Sends a document that no entry has sent itself.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {Payload} payload
 */
function sendPayload(server, req, res, { text, type }) {
  if (res.headersSent) return
  const { generateEtags, poweredByHeader } = server.config
  if (poweredByHeader && type === HTML) res.setHeader('X-Powered-By', 'Next.js')
  if (generateEtags) {
    const etag = server.native.etagOfText(text)
    res.setHeader('ETag', etag)
    if (server.next.load('fresh')(req.headers, { etag })) {
      res.statusCode = 304
      res.end()
      return
    }
  }
  if (!res.getHeader('Content-Type')) res.setHeader('Content-Type', type)
  res.setHeader('Content-Length', Buffer.byteLength(text))
  res.end(req.method === 'HEAD' ? undefined : text)
}

module.exports = { PLAIN_FAILURE, sendPayload, renderPage, renderToHTML, renderError, renderErrorToHTML, render404 }
