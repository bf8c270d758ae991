// In: a request with a body that middleware or an edge function may read. Out: a body with a limit: a client that sends more than
// `experimental.proxyClientMaxBodySize` gets 413. Upstream truncates the body instead, so that middleware and pages work with part of it
// (next/dist/server/body-streams.js).

const { openLog } = require('../observe/report')
const { watchBody } = require('./request-body')
const { abortStream } = require('./request-patches')
const { sendAnswer } = require('./respond')

/** Upstream's default of `experimental.proxyClientMaxBodySize` (next/dist/server/config-shared.js). */
const DEFAULT_LIMIT = 10 * 1024 * 1024

/**
 * How long a client may go on sending after the answer, in ms. To close a connection while bytes arrive resets it, and the reset can
 * overtake the answer (RFC 9112, section 9.6).
 */
const LINGER = 2000

/** Requests that were refused. Later errors of theirs are not reported. @type {WeakSet<object>} */
const REFUSED = new WeakSet()

/**
 * The body of a request, or `null` when it has been refused because of its announced length.
 * @param {import('../app/state').ServerState} server
 * @param {import('../entry/render').Request} req
 * @param {import('../entry/render').Response} res
 */
function limitBody(server, req, res) {
  const { proxyClientMaxBodySize, middlewareClientMaxBodySize } = server.config.experimental
  const limit = proxyClientMaxBodySize ?? middlewareClientMaxBodySize ?? DEFAULT_LIMIT
  const refuse = (/** @type {boolean} */ isBeingRead) => {
    if (REFUSED.has(req)) return
    REFUSED.add(req)
    const size = server.next.load('bytes').format(limit)
    openLog(server.next).warn(
      `${req.method} ${req.url} was refused: its body is larger than ${size}. Raise \`experimental.proxyClientMaxBodySize\` in next.config to allow it.`,
    )
    if (isBeingRead) {
      // Its reader waits for an end that will not come.
      if (res.headersSent) req.destroy()
      else res.once('finish', () => abandon(req))
    }
    const headers = ['Content-Type', 'text/plain; charset=utf-8']
    sendAnswer(res, { status: 413, headers, body: Buffer.from(`Body exceeded ${size} limit`) })
  }
  const body = watchBody(req, { limit, onTooLarge: refuse })
  if (!body.isAnnouncedTooLarge) return body
  refuse(false)
  return null
}

/**
 * Ends a request for its readers. The client may go on sending: the rest is discarded, and the next request may follow.
 * @param {import('../entry/render').Request} req
 */
function abandon(req) {
  const { socket } = req
  abortStream(req)
  if (req.complete) return
  setTimeout(() => {
    if (!req.complete) socket.destroy()
  }, LINGER).unref()
}

/** @param {import('../entry/render').Request} req */
const isRefused = req => REFUSED.has(req)

module.exports = { limitBody, isRefused }
