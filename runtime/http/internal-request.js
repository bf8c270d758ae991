// In: a URL that the server itself requests. Out: upstream's mocks of req and res: nothing leaves the process.
// Upstream: next/dist/server/lib/mock-request.js.

const { mergeHeaders } = require('./headers')

/**
 * An internal request, one without a client, and its response.
 * @param {import('../next/package').NextPackage} next
 * @param {string} url
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @param {string} [method]
 */
function internalExchange(next, url, headers, method = 'GET') {
  const { createRequestResponseMocks } = next.load('mockRequest')
  const { req, res } = createRequestResponseMocks({ url, headers, method })
  // The mock's own socket throws when more than an address is read.
  req.socket = {}
  const { writeHead } = res
  // The mock takes headers one by one only.
  res.writeHead = (/** @type {number} */ status, /** @type {string[]} */ flat = []) => {
    mergeHeaders(res, flat)
    return writeHead.call(res, status)
  }
  return { req, res }
}

/**
 * Limits the body of an internal response: one that becomes longer is dropped and destroyed.
 * @param {any} res from `internalExchange()`
 * @param {number} limit
 */
function collect(res, limit) {
  let size = 0
  /** @type {() => void} */
  let report = () => {}
  /** @type {Promise<void>} */
  const overflow = new Promise(resolve => {
    report = resolve
  })
  const { write } = res
  res.write = (/** @type {any} */ chunk, /** @type {any[]} */ ...rest) => {
    size += Buffer.byteLength(chunk)
    if (size <= limit) return write.call(res, chunk, ...rest)
    res.buffers.length = 0
    report()
    // The writer sees a client that has gone away.
    res.on('error', () => {})
    res.hasStreamed.catch(() => {})
    res.destroy()
    return false
  }
  return { overflow, isWhole: () => size <= limit }
}

module.exports = { collect, internalExchange }
