// In: a response that an entry, middleware or a proxied server writes. Out: the same object with methods of ours in front of
// Node's. No other file replaces a method of a client's response.
//
// There are three patches. They act in this order, in whatever order they are installed, because each has methods of its own:
//
//   1. cookies       setHeader                                  while headers are set: the cookies of middleware stay
//   2. compression   writeHead, write, end, flush, flushHeaders   when the head is about to be sent: reads the headers that 1 has left, and sets
//                                                                 its own through 1
//   3. single write  no method; the end of 2 calls it            passes head and body to Node at once, if `end` has no other patch
//
// A response takes each patch once. __test__/features/patches.test.mjs tries every combination.

const { isUint8Array } = require('node:util/types')
const { Compression } = require('./compress')
const { endWhole } = require('./single-write')

/**
 * @typedef {import('../entry/render').Request} Request
 * @typedef {import('node:http').ServerResponse} Response
 */

/** The cookies that middleware has set, on the request. */
const MIDDLEWARE_COOKIES = Symbol('ferronext.middlewareCookies')

const HAS_COOKIES = Symbol('ferronext.hasCookies')
const HAS_COMPRESSION = Symbol('ferronext.hasCompression')

/**
 * 1. `Set-Cookie` adds to the cookies of middleware from now on. A header that is set after the head has been sent is ignored: an error page
 * that follows half an answer must not fail because of its headers. Upstream: lib/patch-set-header.js.
 * @param {Request} req
 * @param {Response} res
 */
function joinCookies(req, res) {
  /** @type {any} */
  const patched = res
  if (patched[HAS_COOKIES]) return
  patched[HAS_COOKIES] = true
  const { setHeader } = res
  patched.setHeader = (/** @type {string} */ name, /** @type {any} */ value) => {
    if (res.headersSent) return res
    if (name.toLowerCase() !== 'set-cookie') return setHeader.call(res, name, value)
    const own = typeof value === 'string' ? [value] : Array.isArray(value) ? value : []
    return setHeader.call(res, name, [...new Set([...(req[MIDDLEWARE_COOKIES] ?? []), ...own])])
  }
}

/**
 * 2. The response compresses what is written to it from now on, where the client and the content type allow it.
 * @param {typeof import('../native')} native the addon
 * @param {import('node:http').IncomingMessage} req
 * @param {Response} res
 * @param {number} engine the key of the engine
 */
function compressResponse(native, req, res, engine) {
  /** @type {any} */
  const patched = res
  if (patched[HAS_COMPRESSION]) return
  patched[HAS_COMPRESSION] = true
  const { writeHead, write, end, flushHeaders } = patched
  const endInOne = (/** @type {Buffer} */ bytes) => (endWhole(res, end, bytes) ? res : end.call(res, bytes))
  const compression = new Compression(native, req, res, engine, {
    write: bytes => write.call(res, bytes),
    end: bytes => end.call(res, bytes),
    endWhole: endInOne,
  })
  let ended = false

  patched.writeHead = (/** @type {any[]} */ ...args) => {
    if (compression.isDecided || res.headersSent) return writeHead.apply(res, args)
    applyHead(res, args)
    compression.decide()
    return writeHead.call(res, res.statusCode)
  }
  patched.write = (/** @type {any} */ chunk, /** @type {any} */ encoding, /** @type {any} */ callback) => {
    if (!res.headersSent) compression.decide()
    if (!compression.isOn) return write.call(res, chunk, encoding, callback)
    const done = typeof encoding === 'function' ? encoding : callback
    const more = compression.push(toBuffer(chunk, encoding), false)
    if (done) process.nextTick(done)
    return more
  }
  patched.end = (/** @type {any} */ chunk, /** @type {any} */ encoding, /** @type {any} */ callback) => {
    if (ended) return end.call(res, chunk, encoding, callback)
    const body = typeof chunk === 'function' ? undefined : chunk
    if (!res.headersSent) compression.decide(byteLength(body, encoding))
    if (!compression.isOn && body == null) return end.call(res, chunk, encoding, callback)
    ended = true
    const done = [chunk, encoding, callback].find(argument => typeof argument === 'function')
    if (done) res.once('finish', done)
    // As bytes: Node would write a string and the headers before it in one go, and the headers in UTF-8.
    const bytes = body == null ? Buffer.alloc(0) : toBuffer(body, encoding)
    return compression.isOn ? compression.push(bytes, true) : endInOne(bytes)
  }
  patched.flush = () => {
    res.flushHeaders()
  }
  patched.flushHeaders = () => {
    if (!res.headersSent) compression.decide()
    return flushHeaders.call(res)
  }
}

/**
 * 3. Ends a response with all of its body, for a writer that knows that there is no more: in one write where 2 is not installed, else by 2.
 * @param {Response} res
 * @param {Buffer} bytes
 */
function endInOneWrite(res, bytes) {
  if (!endWhole(res, res.end, bytes)) res.end(bytes)
}

/**
 * Entries set the reason of a status. HTTP/2 has none, and Node warns of it.
 * @param {Response} res
 */
function ignoreReason(res) {
  Object.defineProperty(res, 'statusMessage', { value: '', writable: true, configurable: true })
}

/**
 * Applies the arguments of `writeHead` as single headers, so that the decision sees them.
 * @param {import('node:http').ServerResponse} res
 * @param {any[]} args
 */
function applyHead(res, args) {
  const [status, second, third] = args
  res.statusCode = status
  if (typeof second === 'string') res.statusMessage = second
  const headers = typeof second === 'string' ? third : (second ?? third)
  if (Array.isArray(headers)) {
    // As Node does it: they replace what was set before, but a name may come twice.
    for (let i = 0; i < headers.length; i += 2) res.removeHeader(headers[i])
    for (let i = 0; i < headers.length; i += 2) res.appendHeader(headers[i], headers[i + 1])
  } else if (headers) {
    for (const name of Object.keys(headers)) if (headers[name] !== undefined) res.setHeader(name, headers[name])
  }
}

/** @param {any} body @param {any} encoding */
const byteLength = (body, encoding) =>
  body == null
    ? 0
    : Buffer.byteLength(body, typeof encoding === 'string' ? /** @type {BufferEncoding} */ (encoding) : undefined)

/** @param {any} chunk @param {any} encoding @returns {Buffer} */
function toBuffer(chunk, encoding) {
  if (Buffer.isBuffer(chunk)) return chunk
  // The edge sandbox is a realm of its own, with another Uint8Array.
  if (isUint8Array(chunk)) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  return Buffer.from(String(chunk), typeof encoding === 'string' ? /** @type {BufferEncoding} */ (encoding) : 'utf8')
}

module.exports = { MIDDLEWARE_COOKIES, compressResponse, endInOneWrite, ignoreReason, joinCookies }
