// In: an answer that Rust has decided. Out: bytes on the socket, by as few calls as possible.

const { createReadStream } = require('node:fs')
const { ServerResponse, validateHeaderName, validateHeaderValue } = require('node:http')
const { isMainThread } = require('node:worker_threads')
const { lengthOf, mergeHeaders } = require('./headers')
const { sendWhole, wholeOf } = require('./single-write')

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {'code' | 'line' | ''} [replaces] what the status replaces of the status line that the user's server has chosen; without it
 *   any but a plain success replaces the code
 * @property {string[]} headers flat: name, value, name, value
 * @property {Buffer | string} [body]
 * @property {Record<string, [string, string | string[]]>} [table] the headers, checked, in the form in which Node keeps them
 * @property {import('./single-write').Whole} [whole] head and body, to be sent as one
 */

/**
 * Where Node keeps the headers of a response that were set one by one: `{ name: [Name, value] }`, `null` while there are
 * none. Node checks each header when it is set and not again when it is sent, so a complete table that was checked once
 * saves two regular expressions per header and request, a tenth of the time of a small answer. Undefined on a Node that
 * keeps them elsewhere. If `writeHead` is patched, headers are set one by one, too.
 */
const OUT_HEADERS = /\[kOutHeaders\]/.test(String(ServerResponse.prototype.writeHead))
  ? Object.getOwnPropertySymbols(new ServerResponse(/** @type {any} */ ({ method: 'GET' }))).find(
      symbol => symbol.description === 'kOutHeaders',
    )
  : undefined

const { writeHead: nodeWriteHead } = ServerResponse.prototype

/** Texts that many answers have in common, such as names of headers. @type {Map<string, string>} */
const common = new Map()

/** Enough for the headers of a site; texts of single pages, such as their `ETag`, pass through. */
const MAX_COMMON = 1024

/**
 * One copy of a text for all answers: each that comes from Rust is a new one, and a page has some twenty.
 * @param {string} text
 */
function shared(text) {
  const known = common.get(text)
  if (known !== undefined) return known
  if (common.size >= MAX_COMMON) common.clear()
  common.set(text, text)
  return text
}

/**
 * Checks the headers of an answer that will be sent often.
 * @param {Answer} answer
 * @returns {Answer}
 */
function checkAnswer(answer) {
  /** @type {Record<string, [string, string | string[]]>} */
  const table = Object.create(null)
  const flat = answer.headers.map(shared)
  for (let i = 0; i < flat.length; i += 2) {
    const name = /** @type {string} */ (flat[i])
    const value = /** @type {string} */ (flat[i + 1])
    validateHeaderName(name)
    validateHeaderValue(name, value)
    const entry = table[name.toLowerCase()]
    if (entry) entry[1] = [entry[1], value].flat()
    else table[name.toLowerCase()] = [name, value]
  }
  /** @type {Answer} */
  const checked = { ...answer, headers: flat, table }
  checked.whole = wholeOf(checked)
  return checked
}

/**
 * Sends a complete answer. Headers that the user's server has set before stay, unless the answer sets the same one; `Vary` is joined.
 * What they change in the answer, Rust has applied (request-head.js).
 * @param {ServerResponse} res
 * @param {Answer} answer
 * @param {boolean} [yields] see `mergeHeaders`
 */
function sendAnswer(res, answer, yields = false) {
  if (res.headersSent) return
  const response = /** @type {any} */ (res)
  const status = statusOf(res, answer)
  if (answer.table && OUT_HEADERS && response[OUT_HEADERS] === null && res.writeHead === nodeWriteHead) {
    if (answer.whole && status === answer.status && sendWhole(response, answer, answer.whole, OUT_HEADERS)) return
    // All responses of this answer share the table. Only Node's own code runs until the headers are sent, and after that Node refuses
    // to change them.
    response[OUT_HEADERS] = answer.table
    res.writeHead(status)
  } else if (res.getHeaderNames().length > 0) {
    mergeHeaders(res, answer.headers, yields)
    res.writeHead(status)
  } else {
    res.writeHead(status, answer.headers)
  }
  res.end(answer.body)
}

/**
 * The status of an answer. A plain success leaves the one that the user's server has chosen.
 * @param {ServerResponse} res
 * @param {{ status: number, replaces?: string }} answer
 */
function statusOf(res, { status, replaces }) {
  if (!replaces && status === 200) return res.statusCode
  // HTTP/2 has no reason phrase, and Node warns when it is read.
  if (replaces === 'line' && !(res.req?.httpVersionMajor > 1) && res.statusMessage) res.statusMessage = ''
  return status
}

/**
 * Sends an answer whose body comes in chunks.
 * @param {ServerResponse} res
 * @param {Answer} head
 * @param {import('../native').Engine} engine
 * @param {number} slot that has the body
 * @param {boolean} [yields] see `mergeHeaders`
 */
async function sendStream(res, head, engine, slot, yields = false) {
  mergeHeaders(res, head.headers, yields)
  res.statusCode = statusOf(res, head)
  const file = READS_DESCRIPTORS ? engine.takeFile(slot) : null
  try {
    if (file) await sendFile(res, file)
    else await sendChunks(res, () => engine.chunk(slot), lengthOf(head.headers))
  } catch (error) {
    // The client has part of a body, or a head that announces one: a truncated body must not look complete.
    res.destroy()
    throw error
  }
}

/**
 * Whether Node sends a file from its descriptor, which takes half the time: its chunks cross no thread of ours. A worker thread would warn
 * of a descriptor that it has not opened.
 */
const READS_DESCRIPTORS = isMainThread && process.platform !== 'win32'

/**
 * Sends a part of an open file at the pace of the client, and closes the file.
 * @param {ServerResponse} res
 * @param {{ fd: number, start: number, length: number }} part
 * @returns {Promise<void>}
 */
function sendFile(res, { fd, start, length }) {
  return new Promise((resolve, reject) => {
    const file = createReadStream('', { fd, start, end: start + length - 1 })
    const close = () => {
      file.destroy()
      resolve()
    }
    if (res.destroyed) return close()
    res.once('close', close)
    file.once('error', reject)
    file.once('end', () => {
      if (file.bytesRead < length) reject(new Error(`A file ended ${length - file.bytesRead} bytes too early.`))
      else res.end()
    })
    file.pipe(res, { end: false })
  })
}

/**
 * Sends a body chunk by chunk, at the pace of the client. A client that disconnects ends it.
 * @param {ServerResponse} res
 * @param {() => Promise<Buffer | null>} nextChunk
 * @param {number} [length] of all chunks, if it is known. A client may close the connection when it has the last byte, and that must not
 *   look like an aborted answer: the last chunk and the end are one write.
 */
async function sendChunks(res, nextChunk, length = Number.NaN) {
  let left = length
  for (;;) {
    const chunk = await nextChunk()
    if (res.destroyed) return
    if (chunk === null) break
    left -= chunk.length
    if (left === 0) {
      res.end(chunk)
      return
    }
    if (!res.write(chunk)) await drained(res)
    if (res.destroyed) return
  }
  res.end()
}

/**
 * Resolves when the client has taken what was written, or has gone away.
 * @param {ServerResponse} res
 * @returns {Promise<void>}
 */
function drained(res) {
  return new Promise(resolve => {
    const done = () => {
      res.off('drain', done)
      res.off('close', done)
      resolve()
    }
    res.on('drain', done)
    res.on('close', done)
  })
}

module.exports = { OUT_HEADERS, checkAnswer, drained, sendAnswer, sendChunks, sendStream, statusOf }
