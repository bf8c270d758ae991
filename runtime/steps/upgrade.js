// In: `upgrade` events of the user's HTTP server. Out: sockets of requests that Next.js answers itself are ended, those that
// a rewrite sends elsewhere are joined with the other server, all others are left to the user's own handlers. Upstream:
// `upgradeHandler` of next/dist/server/lib/router-server.js and the `ws` half of `proxy-request.js`.

const http = require('node:http')
const https = require('node:https')
const { groupHeaders } = require('../http/headers')
const { runMiddleware } = require('./middleware')
const { report } = require('../observe/report')
const { headOfRequest } = require('../http/request-head')

/**
 * @typedef {import('../app/state').ServerState} ServerState
 * @typedef {import('node:http').IncomingMessage} IncomingMessage
 * @typedef {import('node:net').Socket} Socket
 */

/** The HTTP servers that an app is attached to. @type {WeakMap<ServerState, WeakSet<object>>} */
const listening = new WeakMap()

/** Time for a handler of the user's to use the socket of an upgrade, in milliseconds. */
const TIMEOUT = 5000

/** Protocols that a client offers with an ordinary request (`curl --http2`). */
const OFFERED = /^(?:h2c|tls\/[\d.]+)$/i

/** Requests that are being decided: from the server's event, or from `app.upgradeHandler`. @type {WeakSet<object>} */
const decided = new WeakSet()

/** The answer if the proxied server cannot be reached. */
const NO_ANSWER =
  'HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 21\r\n\r\nInternal Server Error'

/**
 * Listens to a server, once.
 * @param {ServerState} server
 * @param {import('node:http').Server | undefined} httpServer
 */
function attachUpgrade(server, httpServer) {
  if (!httpServer) return
  const known = listening.get(server) ?? new WeakSet()
  if (known.has(httpServer)) return
  listening.set(server, known.add(httpServer))
  // Runs before the user's handlers, to see the socket before they use it, and acts after them.
  httpServer.prependListener('upgrade', (req, duplex, head) => {
    const socket = /** @type {Socket} */ (duplex)
    req.on('error', ignore)
    socket.on('error', ignore)
    const { bytesWritten } = socket
    setImmediate(() => {
      handle(server, httpServer, req, socket, head, () => isTaken(socket, bytesWritten))
    })
  })
}

/**
 * Decides about an upgrade at once, for a server that calls `app.upgradeHandler`. An upgrade without a route is left to that server, as in
 * upstream.
 * @param {ServerState} server
 * @param {IncomingMessage} req
 * @param {import('node:stream').Duplex} duplex
 * @param {Buffer} head
 */
function handleUpgrade(server, req, duplex, head) {
  const socket = /** @type {Socket} */ (duplex)
  req.on('error', ignore)
  socket.on('error', ignore)
  return handle(server, undefined, req, socket, head, () => socket.destroyed || socket.writableEnded)
}

/**
 * @param {ServerState} server
 * @param {import('node:http').Server | undefined} httpServer whose event it was
 * @param {IncomingMessage} req
 * @param {Socket} socket
 * @param {Buffer} head
 * @param {() => boolean} isTaken
 */
async function handle(server, httpServer, req, socket, head, isTaken) {
  if (isTaken() || decided.has(req)) return
  decided.add(req)
  try {
    await decide(server, httpServer, req, socket, head, isTaken)
  } catch (error) {
    report('error', 'Error handling upgrade request', error)
    close(socket)
  }
}

/**
 * Whether a handler of the user's reads from the socket, or has written to it.
 * @param {Socket} socket
 * @param {number} bytesBefore
 */
function isTaken(socket, bytesBefore) {
  return (
    socket.destroyed ||
    socket.writableEnded ||
    socket.bytesWritten > bytesBefore ||
    // Node emits the event with a socket that was neither paused nor resumed.
    socket.readableFlowing !== null ||
    socket.listenerCount('readable') > 0
  )
}

/**
 * @param {ServerState} server
 * @param {import('node:http').Server | undefined} httpServer
 * @param {IncomingMessage} req
 * @param {Socket} socket
 * @param {Buffer} head
 * @param {() => boolean} isTaken
 */
async function decide(server, httpServer, req, socket, head, isTaken) {
  const { engine } = server
  const protocol = req.headers.upgrade ?? ''
  const isAlone = () => httpServer?.listenerCount('upgrade') === 1
  if (httpServer && (OFFERED.test(protocol) || (isAlone() && !/(?:^|,)\s*websocket\b/i.test(protocol))))
    return serve(httpServer, req, socket, head)
  server.filterForwarded?.(req)
  let verdict = engine.upgrade(headOfRequest(/** @type {any} */ (req)), Boolean(/** @type {any} */ (socket).encrypted))
  if (verdict.kind === 'middleware') {
    verdict = await afterMiddleware(server, req, socket, verdict.slot)
    if (isTaken()) return
  }
  const { kind, url, headers } = verdict
  // Pages, files and redirects do not speak another protocol.
  if (kind === 'end') close(socket)
  else if (kind === 'proxy') proxyUpgrade(server, server.parseTarget(url), headers, req, socket, head)
  // A handler of the user's may still take it. Without one the socket is closed.
  else if (isAlone()) close(socket)
  else if (httpServer) endIfLeft(socket, isTaken)
}

/**
 * Answers a request without the protocol that it offers, as Node does without listeners for upgrades: the same request without the offer goes
 * through the server's parser again.
 * @param {import('node:http').Server} httpServer
 * @param {IncomingMessage} req
 * @param {Socket} socket
 * @param {Buffer} rest bytes after its head
 */
function serve(httpServer, { method, url, httpVersion, rawHeaders }, socket, rest) {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    if (/^(?:upgrade|http2-settings)$/i.test(name)) continue
    head += `${name}: ${/^connection$/i.test(name) ? withoutOffer(value) : value}\r\n`
  }
  socket.unshift(Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), rest]))
  // Not by the event: listeners that count connections would count it again.
  const { _connectionListener: listen } = /** @type {any} */ (http)
  if (listen) listen.call(httpServer, socket)
  else httpServer.emit(/** @type {any} */ (socket).encrypted ? 'secureConnection' : 'connection', socket)
}

/** @param {string} connection */
const withoutOffer = connection =>
  connection
    .split(',')
    .filter(option => !/^\s*(?:upgrade|http2-settings)\s*$/i.test(option))
    .join(',') || 'keep-alive'

/**
 * Ends a socket that no handler takes. Nothing reads from it, so that even the end of its client would stay unnoticed.
 * @param {Socket} socket
 * @param {() => boolean} isTaken
 */
function endIfLeft(socket, isTaken) {
  setTimeout(() => {
    if (!isTaken()) close(socket)
  }, TIMEOUT).unref()
}

/**
 * Runs middleware, as for any request. The body of its answer is dropped.
 * @param {ServerState} server
 * @param {any} req
 * @param {Socket} socket
 * @param {number} slot
 */
async function afterMiddleware(server, req, socket, slot) {
  const res = new http.ServerResponse(req)
  socket.once('close', () => res.emit('close'))
  try {
    // A request to upgrade waits in its slot for middleware alone.
    const step = /** @type {import('./middleware').MiddlewareStep} */ (server.engine.step(slot))
    const { body } = await runMiddleware(server, req, res, slot, step)
    await body?.cancel()
    return server.engine.upgraded(slot)
  } finally {
    server.engine.free(slot)
  }
}

/**
 * Asks the other server for the protocol, and joins the two sockets when it agrees.
 * @param {ServerState} server
 * @param {import('./proxy').Target} target
 * @param {string[]} headers flat list, complete but for the host
 * @param {IncomingMessage} req
 * @param {Socket} socket
 * @param {Buffer} head bytes that the client has sent already
 */
function proxyUpgrade(server, target, headers, req, socket, head) {
  if (req.method !== 'GET' || req.headers.upgrade?.toLowerCase() !== 'websocket') return void socket.destroy()
  setUp(socket)
  const outgoing = (target.encrypted ? https : http).request({
    hostname: target.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: target.port,
    path: target.path,
    headers: headerTable(headers, target.host),
    // The connection becomes the client's: it cannot be shared.
    agent: false,
  })
  const abandon = () => outgoing.destroy()
  socket.on('close', abandon)
  const { proxyTimeout } = server.config.experimental
  if (proxyTimeout !== null) {
    const limit = proxyTimeout || 30_000
    outgoing.setTimeout(limit, () =>
      outgoing.destroy(new Error(`nothing came for ${limit} ms (experimental.proxyTimeout)`)),
    )
  }
  outgoing.on('error', error => {
    if (socket.destroyed) return
    report('error', `Failed to proxy ${target.href} ${error}`)
    socket.write(NO_ANSWER)
    close(socket)
  })
  outgoing.on('response', response => {
    // No upgrade, an ordinary answer. The connection ends with it, however it was framed.
    const { connection, 'keep-alive': keepAlive, 'transfer-encoding': framing, ...rest } = response.headers
    writeHead(socket, `HTTP/1.1 ${response.statusCode} ${response.statusMessage}`, { ...rest, connection: 'close' })
    response.on('error', () => socket.destroy())
    response.on('end', () => close(socket))
    response.pipe(socket, { end: false })
  })
  outgoing.on('upgrade', (response, remote, remoteHead) => {
    socket.off('close', abandon)
    if (socket.destroyed) return void remote.destroy()
    writeHead(socket, 'HTTP/1.1 101 Switching Protocols', response.headers)
    setUp(remote)
    if (remoteHead.length > 0) remote.unshift(remoteHead)
    if (head.length > 0) socket.unshift(head)
    server.upgraded.add(socket)
    socket.once('close', () => server.upgraded.delete(socket))
    join(socket, remote)
    join(remote, socket)
  })
  outgoing.end()
}

/**
 * Pipes one socket into the other, and ends the other after it.
 * @param {Socket} from
 * @param {Socket} to
 */
function join(from, to) {
  from.on('error', () => to.destroy())
  from.on('close', () => close(to))
  from.pipe(to)
}

/**
 * Closes both halves of a socket: Node's server leaves the other half open, and a client that never ends it would stay.
 * @param {Socket} socket
 */
function close(socket) {
  if (socket.writableFinished) socket.destroy()
  else socket.end(() => socket.destroy())
}

/** Prepares a connection that may be idle for hours and needs low latency. @param {Socket} socket */
function setUp(socket) {
  socket.setTimeout(0)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 0)
}

/**
 * @param {string[]} headers flat list
 * @param {string} host
 */
function headerTable(headers, host) {
  return { ...Object.fromEntries(groupHeaders(headers)), host }
}

/**
 * @param {Socket} socket
 * @param {string} statusLine
 * @param {import('node:http').IncomingHttpHeaders} headers
 */
function writeHead(socket, statusLine, headers) {
  let text = `${statusLine}\r\n`
  for (const [name, value] of Object.entries(headers)) {
    for (const line of [value].flat()) text += `${name}: ${line}\r\n`
  }
  socket.write(`${text}\r\n`, 'latin1')
}

/**
 * Ends the web sockets to proxied servers. Nothing else does, and an HTTP server waits for all its connections.
 * @param {ServerState} server
 */
function endUpgraded({ upgraded }) {
  for (const socket of upgraded) close(socket)
}

const ignore = () => {}

module.exports = { attachUpgrade, endUpgraded, handleUpgrade }
