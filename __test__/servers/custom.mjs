// A custom server that does to the app what the request asks for in `x-call`, so that both engines can be asked the same.
// The result of a method that returns something, or throws, is sent as JSON.
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer } from 'node:http'
import { parse } from 'node:url'
import next from 'next'

const port = Number(process.env.PORT)
const options = JSON.parse(process.env.SERVER_OPTIONS ?? '{}')
const server = createServer(listener)
if (options.httpServer) options.httpServer = server
if (options.port === 'own') options.port = port
const app = next({ dev: false, ...options })
const handle = app.getRequestHandler()
const storage = new AsyncLocalStorage()
globalThis.customServerStore = storage

/**
 * @typedef {object} Call
 * @property {string} [method] of the app; without it the request handler is called
 * @property {any[]} [args] after req and res
 * @property {number} [status] on the response before
 * @property {Record<string, string | string[]>} [headers] on the response before
 * @property {string} [store] for AsyncLocalStorage
 * @property {Record<string, unknown>} [req] set on the request
 * @property {Record<string, unknown>} [res] set on the response
 * @property {Record<string, unknown>} [requestHeaders] changed before; null deletes, `own` is this server
 * @property {string} [url] for req.url
 * @property {Record<string, unknown> | 'whatwg' | 'parsed'} [parsed] edits of the parsed URL that is passed on
 * @property {boolean} [report] send what the call returned and left on the response
 * @property {boolean} [read] the body before
 * @property {"rawBody" | "text" | "json"} [keep] where what was read is put: bytes, or in `body` a text or what it says
 * @property {boolean} [flush] the head before
 * @property {string} [write] with a head of its own before
 */

/** @param {import('node:http').IncomingMessage} req @param {import('node:http').ServerResponse} res */
async function listener(req, res) {
  /** @type {Call} */
  const call = JSON.parse(decodeURIComponent(String(req.headers['x-call'] ?? '{}')))
  delete req.headers['x-call']
  const store = call.store ? { text: call.store, visited: [] } : undefined
  const run = () => act(call, req, res)
  const answer = await (store ? storage.run(store, run) : run())
  if (res.writableEnded || res.headersSent) return
  if (answer === undefined && !call.report) return
  const left = { ...answer, status: res.statusCode, headers: res.getHeaders(), visited: store?.visited }
  for (const name of res.getHeaderNames()) res.removeHeader(name)
  res.statusCode = 200
  res.end(JSON.stringify(left))
}

/** @param {Call} call @param {any} req @param {any} res */
async function act(call, req, res) {
  if (call.status) res.statusCode = call.status
  for (const [name, value] of Object.entries(call.headers ?? {})) res.setHeader(name, value)
  for (const [name, value] of Object.entries(call.requestHeaders ?? {})) {
    if (value === null) delete req.headers[name]
    else req.headers[name] = value === 'own' ? `localhost:${port}` : value
  }
  if (call.url !== undefined) req.url = call.url
  Object.assign(req, call.req)
  Object.assign(res, call.res)
  if (call.read) await read(call, req)
  if (call.flush) res.flushHeaders()
  if (call.write) res.writeHead(200, { 'x-own': 'written' }).write(call.write)
  try {
    if (!call.method) {
      const returned = await handle(req, res, parsedUrl(call, req))
      return call.report ? { returned: typeof returned } : undefined
    }
    return { returned: await invoke(call, req, res) }
  } catch (error) {
    return { threw: /** @type {Error | undefined} */ (error)?.message }
  }
}

/** As a body parser does. @param {Call} call @param {any} req */
async function read({ keep }, req) {
  const chunks = []
  for await (const chunk of req) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  if (keep === 'rawBody') req.rawBody = bytes
  if (keep === 'text') req.body = bytes.toString()
  if (keep === 'json') req.body = JSON.parse(bytes.toString())
}

/** @param {Call} call @param {any} req @returns {any} also what the types refuse, as JavaScript does not */
function parsedUrl({ parsed }, req) {
  if (parsed === undefined) return undefined
  if (parsed === 'whatwg') return new URL(req.url, `http://localhost:${port}`)
  const url = parse(req.url, true)
  return parsed === 'parsed' ? url : Object.assign(url, parsed)
}

/** The app by the names that a test asks for, inner ones of upstream's among them. @type {Record<string, any>} */
const named = app

/** @param {Call} call @param {any} req @param {any} res */
async function invoke({ method = '', args = [] }, req, res) {
  const text = (/** @type {unknown} */ value) => (value === undefined ? 'undefined' : value)
  switch (method) {
    case 'render':
    case 'renderToHTML':
    case 'render404':
      return text(await named[method](req, res, ...args))
    case 'renderError':
    case 'renderErrorToHTML': {
      const [message, ...rest] = args
      return text(await named[method](message ? new Error(message) : null, req, res, ...rest))
    }
    case 'logError':
    case 'logErrorWithOriginalStack':
      return text(await named[method](new Error(args[0])))
    case 'getUpgradeHandler':
      return text(await app.getUpgradeHandler()(req, req.socket, Buffer.alloc(0)))
    case 'typeOf':
      return `${typeof named[args[0]]} ${args.slice(1).map(name => typeof named[args[0]][name])}`
    case 'inner':
      return text(await named.server[args[0]](req, res, ...args.slice(1)))
    case 'property':
      return text(await named[args[0]])
    default:
      return text(await named[method](...args))
  }
}

await app.prepare()
server.listen(port, () => console.log('listening'))
