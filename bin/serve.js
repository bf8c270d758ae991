// In: a folder and where to listen. Out: the app there, behind an HTTP server of its own, until a signal ends it, as with
// upstream's `next start` and `next dev`. Upstream: next/dist/server/lib/start-server.js.

const http = require('node:http')
const { isIPv6 } = require('node:net')
const { networkInterfaces } = require('node:os')
const path = require('node:path')
const { loadAddon } = require('../runtime/process/addon')
const { codedError } = require('../runtime/errors')
const { untested } = require('../runtime/next/known-versions')
const { findNext } = require('../runtime/next/package')
const { report } = require('../runtime/observe/report')
const { shutDownOnSignal } = require('./shutdown')

/** How many ports upstream tries if the default port is in use. */
const PORT_RETRIES = 10

/**
 * @typedef {object} ServeOptions
 * @property {string} dir
 * @property {boolean} dev
 * @property {number} port
 * @property {boolean} [retriesPort] whether the next port will do when this one is taken
 * @property {string} [hostname]
 * @property {number} [keepAliveTimeout]
 * @property {number} [shutdownTimeout] production only
 * @property {boolean} [turbopack]
 * @property {boolean} [webpack]
 * @property {'text' | 'json'} [accessLog]
 * @property {string} [metrics]
 * @property {boolean} [health]
 * @property {import('../index').NextServerOptions['trustProxy']} [trustProxy]
 */

/** @param {ServeOptions} options */
async function serve(options) {
  const { dir, dev, hostname, keepAliveTimeout, turbopack, webpack, accessLog, metrics, health, trustProxy } = options
  const { exitsWithSignal } = loadAddon(path.join(__dirname, '..')).checkVersion(findNext(dir).version)
  process.title = 'ferronext'
  /** @type {any} */
  let app
  /** @type {(handle: import('../index').RequestHandler) => void} */
  let isReady = () => {}
  /** @type {Promise<import('../index').RequestHandler> | undefined} requests that come before the app is ready wait for it */
  let waiting = new Promise(resolve => {
    isReady = resolve
  })
  /** @type {import('../index').RequestHandler} */
  let handle = async (req, res) => (await waiting)?.(req, res)
  const server = http.createServer((req, res) => {
    handle(req, res).catch(error => failed(req, res, error))
  })
  if (keepAliveTimeout) server.keepAliveTimeout = keepAliveTimeout
  const address = await listen(server, options)
  process.env.PORT = String(address.port)
  process.env.__NEXT_PRIVATE_ORIGIN ??= `http://${urlHost(hostname)}:${address.port}`
  shutDownOnSignal(server, () => app, { dev, shutdownTimeout: options.shutdownTimeout ?? 0, exitsWithSignal })

  const next = require('../index')
  const bundler = { ...(turbopack && { turbopack }), ...(webpack && { webpack }) }
  const observed = { ...(accessLog && { accessLog }), ...(metrics && { metrics }), ...(health && { health }) }
  const trusted = { ...(trustProxy !== undefined && { trustProxy }) }
  app = next({ dir, dev, port: address.port, hostname, httpServer: server, ...bundler, ...observed, ...trusted })
  await app.prepare()
  handle = app.getRequestHandler()
  isReady(handle)
  waiting = undefined
  const doubt = untested(findNext(dir).version)
  const versions = `ferronext ${require('../package.json').version}${doubt ? ` (${doubt})` : ''}`
  const ms = Math.round(performance.now())
  const mode = dev ? 'in development' : `ready in ${ms} ms`
  const local = `http://${urlHost(hostname)}:${address.port}`
  const network = hostname ?? networkHost(address.address)
  console.log(`${versions} serves ${dir} at ${local} (${mode})`)
  // Scripts that run `next start` wait for these lines.
  console.log(`- Local:         ${local}`)
  if (network)
    console.log(`- Network:       http://${network.includes(':') ? `[${network}]` : network}:${address.port}`)
  console.log(`✓ Ready in ${ms}ms`)
}

/**
 * A public address of this machine, of the same family as the one that is listened on (`getNetworkHost` of upstream).
 * @param {string} address
 * @returns {string | undefined}
 */
function networkHost(address) {
  const family = isIPv6(address) ? 'IPv6' : 'IPv4'
  try {
    const all = Object.values(networkInterfaces()).flatMap(list => list ?? [])
    const found = all.find(one => one.family === family && !one.internal && !('scopeid' in one && one.scopeid))
    return found?.address
  } catch {
    return undefined // some phones and sandboxes do not tell
  }
}

/**
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 * @param {unknown} error
 */
function failed(req, res, error) {
  report('error', `Failed to handle request for ${req.url}`)
  report('error', error)
  if (res.headersSent) return void res.destroy()
  res.statusCode = 500
  res.end('Internal Server Error')
}

/**
 * @param {import('node:http').Server} server
 * @param {ServeOptions} options
 * @returns {Promise<import('node:net').AddressInfo>}
 */
function listen(server, { port, hostname, retriesPort }) {
  return new Promise((resolve, reject) => {
    let tried = port
    server.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      // A connection that could not be accepted: no descriptor was left for it. There are others.
      if (server.listening) return report('error', error)
      if (error.code === 'EADDRINUSE' && retriesPort && tried < port + PORT_RETRIES)
        return void server.listen(++tried, hostname)
      reject(listenError(error, port, hostname))
    })
    server.once('listening', () => {
      if (tried !== port) console.warn(`Port ${port} is in use, using port ${tried} instead.`)
      resolve(/** @type {import('node:net').AddressInfo} */ (server.address()))
    })
    server.listen(port, hostname)
  })
}

/**
 * @param {NodeJS.ErrnoException} error
 * @param {number} port
 * @param {string | undefined} hostname
 */
function listenError(error, port, hostname) {
  if (error.code === 'EADDRINUSE') {
    return codedError(
      'FERRONEXT_PORT_TAKEN',
      `Port ${port} is already in use${hostname === undefined ? '' : ` on ${hostname}`}. End what listens there, or choose another port with --port or PORT.`,
      error,
    )
  }
  return codedError(
    'FERRONEXT_CANNOT_LISTEN',
    `Cannot listen on ${hostname ?? 'any address'}, port ${port}: ${error.message}. Choose others with --hostname and --port.`,
    error,
  )
}

/** @param {string | undefined} hostname in the form for a URL of this server */
function urlHost(hostname) {
  if (hostname === undefined || hostname === '0.0.0.0') return 'localhost'
  if (hostname === '::') return '[::1]'
  return hostname.includes(':') ? `[${hostname}]` : hostname
}

module.exports = { serve }
