// In: a request whose body the user's server has read, as body parsers do. Out: the same request, with a body that can be read again: from
// `req.rawBody`, or from `req.body` if it can be serialised (JSON, forms, strings and bytes), with matching headers. If neither is there, an
// error with the reason: upstream fails or waits for ever without one.

const { Readable } = require('node:stream')
const { inspect } = require('node:util')
const { isUint8Array } = require('node:util/types')
const { codedError } = require('../errors')
const { report } = require('../observe/report')
const { restoreStream } = require('./request-patches')

/** @typedef {import('../entry/render').Request} Request */

/** A body: its bytes, or the reason why there are none. @typedef {{ bytes: Buffer } | { reason: string }} FoundBody */

/** @type {WeakMap<object, FoundBody>} */
const BODIES = new WeakMap()

/** @type {FoundBody} */
const NO_BODY = { bytes: Buffer.alloc(0) }

/** Routes whose missing body has been reported. @type {Set<string>} */
const REPORTED = new Set()

/**
 * Sets the headers of a request to the body that `restoreBody()` will restore. For requests whose body has been read: `req.readableEnded`.
 * @param {Request} req
 */
function restoreHead(req) {
  if (BODIES.has(req)) return
  const { headers } = req
  if (isEmpty(req)) {
    BODIES.set(req, NO_BODY)
    return
  }
  const found = findBody(req)
  BODIES.set(req, found)
  if ('reason' in found) return
  const { length } = found.bytes
  // Bytes of another length are not what was sent: a parser has decoded them.
  if (Number(headers['content-length']) !== length) delete headers['content-encoding']
  headers['content-length'] = String(length)
  delete headers['transfer-encoding']
}

/**
 * Makes the body of such a request readable again.
 * @param {Request} req
 */
async function restoreBody(req) {
  restoreHead(req)
  const found = BODIES.get(req)
  if (found === undefined || 'reason' in found) return
  // A caller in an `end` listener runs between Node's two steps of ending a stream, and the second one would end the restored stream.
  if (!req.closed) await new Promise(setImmediate)
  if (!req.readableEnded) return
  restoreStream(req, found.bytes)
}

/**
 * Whether a request that was read to its end had no body. HTTP/2 need not announce one.
 * @param {Request} req
 */
function isEmpty({ headers, httpVersionMajor, method }) {
  if (headers['transfer-encoding'] !== undefined) return false
  const length = headers['content-length']
  if (length !== undefined) return Number(length) === 0
  return httpVersionMajor < 2 || method === 'GET' || method === 'HEAD'
}

/**
 * @param {Request} req
 * @returns {FoundBody}
 */
function findBody(req) {
  const { rawBody, body } = req
  const bytes = bytesOf(rawBody) ?? bytesOf(body)
  if (bytes !== undefined) {
    if (typeof (rawBody ?? body) === 'string') declareUtf8(req)
    return { bytes }
  }
  if (body === undefined) return { reason: 'neither req.rawBody nor req.body has it' }
  const type = mimeTypeOf(req)
  const text = serialize(type, body)
  if (text === undefined) {
    return { reason: `req.body cannot be written as ${type || 'text'} again, and there is no req.rawBody` }
  }
  declareUtf8(req)
  return { bytes: Buffer.from(text) }
}

/** @param {unknown} value */
function bytesOf(value) {
  if (typeof value === 'string') return Buffer.from(value)
  return isUint8Array(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined
}

/** @param {Request} req */
const mimeTypeOf = req => (req.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''

/**
 * @param {string} type
 * @param {unknown} body
 * @returns {string | undefined}
 */
function serialize(type, body) {
  if (/^application\/(?:[\w.-]+\+)?json$/.test(type)) {
    try {
      return JSON.stringify(body)
    } catch {
      return undefined
    }
  }
  if (type !== 'application/x-www-form-urlencoded' || typeof body !== 'object' || body === null) return undefined
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(body)) addField(form, name, value, 0)
  return form.toString()
}

/** Levels of a form, more than parsers create. */
const MAX_DEPTH = 32

/**
 * Arrays become repeated fields, objects names in brackets, as parsers read both.
 * @param {URLSearchParams} form
 * @param {string} name
 * @param {unknown} value
 * @param {number} depth
 */
function addField(form, name, value, depth) {
  if (typeof value !== 'object' || value === null || depth === MAX_DEPTH) return form.append(name, String(value ?? ''))
  if (!Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) addField(form, `${name}[${key}]`, inner, depth + 1)
    return
  }
  value.forEach((inner, at) => {
    const isPlain = typeof inner !== 'object' || inner === null
    addField(form, isPlain ? name : `${name}[${at}]`, inner, depth + 1)
  })
}

/** A character set that is not UTF-8. */
const OTHER_CHARSET = /(;\s*charset=)(?!"?utf-?8"?\s*(?:;|$))(?:"[^"]*"|[^;\s]*)/i

/** A string that a parser has decoded is sent as UTF-8, whatever it was before. @param {Request} req */
function declareUtf8({ headers }) {
  const type = headers['content-type']
  if (type !== undefined) headers['content-type'] = type.replace(OTHER_CHARSET, '$1utf-8')
}

/**
 * The error of a request whose body was read and cannot be restored.
 * @param {Request} req
 */
function bodyErrorOf(req) {
  const found = req.readableEnded ? BODIES.get(req) : undefined
  if (found === undefined || !('reason' in found)) return undefined
  const message = `The body of ${req.method} ${req.url} was read before the request came to the app, and ${found.reason}. Put body parsers in front of your own routes only, or keep the bytes in req.rawBody.`
  const error = codedError('FERRONEXT_BODY_READ', message)
  // A stack would not help: the code that has read the body is not in it.
  return Object.defineProperty(error, inspect.custom, { value: () => `${error.code}: ${message}` })
}

/**
 * A body that fails when it is read, for a body that cannot be restored.
 * @param {Error} error
 */
function failing(error) {
  const body = new Readable({
    read() {
      this.destroy(error)
    },
  })
  return body.on('error', () => {})
}

/**
 * Reports why a request fails, or may fail: the code after a body parser may have kept the body elsewhere.
 * @param {Error & { code: string }} error
 * @param {string} [once] a route for which it is reported once
 */
function reportBodyError({ code, message }, once) {
  if (once !== undefined && REPORTED.has(once)) return
  if (once !== undefined) REPORTED.add(once)
  report(once === undefined ? 'error' : 'warn', `${code}: ${message}`)
}

module.exports = { failing, bodyErrorOf, restoreBody, restoreHead, reportBodyError }
