// In: an answer and its response. Out: head and body in one buffer, written by one call.
//
// Node builds the head of each response again, and passes head and body to the socket separately; that is a third of the time of a small
// answer from memory. For an answer that is sent often (`sendWhole`) the buffer is built once a second, because of `Date`; for one with a
// long body, the head alone. For an answer that is sent once (`endWhole`) Node builds the head, and both are written at once: a chunked
// body takes Node five writes, and twice as long.
//
// Any response that differs from the one that Node creates for a plain request over a connection that is kept alive is left to Node.

const { OutgoingMessage, STATUS_CODES, ServerResponse } = require('node:http')
const { Writable } = require('node:stream')

/**
 * @typedef {import('./respond').Answer} Answer
 *
 * @typedef {object} Whole
 * @property {string} lead status line and headers, without those that Node adds
 * @property {number} asked the second of the last request for it
 * @property {Piece} [piece] of the last second that had one
 *
 * @typedef {object} Piece
 * @property {number} second that `Date` tells
 * @property {number} keepAlive the time that `Keep-Alive` names, in milliseconds
 * @property {string} head
 * @property {Buffer} [bytes] head and body; absent when the body is long
 */

/** Longer bodies are written after their head: a copy would cost more memory, or time, than it saves. */
const MAX_COPY = 64 * 1024

/** Headers that decide about the connection. */
const DECIDED_BY_NODE = new Set([
  'connection',
  'date',
  'expect',
  'keep-alive',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const { end: nodeEnd, write: nodeWrite } = /** @type {any} */ (ServerResponse.prototype)
const { _send: nodeSend, _storeHeader: nodeStoreHeader } = /** @type {any} */ (OutgoingMessage.prototype)

/**
 * Prepares an answer; `undefined` if Node has to send it.
 * @param {Answer} answer
 * @returns {Whole | undefined}
 */
function wholeOf({ status, table, body }) {
  if (!IS_KNOWN || !table || !Buffer.isBuffer(body) || body.length === 0) return undefined
  if (status < 200 || status === 204 || status === 304 || !STATUS_CODES[status]) return undefined
  if (table['content-length']?.[1] !== String(body.length)) return undefined
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`]
  for (const lower of Object.keys(table)) {
    if (DECIDED_BY_NODE.has(lower)) return undefined
    const [name, value] = table[lower]
    for (const line of [value].flat()) lines.push(name, ': ', line, '\r\n')
  }
  // Joined it is one string; added up it would be a tree of all of them, for as long as the answer is kept.
  return { lead: lines.join(''), asked: -1 }
}

/**
 * Sends an answer as one piece. The response keeps the headers of the answer, for access logs.
 * @param {any} res a response without headers
 * @param {Answer} answer
 * @param {Whole} whole what was prepared of it
 * @param {symbol} outHeaders where Node keeps the headers
 * @returns {boolean} `false` when Node has to send it
 */
function sendWhole(res, answer, whole, outHeaders) {
  if (!isUsual(res)) return false
  const second = Math.floor(Date.now() / 1000)
  if (whole.piece?.second !== second || whole.piece.keepAlive !== res._keepAliveTimeout) {
    // One request a second is not worth a copy.
    if (whole.asked !== second) {
      whole.asked = second
      return false
    }
    whole.piece = compose(whole.lead, /** @type {Buffer} */ (answer.body), second, res._keepAliveTimeout)
  }
  res[outHeaders] = answer.table
  res.statusCode = answer.status
  res.statusMessage = STATUS_CODES[answer.status]
  write(res, whole.piece, /** @type {Buffer} */ (answer.body))
  return true
}

/**
 * @param {any} res
 * @param {{ head: string, bytes?: Buffer }} piece
 * @param {Buffer} [body] for a piece without it
 */
function write(res, { head, bytes }, body) {
  res._header = head
  // Otherwise Node writes the head before the body.
  res._headerSent = bytes !== undefined
  nodeEnd.call(res, bytes ?? body)
}

/**
 * @param {string} lead
 * @param {Buffer} body
 * @param {number} second
 * @param {number} keepAlive
 * @returns {Piece}
 */
function compose(lead, body, second, keepAlive) {
  const hint = keepAlive ? `Keep-Alive: timeout=${Math.floor(keepAlive / 1000)}\r\n` : ''
  const head = `${lead}Date: ${new Date(second * 1000).toUTCString()}\r\nConnection: keep-alive\r\n${hint}\r\n`
  if (body.length > MAX_COPY) return { second, keepAlive, head }
  const bytes = Buffer.allocUnsafeSlow(head.length + body.length)
  bytes.write(head, 'latin1')
  body.copy(bytes, head.length)
  return { second, keepAlive, head, bytes }
}

/**
 * Ends a response with all of its body. Its headers have been set, perhaps by `writeHead()`, and none has been sent.
 * @param {any} res
 * @param {any} end its method, which is skipped
 * @param {Buffer} body
 * @returns {boolean} `false` when Node has to do it
 */
function endWhole(res, end, body) {
  if (!IS_KNOWN || end !== nodeEnd || body.length === 0 || body.length > MAX_COPY) return false
  if (res._headerSent || res.finished || res.destroyed || res.strictContentLength || !isInTurn(res)) return false
  if (res._header === null) {
    res._contentLength = body.length
    res._implicitHeader()
  }
  const { _header: head, chunkedEncoding: isChunked } = res
  if (typeof head !== 'string' || !res._hasBody || res._trailer !== '') return false
  const lead = isChunked ? `${head}${body.length.toString(16)}\r\n` : head
  const tail = isChunked ? '\r\n0\r\n\r\n' : ''
  const bytes = Buffer.allocUnsafe(lead.length + body.length + tail.length)
  bytes.write(lead, 'latin1')
  bytes.set(body, lead.length)
  bytes.write(tail, lead.length + body.length, 'latin1')
  res.chunkedEncoding = false
  write(res, { head, bytes })
  res.chunkedEncoding = isChunked
  return true
}

/**
 * Whether a response is as Node creates it for a `GET` over HTTP/1.1, without patches, and next on its connection.
 * @param {any} res
 */
function isUsual(res) {
  return (
    res.end === nodeEnd &&
    res.write === nodeWrite &&
    res._storeHeader === nodeStoreHeader &&
    res.shouldKeepAlive === true &&
    res._hasBody === true &&
    res.sendDate === true &&
    res.useChunkedEncodingByDefault === true &&
    res.maxRequestsOnConnectionReached === false &&
    res._defaultKeepAlive === true &&
    res._removedConnection === false &&
    res._removedContLen === false &&
    res._expect_continue === false &&
    !res.strictContentLength &&
    res.statusMessage === undefined &&
    !(res._maxRequestsPerSocket > 0) &&
    isInTurn(res)
  )
}

/** Whether the response is the next one on its connection, so that its bytes go out at once. @param {any} res */
function isInTurn(res) {
  const { socket } = res
  return (
    res._send === nodeSend &&
    res.outputData.length === 0 &&
    res.writableCorked === 0 &&
    socket != null &&
    socket._httpMessage === res &&
    socket.writableCorked === 0
  )
}

/** Whether this version of Node sends the buffer as expected, and no method of its classes is patched. */
const IS_KNOWN = isKnown()

function isKnown() {
  try {
    const isNodes = String(nodeEnd).includes('ERR_STREAM_WRITE_AFTER_END') && String(nodeWrite).includes('write_(')
    if (!isNodes) return false
    const head = 'HTTP/1.1 200 OK\r\n\r\n'
    const body = Buffer.from('body')
    const bytes = Buffer.from(`${head}body`)
    return [{ head, bytes }, { head }].every(piece => {
      /** @type {Buffer[]} */
      const sent = []
      const socket = new Writable({
        write(chunk, _encoding, done) {
          sent.push(chunk)
          done()
        },
      })
      const request = /** @type {any} */ ({ method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 })
      const res = /** @type {any} */ (new ServerResponse(request))
      res.assignSocket(socket)
      if (!isUsual(res)) return false
      write(res, piece, body)
      return Buffer.concat(sent).equals(bytes) && res.headersSent && res.writableEnded
    })
  } catch {
    return false
  }
}

module.exports = { endWhole, sendWhole, wholeOf }
