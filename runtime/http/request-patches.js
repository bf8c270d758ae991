// In: a client's request. Out: the same object with parts of ours instead of Node's, so that all of its users see the same request. No other
// file replaces a part of a client's request, except values of its headers.
//
// The two patches of the body, in the order in which they are applied to a request:
//
//   1. restored stream  the state of the stream   before routing, if the user's server has read the body: it can be read again
//   2. watched stream   push, later _destroy      before middleware and edge functions: chunks are counted and may be held back
//
// 1 comes first, because 2 looks at what the stream holds when it is applied. 1 fills the stream past `push`: all of these bytes have arrived,
// and the limit of 2 applies to the length that the request announces. A request is watched once; it is restored whenever it has been read.
// __test__/features/patches.test.mjs tries every combination.

const { Readable } = require('node:stream')

/** @typedef {import('../entry/render').Request} Request */

/** Marks an HTTP/2 request that has the headers of one of HTTP/1. */
const HAS_HEADERS = Symbol('ferronext.hasHeaders')

/**
 * Gives a request of Node's HTTP/2 compatibility API the headers that an HTTP/1 request has, because compiled entries read
 * nothing else: no pseudo headers, `host` from `:authority`, one line of cookies, and an object with a prototype.
 * @param {Request} req
 */
function adoptHttp1Headers(req) {
  if (req[HAS_HEADERS]) return
  req[HAS_HEADERS] = true
  /** @type {import('node:http').IncomingHttpHeaders} */
  const headers = {}
  for (const name of Object.keys(req.headers)) if (!name.startsWith(':')) headers[name] = req.headers[name]
  headers.host ??= /** @type {any} */ (req).authority
  Object.defineProperty(req, 'headers', { value: headers, writable: true, enumerable: true, configurable: true })
}

/**
 * 1. A stream that was read to its end can be read again.
 * @param {Request} req
 * @param {Buffer} bytes its body
 */
function restoreStream(req, bytes) {
  // These listeners have had the body. A server that collects a body and never removes its listeners would call the app again.
  for (const event of ['data', 'end', 'readable']) req.removeAllListeners(event)
  // A request is closed once.
  const options = { autoDestroy: false, emitClose: false }
  Object.assign(req, { _readableState: new /** @type {any} */ (Readable).ReadableState(options, req, false) })
  if (bytes.length > 0) passOn(req, bytes)
  passOn(req, null)
}

/**
 * 2. Chunks go to `take` where Node's parser hands them over: it looks `push` up on the request for each chunk (lib/_http_common.js,
 * parserOnBody).
 * @param {any} req
 * @param {(chunk: Buffer | null, encoding: any) => boolean} take returns whether the client may go on sending
 */
function watchStream(req, take) {
  req.push = take
}

/**
 * Gives a chunk of a watched stream to its readers; `null` is the end.
 * @param {import('node:http').IncomingMessage} req
 * @param {Buffer | null} chunk
 * @param {any} [encoding]
 */
const passOn = (req, chunk, encoding) => Readable.prototype.push.call(req, chunk, encoding)

/**
 * Takes what a stream holds already out of it, so that it can go back before anyone notices.
 * @param {any} req
 * @returns {Buffer | null}
 */
function takeBuffered(req) {
  if (req.readableLength === 0 || req.readableFlowing) return null
  const { _consuming, _readableState } = req
  // To read exactly what is there does not end the stream.
  const bytes = req.read(req.readableLength)
  // Otherwise Node would not discard an unread body (lib/_http_server.js, resOnFinish), and `new Request()` would refuse
  // a body that has been read from (stream.isDisturbed).
  req._consuming = _consuming
  _readableState.dataEmitted = false
  return bytes
}

/**
 * Ends a watched stream for its readers, and leaves the connection to the client that still sends.
 * @param {Request} req
 */
function abortStream(req) {
  req._destroy = (error, done) => {
    req.aborted = true
    req.emit('aborted')
    // As Node's own does: an error without a listener is none.
    process.nextTick(() => done(req.listenerCount('error') > 0 ? error : null))
  }
  req.destroy(new Error('aborted'))
}

module.exports = { abortStream, passOn, restoreStream, takeBuffered, adoptHttp1Headers, watchStream }
