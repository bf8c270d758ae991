// In: a request whose body middleware may read before the entry does. Out: a copy of the body for middleware, and the complete body for the
// entry: as a stream, at the pace of its reader. A body over the limit is refused with 413, never truncated.
//
// Chunks are taken from Node's parser (`req.push`). While middleware runs they are held back, and the client has to wait unless the copy is
// being read; afterwards they go to the request, the held ones first. Middleware may go on reading its copy while the entry reads the
// request, or answer with it.
// Upstream: next/dist/server/body-streams.js, which reads all of it first and cuts off what is too long.

const { Readable } = require('node:stream')
const { failing, bodyErrorOf } = require('./read-body')
const { passOn, takeBuffered, watchStream } = require('./request-patches')

/**
 * @typedef {object} BodyOptions
 * @property {number} limit bytes that the app allows
 * @property {(isBeingRead: boolean) => void} onTooLarge called once, when the client has sent more; `isBeingRead` when the
 *   entry may be waiting for the rest
 */

/** Bytes that are held without a reader before the client has to wait: what Node itself buffers for a stream. */
const HELD_UNREAD = 16 * 1024

/** @type {WeakMap<object, RequestBody>} */
const BODIES = new WeakMap()

class RequestBody {
  /** @type {any} */
  #req
  /** @type {BodyOptions} */
  #options
  #received = 0
  #holding = false
  /** @type {(Buffer | null)[]} chunks that are held back from the request; `null` is the end */
  #held = []
  #heldBytes = 0
  /** @type {Readable | undefined} */
  #copy
  /** @type {(Buffer | null)[]} chunks that the copy has no room for */
  #waiting = []
  #copyIsFull = false
  #copyHasEnd = false

  /**
   * @param {import('node:http').IncomingMessage} req
   * @param {BodyOptions} options
   */
  constructor(req, options) {
    this.#req = req
    this.#options = options
    watchStream(req, (chunk, encoding) => {
      if (chunk !== null && !this.#isAllowed(chunk.length)) return true
      // No end either: a truncated body must not look complete.
      if (this.#received > options.limit) return true
      if (this.#copy) this.#feed(chunk)
      // The faster of the two readers sets the pace. The limit bounds what the other has not read yet.
      const copyWantsMore = this.#copy !== undefined && !this.#copy.destroyed && !this.#copyIsFull
      if (!this.#holding) return passOn(req, chunk, encoding) || copyWantsMore
      this.#keep(chunk)
      return copyWantsMore || (this.#copy === undefined && this.#heldBytes < HELD_UNREAD)
    })
  }

  /** Whether the client announces more than the app allows. */
  get isAnnouncedTooLarge() {
    return Number(this.#req.headers['content-length']) > this.#options.limit
  }

  /** Holds the body back until `release()`. */
  hold() {
    const req = this.#req
    if (this.#holding) return
    this.#holding = true
    // What arrived before the user's server called the handler.
    const early = takeBuffered(req)
    if (early && this.#isAllowed(early.length)) this.#keep(early)
    if (hasEnd(req)) this.#keep(null)
  }

  /** Passes the held chunks to the request. */
  release() {
    const req = this.#req
    if (!this.#holding) return
    this.#holding = false
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    const ended = hasEnd(req)
    for (const chunk of held) {
      if (!ended) passOn(req, chunk)
      else if (chunk !== null && !req.readableEnded) req.unshift(chunk)
    }
    resume(req)
  }

  /** A stream of the complete body. Upstream's sandbox calls this method. */
  cloneBodyStream() {
    const bodyError = bodyErrorOf(this.#req)
    if (bodyError) return failing(bodyError)
    const copy = new Readable({
      read: () => {
        this.#copyIsFull = false
        while (this.#waiting.length > 0 && !this.#copyIsFull) this.#give(this.#waiting.shift() ?? null)
        if (!this.#copyIsFull) resume(this.#req)
      },
    })
    copy.on('error', ignore)
    this.#req.once('close', () => {
      // Closed before the end, or discarded because it has no other reader.
      if (!this.#copyHasEnd && !this.#waiting.includes(null)) copy.destroy(new Error('aborted'))
    })
    this.#waiting = [...this.#held]
    this.#copy = copy
    return copy
  }

  /** The other name that the sandbox knows. Its work is done by `release()`. */
  finalize() {}

  /** @param {Buffer | null} chunk */
  #keep(chunk) {
    this.#held.push(chunk)
    this.#heldBytes += chunk?.length ?? 0
  }

  /** @param {Buffer | null} chunk */
  #feed(chunk) {
    if (this.#waiting.length > 0 || this.#copyIsFull) this.#waiting.push(chunk)
    else this.#give(chunk)
  }

  /** @param {Buffer | null} chunk */
  #give(chunk) {
    const copy = /** @type {Readable} */ (this.#copy)
    if (chunk === null) this.#copyHasEnd = true
    if (!copy.destroyed) this.#copyIsFull = !copy.push(chunk)
  }

  /** @param {number} bytes @returns {boolean} whether the body is still within the limit */
  #isAllowed(bytes) {
    const before = this.#received
    this.#received += bytes
    const { limit, onTooLarge } = this.#options
    if (this.#received <= limit) return true
    if (before <= limit) {
      this.#held = []
      this.#copy?.destroy(new Error(`The request body is longer than ${limit} bytes`))
      onTooLarge(!this.#holding)
    }
    return false
  }
}

/** @param {any} req @returns {boolean} whether the parser has handed over everything */
const hasEnd = req => req.readableEnded || Boolean(req._readableState?.ended)

/** Lets the client go on sending, as Node's own `_read` does (lib/_http_incoming.js). @param {any} req */
function resume({ socket }) {
  if (socket?.readable && !socket._paused) socket.resume()
}

const ignore = () => {}

/**
 * Watches the body of a request. Every caller gets the same object.
 * @param {import('node:http').IncomingMessage} req
 * @param {BodyOptions} options
 */
function watchBody(req, options) {
  let body = BODIES.get(req)
  if (!body) {
    body = new RequestBody(req, options)
    BODIES.set(req, body)
  }
  return body
}

module.exports = { watchBody, RequestBody }
