// In: the headers and the chunks of a response that JavaScript writes. Out: whether it is compressed, and its chunks under a content coding.
// Rules: next/dist/compiled/compression; encoders: src/http/encoding. response-patches.js puts this between the writer and the response.

/**
 * Chunks up to this size are compressed on the spot: 32 KiB take about 0.4 ms at the default level, less than a
 * hand-over to another thread and back would delay them. Larger ones leave Node's thread.
 */
const SYNC_LIMIT = 32 * 1024

/** What Rust has planned before: the answers of an app are of few kinds, and a call takes 13 us on a busy server. @type {Map<string, string[]>} */
const plans = new Map()

/** Kinds of answers that are kept. More than that are made up by a client. */
const MAX_PLANS = 512

/** The response headers that decide whether and how it is encoded. */
const DECISIVE_HEADERS = ['content-type', 'content-length', 'content-encoding', 'cache-control', 'vary']

/** The compression of one response. */
class Compression {
  #native
  #req
  #res
  #engine
  #next
  /** Set by `decide()`; empty if the response is not compressed. @type {string | undefined} */
  #coding
  /** The native encoder of a body that comes in several chunks. @type {any} */
  #encoder = null
  /** Compression of large chunks that is under way; keeps the order of writes. @type {Promise<unknown> | null} */
  #queue = null

  /**
   * @param {typeof import('../native')} native
   * @param {import('node:http').IncomingMessage} req
   * @param {import('node:http').ServerResponse} res
   * @param {number} engine the key of the engine, which knows which codings come before gzip
   * @param {{ write: (bytes: Buffer) => boolean, end: (bytes: Buffer) => any, endWhole: (bytes: Buffer) => any }} next where the bytes go
   */
  constructor(native, req, res, engine, next) {
    this.#native = native
    this.#req = req
    this.#res = res
    this.#engine = engine
    this.#next = next
  }

  /** Whether chunks have to be encoded. */
  get isOn() {
    return Boolean(this.#coding)
  }

  get isDecided() {
    return this.#coding !== undefined
  }

  /**
   * Decides by the headers, once, when they are about to be sent, and changes them.
   * @param {number} [length] bytes of the whole body, if known
   */
  decide(length) {
    if (this.#coding !== undefined) return
    this.#coding = ''
    const res = this.#res
    const headers = []
    for (const name of DECISIVE_HEADERS) {
      const value = res.getHeader(name)
      // Several types are none that could be compressed (the package `compressible`).
      if (name === 'content-type' && Array.isArray(value)) continue
      if (value !== undefined) headers.push(name, Array.isArray(value) ? value.join(', ') : String(value))
    }
    const accepted = this.#req.headers['accept-encoding']
    const asked = { accepted: accepted === undefined ? '' : String(accepted), isHead: this.#req.method === 'HEAD' }
    const [vary, coding] = plan(this.#native, this.#engine, asked, length ?? -1, headers)
    if (vary !== '') res.setHeader('Vary', vary)
    if (coding === '') return
    this.#coding = coding
    res.setHeader('Content-Encoding', coding)
    res.removeHeader('Content-Length')
  }

  /**
   * Encodes a chunk and passes it on.
   * @param {Buffer} chunk
   * @param {boolean} last
   */
  push(chunk, last) {
    const coding = /** @type {string} */ (this.#coding)
    const { write, end, endWhole } = this.#next
    if (this.#encoder === null && last && chunk.length <= SYNC_LIMIT)
      return endWhole(this.#native.encodeWhole(coding, chunk))
    this.#encoder ??= new this.#native.Encoder(coding)
    if (this.#queue === null && chunk.length <= SYNC_LIMIT) {
      const out = this.#encoder.push(chunk, last)
      return last ? end(out) : out.length === 0 || write(out)
    }
    const res = this.#res
    const encoder = this.#encoder
    const task = (this.#queue ?? Promise.resolve())
      .then(() => encoder.pushAsync(chunk, last))
      .then(
        out => {
          if (this.#queue === task) this.#queue = null
          if (res.destroyed) return
          if (last) end(out)
          else if (out.length === 0 || write(out)) res.emit('drain')
        },
        error => res.destroy(error),
      )
    this.#queue = task
    return last ? res : false
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

module.exports = { Compression }
