// In: a URL that the server itself asks for. Out: upstream's stand-ins for req and res, in which nothing leaves the process.
// Upstream: next/dist/server/lib/mock-request.js.

const { mergeHeaders } = require('./respond')

/**
 * A request of the server itself, and the response to it.
 * @param {import('../next/package').NextPackage} next
 * @param {string} url
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @param {string} [method]
 */
function mockExchange(next, url, headers, method = 'GET') {
  const { createRequestResponseMocks } = next.load('mockRequest')
  const { req, res } = createRequestResponseMocks({ url, headers, method })
  // The mock's own throws when it is asked for more than an address; at the end of this one is nobody.
  req.socket = {}
  const { writeHead } = res
  // The mock takes headers one by one only.
  res.writeHead = (/** @type {number} */ status, /** @type {string[]} */ flat = []) => {
    mergeHeaders(res, flat)
    return writeHead.call(res, status)
  }
  return { req, res }
}

module.exports = { mockExchange }
