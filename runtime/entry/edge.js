// In: Rust's decision to run an entry that was compiled for the edge runtime. Out: the entry has answered, from inside
// upstream's sandbox. Upstream: `runEdgeFunction` of next/dist/server/next-server.js.

const { isRefused, limitBody } = require('../http/body-limit')
const { reportEdgeFault } = require('./instrumentation')
const { failing, bodyErrorOf } = require('../http/read-body')
const { appendDistinct } = require('../http/headers')
const { runInSandbox } = require('./sandbox')

/**
 * @param {import('../app/state').ServerState} server
 * @param {import('./render').Request} req
 * @param {import('./render').Response} res
 * @param {import('./render').RenderStep} step
 * @param {Record<string, any>} meta
 */
async function runEdge(server, req, res, step, meta) {
  try {
    await answer(server, req, res, step, meta)
  } catch (error) {
    if (!isRefused(req)) await reportEdgeFault(server, req, step, error)
    throw error
  }
}

/**
 * @param {import('../app/state').ServerState} server
 * @param {import('./render').Request} req
 * @param {import('./render').Response} res
 * @param {import('./render').RenderStep} step
 * @param {Record<string, any>} meta
 */
async function answer(server, req, res, step, meta) {
  const { config, next } = server
  const { urlQueryToSearchParams } = next.load('queryString')
  const { signalFromNodeResponse } = next.load('nextRequest')
  const { splitCookiesString } = next.load('webUtils')

  if (limitBody(server, req, res) === null) return
  const bodyError = bodyErrorOf(req)
  const url = new URL(meta.initURL ?? '/', 'http://n')
  const query = { ...Object.fromEntries(url.searchParams), ...step.query, ...step.params }
  delete query._rsc
  url.search = urlQueryToSearchParams(query).toString()
  const request = {
    headers: req.headers,
    method: req.method,
    nextConfig: { basePath: config.basePath, i18n: config.i18n, trailingSlash: config.trailingSlash },
    url: url.toString(),
    page: { name: step.page, ...(step.params && { params: step.params }) },
    // It has no other reader, so it is not copied.
    body: { cloneBodyStream: () => (bodyError ? failing(bodyError) : req), finalize: () => {} },
    signal: signalFromNodeResponse(res),
    waitUntil: server.waitUntil.ofRequest(),
  }
  const { response } = await runInSandbox(server, server.edgeFunction(step.page), request, {
    incrementalCache: /** @type {any} */ (globalThis).__incrementalCache ?? meta.incrementalCache,
  })
  if (!res.statusCode || res.statusCode < 400) {
    res.statusCode = response.status
    res.statusMessage = response.statusText
  }
  for (const [name, value] of response.headers) {
    if (name === 'x-middleware-set-cookie') continue
    const values = name === 'set-cookie' ? splitCookiesString(value) : [value]
    for (const single of values) appendDistinct(res, name, single)
  }
  if (response.body) await next.load('pipeReadable').pipeToNodeResponse(response.body, res)
  else res.end()
}

module.exports = { runEdge }
