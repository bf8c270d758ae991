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

/** What upstream says in place of an answer that there is not. */
const NO_ANSWER = Buffer.from('Internal Server Error')

/**
 * Sends the request in `slot` to `target` and the answer to the client.
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {number} slot
 * @param {{ headers: string[] }} step
 * @param {Target} target
 * @param {import('node:stream').Readable} [body] of the request, when somebody else has read `req`
 */
async function proxyRequest(server, req, res, slot, step, target, body = req) {
  if (res.destroyed) return
  // Without its body it would be another request.
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
    // A head that the user's server has sent is the answer's; the body is still to come.
    if (!res.headersSent) {
      writeHead(req, res, step.headers)
      writeHead(req, res, head.headers)
      res.statusCode = head.status
      if (head.reason && req.httpVersionMajor < 2) res.statusMessage = head.reason
    }
    await sendChunks(res, () => exchange.chunk(), lengthOf(head.headers))
    // The connection is free for the next request once its end has been seen, which need not be before the client's.
    res.off('close', cancel)
    if (res.writableEnded) await exchange.chunk().catch(() => {})
  } catch (error) {
    span?.failed(error)
    if (res.destroyed) return
    // One line and no stack: what failed is the other server, and no code of the app's.
    report('error', `Failed to proxy ${target.href} ${error}`)
    // What was announced cannot be delivered, and must not look as if it had been.
    if (res.headersSent) res.destroy()
    else sendAnswer(res, { status: 500, headers: step.headers, body: NO_ANSWER })
  } finally {
    span?.end()
    res.off('close', cancel)
    exchange.cancel()
    // Whatever the server did not want to read must not keep the client's next request waiting.
    if (!body.readableEnded && !body.destroyed) body.resume()
  }
}

/** A connection that is not encrypted trusts whom it reaches. */
const PLAIN = { trustsAnyone: false }

/** What Node would trust if the connection were its own. */
const trust = () => ({
  trustsAnyone: process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0',
  extraCaCerts: process.env.NODE_EXTRA_CA_CERTS,
})

/**
 * Hands the body over, one chunk at a time.
 * @param {any} exchange
 * @param {import('node:stream').Readable} body
 */
function upload(exchange, body) {
  const stop = () => {
    body.off('data', onData)
    body.off('end', onEnd)
    body.off('close', onClose)
  }
  /** The chunk that is on its way. Node may tell the end while it still is, even of a stream that is paused. */
  let pushed = Promise.resolve()
  const onEnd = () => {
    stop()
    pushed.then(() => exchange.finish(), onClose)
  }
  const onClose = () => {
    stop()
    // Half a body: the other server must not take it for a whole one.
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
  // Somebody has read it already, a body parser for instance: there is nothing left to send.
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
      // Where the two parsers see different servers, somebody is trying to fool one of them.
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
