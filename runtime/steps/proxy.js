// In: a request that a rewrite sends to another server. Out: that server's answer. Rust owns the connections and what goes
// over them (src/source/proxy); this file moves bodies between Node's streams and it, at the pace of the slower side.
// Upstream: next/dist/server/lib/router-utils/proxy-request.js.

const { parse } = require('node:url')
const { openClientSpan } = require('../observe/spans')
const { groupHeaders, lengthOf } = require('../http/headers')
const { bodyErrorOf } = require('../http/read-body')
const { report } = require('../observe/report')
const { sendAnswer, sendChunks } = require('../http/respond')

/**
 * @typedef {import('../entry/render').Request} Request
 * @typedef {import('../entry/render').Response} Response
 * @typedef {import('../app/state').ServerState} ServerState
 */

/** Upstream's body when the proxied server does not answer. */
const NO_ANSWER = Buffer.from('Internal Server Error')

/**
 * Sends the request in `slot` to `target` and the answer to the client.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {number} slot
 * @param {{ headers: string[] }} step
 * @param {Target} target
 * @param {import('node:stream').Readable} [body] of the request, if `req` has been read already
 */
async function proxyRequest(server, req, res, slot, step, target, body = req) {
  if (res.destroyed) return
  // A request without its body would be another request.
  const bodyError = body === req ? bodyErrorOf(req) : undefined
  if (bodyError) {
    report('error', `Failed to proxy ${target.href} ${bodyError.code}: ${bodyError.message}`)
    return sendAnswer(res, { status: 500, headers: step.headers, body: NO_ANSWER })
  }
  const span = openClientSpan(server, req, target)
  const exchange = server.engine.exchange(slot, {
    ...target,
    ...(target.encrypted ? trust() : PLAIN),
    headers: span?.headers,
  })
  const cancel = () => exchange.cancel()
  res.on('close', cancel)
  try {
    if (exchange.hasBody) upload(exchange, body)
    else exchange.finish()
    const head = await exchange.respond()
    span?.answered(head.status)
    if (res.destroyed) return
    // If the user's server has sent a head, only the body follows.
    if (!res.headersSent) {
      writeHead(req, res, step.headers)
      writeHead(req, res, head.headers)
      res.statusCode = head.status
      if (head.reason && req.httpVersionMajor < 2) res.statusMessage = head.reason
    }
    await sendChunks(res, () => exchange.chunk(), lengthOf(head.headers))
    // The connection to the server is free when its end has been read, which may be after the client's.
    res.off('close', cancel)
    if (res.writableEnded) await exchange.chunk().catch(() => {})
  } catch (error) {
    span?.failed(error)
    if (res.destroyed) return
    // One line without a stack: the other server has failed, not the app.
    report('error', `Failed to proxy ${target.href} ${error}`)
    // A truncated answer must not look complete.
    if (res.headersSent) res.destroy()
    else sendAnswer(res, { status: 500, headers: step.headers, body: NO_ANSWER })
  } finally {
    span?.end()
    res.off('close', cancel)
    exchange.cancel()
    // An unread body must not block the client's next request.
    if (!body.readableEnded && !body.destroyed) body.resume()
  }
}

/** A connection that is not encrypted has no certificates. */
const PLAIN = { trustsAnyone: false }

/** The certificates that Node would trust for a connection of its own. */
const trust = () => ({
  trustsAnyone: process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0',
  extraCaCerts: process.env.NODE_EXTRA_CA_CERTS,
})

/**
 * Uploads the body, one chunk at a time.
 * @param {any} exchange
 * @param {import('node:stream').Readable} body
 */
function upload(exchange, body) {
  const stop = () => {
    body.off('data', onData)
    body.off('end', onEnd)
    body.off('close', onClose)
  }
  /** The chunk that is being sent. Node may emit `end` meanwhile, even if the stream is paused. */
  let pushed = Promise.resolve()
  const onEnd = () => {
    stop()
    pushed.then(() => exchange.finish(), onClose)
  }
  const onClose = () => {
    stop()
    // A truncated body must not look complete to the other server.
    exchange.cancel()
  }
  const onData = (/** @type {Buffer | string} */ chunk) => {
    body.pause()
    pushed = exchange
      .push(typeof chunk === 'string' ? Buffer.from(chunk, body.readableEncoding ?? 'utf8') : chunk)
      .then((/** @type {boolean} */ wanted) => {
        if (!wanted) stop()
        body.resume()
      })
    pushed.catch(onClose)
  }
  // It has been read already, by a body parser for instance.
  if (body.readableEnded) return onEnd()
  body.on('end', onEnd)
  body.on('close', onClose)
  body.on('data', onData)
}

/**
 * Sets headers on the response. Each replaces what was there before, except that several of one name stay together.
 * @param {Request} req
 * @param {Response} res
 * @param {string[]} headers flat list
 */
function writeHead(req, res, headers) {
  for (const [name, value] of groupHeaders(headers)) {
    // Only HTTP/1.1 has chunks: before it a body ends with the connection, after it with a frame.
    if (name === 'transfer-encoding' && req.httpVersion !== '1.1') continue
    res.setHeader(name, value)
  }
}

/**
 * @typedef {object} Target
 * @property {boolean} encrypted
 * @property {string} hostname an IPv6 address in brackets
 * @property {number} port
 * @property {string} host hostname, with the port unless it is the usual one
 * @property {string} path path and search
 * @property {string} href for the log
 */

/**
 * The parser of one version of Next.js. It throws when the text is no URL, as upstream does.
 * @param {Record<string, boolean>} traits
 * @returns {(text: string) => Target}
 */
function targetParser({ legacyProxyTargets, collapsedProxySlashes }) {
  return text => {
    const { protocol, hostname, port, host, pathname, search, href } = new URL(text)
    const encrypted = protocol === 'https:'
    const target = {
      encrypted,
      hostname,
      port: Number(port) || (encrypted ? 443 : 80),
      host,
      path: pathname + search,
      href,
    }
    if (legacyProxyTargets) {
      const legacy = parse(text)
      // If the two parsers see different servers, the URL is an attack on one of them.
      if (legacy.hostname !== hostname.replace(/^\[(.*)\]$/, '$1')) throw new TypeError(`Invalid URL: ${text}`)
      target.path = legacy.path || '/'
      target.href = text
    }
    if (collapsedProxySlashes) {
      const [path, ...rest] = target.path.split('?')
      target.path = [path.replace(/\/+/g, '/'), ...rest].join('?')
    }
    return target
  }
}

module.exports = { proxyRequest, targetParser }
