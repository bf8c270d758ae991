// In: an answer that Rust has decided. Out: bytes on the socket, by as few calls as possible.

const { createReadStream } = require('node:fs')
const { ServerResponse, validateHeaderName, validateHeaderValue } = require('node:http')
const { isMainThread } = require('node:worker_threads')
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

/** What nobody may keep: this value is set whatever the response had before. */
const NO_STORE = 'private, no-cache, no-store, max-age=0, must-revalidate'

/**
 * Where Node keeps the headers of a response that were set one by one: `{ name: [Name, value] }`, `null` while there are
 * none. Node checks each header when it is set and not again when it is sent, so a complete table that was checked once
 * saves two regular expressions per header and request, a tenth of the time of a small answer. Undefined on a Node that
 * keeps them elsewhere, and when somebody has replaced `writeHead`: then headers go through the front door.
 */
const OUT_HEADERS = /\[kOutHeaders\]/.test(String(ServerResponse.prototype.writeHead))
  ? Object.getOwnPropertySymbols(new ServerResponse(/** @type {any} */ ({ method: 'GET' }))).find(
      symbol => symbol.description === 'kOutHeaders',
    )
  : undefined

const { writeHead: nodeWriteHead } = ServerResponse.prototype

/**
 * Checks the headers of an answer that will be sent often, once.
 * @param {Answer} answer
 * @returns {Answer}
 */
function checkAnswer(answer) {
  /** @type {Record<string, [string, string | string[]]>} */
  const table = Object.create(null)
  for (let i = 0; i < answer.headers.length; i += 2) {
    const name = answer.headers[i]
    const value = answer.headers[i + 1]
    validateHeaderName(name)
    validateHeaderValue(name, value)
    const entry = table[name.toLowerCase()]
    if (entry) entry[1] = [entry[1], value].flat()
    else table[name.toLowerCase()] = [name, value]
  }
  /** @type {Answer} */
  const checked = { ...answer, table }
  checked.whole = wholeOf(checked)
  return checked
}

/**
 * Sends a complete answer. Headers that the user's server has set before stay, unless the answer sets the same one; `Vary` is joined.
 * What of it bears on the answer, Rust was told (request.js), and has said so in the answer.
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
    // The table is shared by all responses of this answer. Nothing but Node's own code runs until the headers are
    // sent, and after that Node refuses to change them.
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
  // HTTP/2 has no reason phrase, and Node warns of whoever looks for one.
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
    // The client has the beginning of a body, or a head that promises it: that there is no more must not look like its end.
    res.destroy()
    throw error
  }
}

/**
 * Whether a file goes from its descriptor to the client by Node's own means, which takes half the time: its chunks cross no further
 * thread. A worker thread would warn of a descriptor that it has not opened.
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
 * Sends a body chunk by chunk, at the pace of the client. A client that goes away ends it.
 * @param {ServerResponse} res
 * @param {() => Promise<Buffer | null>} nextChunk
 * @param {number} [length] of all chunks, if it is known. A client that has the last byte may go away, and whoever watches the response would
 *   take that for an answer that was broken off: the last chunk and the end are one.
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
 * What a flat list of headers says of the length of the body; `NaN` where it says nothing.
 * @param {string[]} headers
 */
function lengthOf(headers) {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length')
  return at < 0 ? Number.NaN : Number(headers[at + 1])
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

/**
 * Sets headers in the place of what the response has under their names, but for `Vary`.
 * @param {ServerResponse} res
 * @param {string[]} headers flat list
 * @param {boolean} [yields] whether `Content-Type` and `Cache-Control` leave their place to what an entry has set (send-payload.js)
 */
function mergeHeaders(res, headers, yields = false) {
  if (headers.length === 0) return
  /** @type {Set<string>} names this list has set itself: a repeat is a second line, not a replacement */
  const own = new Set()
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]
    const value = headers[i + 1]
    const lower = name.toLowerCase()
    // All at once, because a cookie that is set joins those of middleware (request-headers.js).
    if (lower === 'set-cookie') {
      if (!own.has(lower)) res.setHeader(name, valuesOf(headers, lower))
    } else if (own.has(lower)) res.appendHeader(name, value)
    else if (lower === 'vary') addVary(res, name, value)
    else if (!yields || !yieldsToEntry(lower, value) || !res.hasHeader(name)) res.setHeader(name, value)
    own.add(lower)
  }
}

/**
 * @param {string[]} headers flat list
 * @param {string} lower a name in lower case
 */
function valuesOf(headers, lower) {
  return headers.filter((_, at) => at % 2 === 1 && headers[at - 1].toLowerCase() === lower)
}

/**
 * @param {string} name
 * @param {string} value
 */
const yieldsToEntry = (name, value) => name === 'content-type' || (name === 'cache-control' && value !== NO_STORE)

/**
 * Adds to `Vary`. An entry that gave up has set the fields of its kind of page already; they are not said twice.
 * @param {ServerResponse} res
 * @param {string} name as the answer spells it
 * @param {string} value
 */
function addVary(res, name, value) {
  const present = res.getHeader('vary')
  const current = Array.isArray(present) ? present.join(', ') : String(present ?? '')
  if (current === '' || value === current || value.startsWith(`${current},`)) res.setHeader(name, value)
  // What depends on the encoding too was given one merged line by upstream's compression, else every part has a line.
  else if (/(^|, )Accept-Encoding$/.test(value)) res.setHeader(name, `${current}, ${value}`)
  else if (!current.startsWith(`${value},`)) res.setHeader(name, [present ?? [], value].flat().map(String))
}

/**
 * Adds a value as upstream's responses do: none twice, and every value of a name under the spelling of the last
 * (`appendHeader` of next/dist/server/base-http/node.js).
 * @param {ServerResponse} res
 * @param {string} name
 * @param {string} value
 */
function appendDistinct(res, name, value) {
  const present = res.getHeader(name)
  if (present === undefined) {
    res.setHeader(name, value)
    return
  }
  const values = [present].flat().map(String)
  if (!values.includes(value)) res.setHeader(name, [...values, value])
}

module.exports = {
  NO_STORE,
  OUT_HEADERS,
  appendDistinct,
  checkAnswer,
  drained,
  lengthOf,
  mergeHeaders,
  sendAnswer,
  sendChunks,
  sendStream,
  statusOf,
}
