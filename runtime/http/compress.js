// In: a response that JavaScript is about to write. Out: the same response, compressed chunk by chunk where the client
// and the content type allow it. Rules: next/dist/compiled/compression; encoders: src/http/encoding.

const { isUint8Array } = require('node:util/types')
const { endWhole } = require('./single-write')

/**
 * Chunks up to this size are compressed on the spot: 32 KiB take about 0.4 ms at the default level, less than a
 * hand-over to another thread and back would delay them. Larger ones leave Node's thread.
 */
const SYNC_LIMIT = 32 * 1024

/** What was planned before. The answers of an app are of few kinds, and to ask Rust again takes 13 us on a busy server. @type {Map<string, string[]>} */
const plans = new Map()

/** Kinds of answers that are remembered: beyond that somebody makes them up. */
const MAX_PLANS = 512

/** The response headers that decide whether and how it is encoded. */
const DECISIVE_HEADERS = ['content-type', 'content-length', 'content-encoding', 'cache-control', 'vary']

/**
 * Makes `res` compress what is written to it from now on. Decides when the headers are about to be sent.
 * @param {typeof import('../native')} native the addon
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 * @param {number} engine the key of the engine, which knows what is preferred to gzip
 */
function compressResponse(native, req, res, engine) {
  const { writeHead, write, end } = /** @type {any} */ (res)
  /** @type {string | undefined} once it is decided; empty when the answer goes out as it is */
  let coding
  /** @type {any} the native encoder of a body that comes in several chunks */
  let encoder = null
  /** @type {Promise<unknown> | null} compression of large chunks that is under way; keeps the order of writes */
  let queue = null
  let ended = false

  /** @param {number} [length] bytes of the whole body, if known */
  const decide = length => {
    if (coding !== undefined) return
    coding = ''
    const headers = []
    for (const name of DECISIVE_HEADERS) {
      const value = res.getHeader(name)
      // What has several types is of none that could be compressed (the package `compressible`).
      if (name === 'content-type' && Array.isArray(value)) continue
      if (value !== undefined) headers.push(name, Array.isArray(value) ? value.join(', ') : String(value))
    }
    const accepted = req.headers['accept-encoding']
    const asked = { accepted: accepted === undefined ? '' : String(accepted), isHead: req.method === 'HEAD' }
    const [vary, chosen] = plan(native, engine, asked, length ?? -1, headers)
    if (vary !== '') res.setHeader('Vary', vary)
    if (chosen === '') return
    coding = chosen
    res.setHeader('Content-Encoding', coding)
    res.removeHeader('Content-Length')
  }

  /** @param {Buffer} bytes all of a body */
  const endInOne = bytes => (endWhole(res, end, bytes) ? res : end.call(res, bytes))

  /** @param {Buffer} chunk @param {boolean} last */
  const encode = (chunk, last) => {
    if (encoder === null && last && chunk.length <= SYNC_LIMIT)
      return endInOne(native.encodeWhole(/** @type {string} */ (coding), chunk))
    encoder ??= new native.Encoder(/** @type {string} */ (coding))
    if (queue === null && chunk.length <= SYNC_LIMIT) {
      const out = encoder.push(chunk, last)
      return last ? end.call(res, out) : out.length === 0 || write.call(res, out)
    }
    const current = encoder
    const previous = queue ?? Promise.resolve()
    const task = previous
      .then(() => current.pushAsync(chunk, last))
      .then(
        out => {
          if (queue === task) queue = null
          if (res.destroyed) return
          if (last) end.call(res, out)
          else if (out.length === 0 || write.call(res, out)) res.emit('drain')
        },
        error => res.destroy(error),
      )
    queue = task
    return last ? res : false
  }

  /** @type {any} */
  const patched = res
  patched.writeHead = (/** @type {any[]} */ ...args) => {
    if (coding === undefined && !res.headersSent) {
      applyHead(res, args)
      decide()
      return writeHead.call(res, res.statusCode)
    }
    return writeHead.apply(res, /** @type {any} */ (args))
  }
  patched.write = (/** @type {any} */ chunk, /** @type {any} */ encoding, /** @type {any} */ callback) => {
    if (!res.headersSent) decide()
    if (!coding) return write.call(res, chunk, encoding, callback)
    const done = typeof encoding === 'function' ? encoding : callback
    const more = encode(toBuffer(chunk, encoding), false)
    if (done) process.nextTick(done)
    return more
  }
  patched.end = (/** @type {any} */ chunk, /** @type {any} */ encoding, /** @type {any} */ callback) => {
    if (ended) return end.call(res, chunk, encoding, callback)
    const body = typeof chunk === 'function' ? undefined : chunk
    if (!res.headersSent)
      decide(
        body == null
          ? 0
          : Buffer.byteLength(
              body,
              typeof encoding === 'string' ? /** @type {BufferEncoding} */ (encoding) : undefined,
            ),
      )
    if (!coding && body == null) return end.call(res, chunk, encoding, callback)
    ended = true
    const done = [chunk, encoding, callback].find(argument => typeof argument === 'function')
    if (done) res.once('finish', done)
    // As bytes: Node would write a text and the headers before it in one go, and the headers in UTF-8.
    const bytes = body == null ? Buffer.alloc(0) : toBuffer(body, encoding)
    return coding ? encode(bytes, true) : endInOne(bytes)
  }
  patched.flush = () => {
    res.flushHeaders()
  }
  const { flushHeaders } = res
  patched.flushHeaders = () => {
    if (!res.headersSent) decide()
    return flushHeaders.call(res)
  }
}

/**
 * How an answer is encoded: the new value of `Vary`, and the coding; each empty if there is none.
 * @param {typeof import('../native')} native
 * @param {number} engine
 * @param {{ accepted: string, isHead: boolean }} asked
 * @param {number} length -1 for a stream
 * @param {string[]} headers
 * @returns {string[]}
 */
function plan(native, engine, { accepted, isHead }, length, headers) {
  const ask = () => native.planEncoding(accepted, isHead, length, headers, engine)
  // Of lengths only their side of the threshold counts.
  const isShort = (/** @type {number} */ bytes) => bytes < native.ENCODING_THRESHOLD
  let key = `${engine}\0${accepted}\0${isHead}\0${length < 0 ? 'stream' : isShort(length)}`
  for (let i = 0; i < headers.length; i += 2) {
    const isLength = headers[i] === 'content-length'
    if (isLength && !/^\d+$/.test(headers[i + 1])) return ask()
    key += `\0${headers[i]}\0${isLength ? isShort(Number(headers[i + 1])) : headers[i + 1]}`
  }
  let planned = plans.get(key)
  if (planned === undefined) {
    planned = /** @type {string[]} */ (ask())
    if (plans.size >= MAX_PLANS) plans.clear()
    plans.set(key, planned)
  }
  return planned
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

/** @param {any} chunk @param {any} encoding @returns {Buffer} */
function toBuffer(chunk, encoding) {
  if (Buffer.isBuffer(chunk)) return chunk
  // The edge sandbox is a realm of its own, with another Uint8Array.
  if (isUint8Array(chunk)) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  return Buffer.from(String(chunk), typeof encoding === 'string' ? /** @type {BufferEncoding} */ (encoding) : 'utf8')
}

module.exports = { compressResponse }
