// In: a request whose body the user's server has read, as body parsers do. Out: the same request, whose body can be read again: from
// `req.rawBody`, or from `req.body` where it can be written as it came (JSON, forms, texts and bytes), with the headers that say so. Where
// neither is there, why not: upstream fails or waits for ever there, without a word of the cause.

const { Readable } = require('node:stream')
const { inspect } = require('node:util')
const { isUint8Array } = require('node:util/types')
const { codedError } = require('../errors')
const { report } = require('../observe/report')
const { restoreStream } = require('./request-patches')

/** @typedef {import('../entry/render').Request} Request */

/** What became of a body: its bytes, or what they cannot be had from. @typedef {{ bytes: Buffer } | { reason: string }} FoundBody */

/** @type {WeakMap<object, FoundBody>} */
const BODIES = new WeakMap()

/** @type {FoundBody} */
const NO_BODY = { bytes: Buffer.alloc(0) }

/** Routes of which it was said already that they may miss a body. @type {Set<string>} */
const REPORTED = new Set()

/**
 * Makes the head of a request true of the body that it will have again. For requests whose body has been read: `req.readableEnded`.
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
  // Of another length they are not what was sent but what a parser has unpacked.
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
  // Whoever calls us at the end of the body stands between Node's two steps of ending it, and the second one would end the new one.
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

/** Levels of a form, more than parsers make. */
const MAX_DEPTH = 32

/**
 * A list is a field that repeats, what has names is written in brackets, as parsers read both.
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

/** What a parser has made a text of is UTF-8 again, whatever it was. @param {Request} req */
function declareUtf8({ headers }) {
  const type = headers['content-type']
  if (type !== undefined) headers['content-type'] = type.replace(OTHER_CHARSET, '$1utf-8')
}

/**
 * The fault of a request whose body was read and is nowhere to be had.
 * @param {Request} req
 */
function bodyErrorOf(req) {
  const found = req.readableEnded ? BODIES.get(req) : undefined
  if (found === undefined || !('reason' in found)) return undefined
  const message = `The body of ${req.method} ${req.url} was read before the request came to the app, and ${found.reason}. Put body parsers in front of your own routes only, or keep the bytes in req.rawBody.`
  const error = codedError('FERRONEXT_BODY_READ', message)
  // Where it is thrown says nothing: what read the body is long through.
  return Object.defineProperty(error, inspect.custom, { value: () => `${error.code}: ${message}` })
}

/**
 * What a reader gets in the place of a body that is not to be had: nothing as long as it does not read.
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
 * Names the cause of what will fail, or may: code that reads a body beside a parser may have put it elsewhere.
 * @param {Error & { code: string }} error
 * @param {string} [once] said once of this route
 */
function reportBodyError({ code, message }, once) {
  if (once !== undefined && REPORTED.has(once)) return
  if (once !== undefined) REPORTED.add(once)
  report(once === undefined ? 'error' : 'warn', `${code}: ${message}`)
}

module.exports = { failing, bodyErrorOf, restoreBody, restoreHead, reportBodyError }
