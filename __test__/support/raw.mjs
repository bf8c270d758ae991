// A raw HTTP/1.1 client: sends exactly the bytes it is given, so that hostile targets reach the server as written, and
// keeps what other clients tidy away: header order and repeats, framing, interim answers.
import { connect } from 'node:net'
import { brotliDecompressSync, constants, gunzipSync, inflateSync } from 'node:zlib'
import { decompress as zstdDecompress } from 'fzstd'

/**
 * @typedef {object} RawResponse
 * @property {number} status
 * @property {string} reason
 * @property {[name: string, value: string][]} headers as sent: order, case and repeats
 * @property {Buffer} body after the transfer encoding, before the content encoding
 * @property {Buffer} decoded after the content encoding
 * @property {'length' | 'chunked' | 'close' | 'none'} framing how the end of the body was told
 * @property {boolean} closed the server ended the connection after this answer, as it announced
 * @property {boolean} truncated the connection ended before the body did
 * @property {number} chunks
 * @property {number[]} interim statuses of 1xx answers before this one
 */
/**
 * @typedef {object} RawRequest
 * @property {string} [method]
 * @property {string} [target]
 * @property {[string, string][] | Record<string, string>} [headers] `Host: localhost` is added unless given
 * @property {string | Buffer} [body] Content-Length is added unless a framing header is given
 * @property {Buffer | string} [bytes] the whole request as it is, instead of the fields above
 */

/**
 * @param {RawRequest & { port: number, timeout?: number }} options
 * @returns {Promise<RawResponse>}
 */
export async function sendRaw({ port, timeout, ...request }) {
  const connection = await openConnection({ port, timeout })
  try {
    connection.write(requestBytes(request))
    return await connection.read(methodOf(request))
  } finally {
    connection.close()
  }
}

/** @param {RawRequest} request */
export function methodOf({ method, bytes }) {
  return method ?? (bytes ? (bytes.toString('latin1').split(' ', 1)[0] ?? 'GET') : 'GET')
}

/**
 * @param {RawRequest} request
 * @returns {Buffer}
 */
export function requestBytes({ method = 'GET', target = '/', headers = [], body, bytes }) {
  if (bytes !== undefined) return typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
  const list = Array.isArray(headers) ? [...headers] : Object.entries(headers)
  const has = (/** @type {string} */ name) => list.some(([key]) => key.toLowerCase() === name)
  if (!has('host')) list.unshift(['Host', 'localhost'])
  const payload = body === undefined ? undefined : Buffer.from(body)
  if (payload && !has('content-length') && !has('transfer-encoding')) {
    list.push(['Content-Length', String(payload.length)])
  }
  const head = `${method} ${target} HTTP/1.1\r\n${list.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  // latin1 keeps every code unit below 256 one byte: a target can hold any byte.
  return Buffer.concat([Buffer.from(head, 'latin1'), payload ?? Buffer.alloc(0)])
}

/**
 * One socket for several requests in turn, or pipelined.
 *
 * @param {{ port: number, timeout?: number }} options `timeout` in ms counts for every read
 */
export async function openConnection({ port, timeout = 15_000 }) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const input = new Input(socket, timeout)
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return {
    /** @param {Buffer | string} bytes */
    write: bytes => void socket.write(bytes),
    /** @param {string} [method] decides whether a body follows */
    read: (method = 'GET') => readResponse(input, method),
    /** @param {number} size waits for the first bytes of an answer that is going to be abandoned */
    readSome: size => input.exactly(size),
    close: () => void socket.destroy(),
  }
}

/**
 * @param {Input} input
 * @param {string} method
 * @returns {Promise<RawResponse>}
 */
async function readResponse(input, method) {
  /** @type {number[]} */
  const interim = []
  for (;;) {
    const { status, reason, headers } = await readHead(input)
    if (status >= 100 && status < 200 && status !== 101) {
      interim.push(status)
      continue
    }
    const value = (/** @type {string} */ name) => headers.find(([key]) => key.toLowerCase() === name)?.[1]
    const bodyless = method === 'HEAD' || status === 204 || status === 304 || status === 101
    const payload = bodyless
      ? { framing: /** @type {const} */ ('none'), body: Buffer.alloc(0), chunks: 0, truncated: false }
      : await readBody(input, value('transfer-encoding'), value('content-length'))
    let closed = payload.framing === 'close'
    // A server that announces the end of the connection must bring it: wait for that, do not believe it.
    if (value('connection')?.toLowerCase() === 'close') closed = await input.end()
    const decoded = bodyless || payload.truncated ? payload.body : decode(payload.body, value('content-encoding'))
    return { status, reason, headers, ...payload, decoded, closed, interim }
  }
}

/** @param {Input} input */
async function readHead(input) {
  const statusLine = await input.line()
  const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine)
  if (!match) throw new Error(`not a status line: ${JSON.stringify(statusLine.slice(0, 200))}`)
  /** @type {[string, string][]} */
  const headers = []
  for (;;) {
    const line = await input.line()
    if (line === '') return { status: Number(match[1]), reason: match[2] ?? '', headers }
    const colon = line.indexOf(':')
    headers.push([line.slice(0, colon), line.slice(colon + 1).trim()])
  }
}

/**
 * @param {Input} input
 * @param {string | undefined} transferEncoding
 * @param {string | undefined} contentLength
 * @returns {Promise<Pick<RawResponse, 'framing' | 'body' | 'chunks' | 'truncated'>>}
 */
async function readBody(input, transferEncoding, contentLength) {
  if (transferEncoding?.toLowerCase() === 'chunked') {
    /** @type {Buffer[]} */
    const parts = []
    let truncated = false
    try {
      for (;;) {
        const size = Number.parseInt(await input.line(), 16)
        if (Number.isNaN(size)) throw new Error('bad chunk size')
        if (size === 0) break
        parts.push(await input.exactly(size))
        await input.line()
      }
      while ((await input.line()) !== '') {} // trailers
    } catch (error) {
      if (!(error instanceof ConnectionEnded)) throw error
      truncated = true
    }
    return { framing: 'chunked', body: Buffer.concat(parts), chunks: parts.length, truncated }
  }
  if (contentLength !== undefined) {
    try {
      return { framing: 'length', body: await input.exactly(Number(contentLength)), chunks: 0, truncated: false }
    } catch (error) {
      if (!(error instanceof ConnectionEnded)) throw error
      return { framing: 'length', body: input.rest(), chunks: 0, truncated: true }
    }
  }
  await input.end()
  return { framing: 'close', body: input.rest(), chunks: 0, truncated: false }
}

/**
 * @param {Buffer} body
 * @param {string | undefined} encoding
 */
function decode(body, encoding) {
  // What was sent before an abort still decodes as far as it goes.
  const options = { finishFlush: constants.Z_SYNC_FLUSH }
  if (body.length === 0) return body
  if (encoding === 'gzip') return gunzipSync(body, options)
  if (encoding === 'deflate') return inflateSync(body, options)
  if (encoding === 'br') return brotliDecompressSync(body)
  // Node itself has it from 22.15 on.
  if (encoding === 'zstd') return Buffer.from(zstdDecompress(body))
  return body
}

class ConnectionEnded extends Error {}

/** Bytes as they arrive, read as lines and lengths. */
class Input {
  #buffer = Buffer.alloc(0)
  #ended = false
  /** @type {Error | undefined} */
  #error
  /** @type {(() => void) | undefined} */
  #wake
  #timeout

  /**
   * @param {import('node:net').Socket} socket
   * @param {number} timeout
   */
  constructor(socket, timeout) {
    this.#timeout = timeout
    socket.on('data', data => {
      this.#buffer = Buffer.concat([this.#buffer, data])
      this.#wake?.()
    })
    const end = (/** @type {Error | undefined} */ error) => {
      this.#ended = true
      this.#error ??= error
      this.#wake?.()
    }
    socket.on('end', () => end(undefined))
    socket.on('close', () => end(undefined))
    socket.on('error', end)
  }

  async line() {
    for (let from = 0; ; ) {
      const index = this.#buffer.indexOf('\n', from)
      if (index >= 0) {
        const text = this.#buffer.toString('latin1', 0, index)
        this.#buffer = this.#buffer.subarray(index + 1)
        return text.endsWith('\r') ? text.slice(0, -1) : text
      }
      from = this.#buffer.length
      await this.#more()
    }
  }

  /** @param {number} size */
  async exactly(size) {
    while (this.#buffer.length < size) await this.#more()
    const part = this.#buffer.subarray(0, size)
    this.#buffer = this.#buffer.subarray(size)
    return part
  }

  /** @returns {Promise<boolean>} waits for the end of the connection; false if it does not come in time */
  async end() {
    try {
      for (;;) await this.#more()
    } catch (error) {
      return error instanceof ConnectionEnded
    }
  }

  rest() {
    const part = this.#buffer
    this.#buffer = Buffer.alloc(0)
    return part
  }

  /** @returns {Promise<void>} */
  #more() {
    if (this.#ended) {
      return Promise.reject(new ConnectionEnded(`connection ended${this.#error ? `: ${this.#error.message}` : ''}`))
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing received for ${this.#timeout} ms`)), this.#timeout)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
    })
  }
}
