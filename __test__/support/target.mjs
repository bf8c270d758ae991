// The other server that external rewrites of the fixture `external` lead to. The path says how it behaves.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import path from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { WebSocketServer } from 'ws'

/** The ports that stand in the fixture's configuration; a copy of the built app gets the real ones. */
export const PORT_IN_FIXTURE = 41417
export const SECURE_PORT_IN_FIXTURE = 41418

/** Request headers that belong to one connection; they are told apart from the rest. */
const OF_CONNECTION = ['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'http2-settings']

/**
 * @typedef {object} Target
 * @property {number} port
 * @property {{ method: string, url: string, socket: number }[]} seen every request that began
 * @property {() => number} sockets connections that are open
 * @property {import('node:http').Server} server
 * @property {WebSocketServer} webSockets
 * @property {() => Promise<void>} close
 */

/** @param {{ tls?: import('node:https').ServerOptions }} [options] @returns {Promise<Target>} */
export async function startTarget({ tls } = {}) {
  /** @type {Target['seen']} */
  const seen = []
  /** @type {Map<import('node:net').Socket, number>} */
  const sockets = new Map()
  let count = 0
  const served = new WeakSet()
  const server = /** @type {import('node:http').Server} */ (tls ? createSecureServer(tls) : createServer())
  server.on('request', (req, res) => {
    seen.push({ method: req.method ?? '', url: req.url ?? '', socket: sockets.get(req.socket) ?? 0 })
    res.on('error', () => {})
    req.on('error', () => {})
    const kept = served.has(req.socket)
    served.add(req.socket)
    if (kept && req.url?.startsWith('/reset-if-kept')) req.socket.destroy()
    else behave(req, res)
  })
  server.on('checkContinue', (req, res) => {
    res.writeContinue()
    server.emit('request', req, res)
  })
  server.on('upgrade', (req, socket, head) => {
    seen.push({ method: `UPGRADE ${req.method}`, url: req.url ?? '', socket: 0 })
    if (req.url?.startsWith('/refuses-upgrade')) {
      return void socket.end('HTTP/1.1 403 Forbidden\r\nX-Why: no\r\nContent-Length: 2\r\n\r\nno')
    }
    if (req.url?.startsWith('/chunked-refusal')) {
      return void socket.end('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n')
    }
    if (req.url?.startsWith('/reset')) return void socket.destroy()
    if (req.url?.startsWith('/hang')) return
    if (req.url?.startsWith('/headers')) {
      const said = `${req.method} ${req.url}\n${pairs(req.rawHeaders).join('\n')}`
      return void socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${said.length}\r\n\r\n${said}`)
    }
    webSockets.handleUpgrade(req, socket, head, webSocket => {
      webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }))
      webSocket.on('error', () => {})
    })
  })
  const webSockets = new WebSocketServer({ noServer: true })
  server.on(tls ? 'secureConnection' : 'connection', socket => {
    sockets.set(socket, ++count)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  // Longer than any test, so that only the proxy decides how long a connection is kept.
  server.keepAliveTimeout = 60_000
  await new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    port,
    seen,
    sockets: () => sockets.size,
    server,
    webSockets,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets.keys()) socket.destroy()
      }),
  }
}

/**
 * Writes the real ports into a copy of a build.
 * @param {string} dist its folder, usually `.next`
 * @param {number} port
 * @param {number} [securePort]
 */
export function pointAtTarget(dist, port, securePort = port) {
  const file = path.join(dist, 'routes-manifest.json')
  const text = readFileSync(file, 'utf8').replaceAll(`:${PORT_IN_FIXTURE}`, `:${port}`)
  writeFileSync(file, text.replaceAll(`:${SECURE_PORT_IN_FIXTURE}`, `:${securePort}`))
}

/** Whether a build has rewrites to the target. @param {string} dist its folder */
export const needsTarget = dist =>
  readFileSync(path.join(dist, 'routes-manifest.json'), 'utf8').includes(`:${PORT_IN_FIXTURE}`)

/** What a body of this name is. */
const LARGE = 'A line of text that compresses well, again and again. '.repeat(2000)

/**
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 */
function behave(req, res) {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://target')
  const kind = pathname.split('/')[1] ?? ''
  switch (kind) {
    case 'status': {
      const status = Number(pathname.split('/')[2])
      res.writeHead(status, { 'X-Status': String(status), 'Content-Type': 'text/plain' })
      return void req
        .resume()
        .on('end', () => res.end(status === 204 || status === 304 ? undefined : `status ${status}`))
    }
    case 'reason':
      return void res.writeHead(200, 'Fine By Me').end('reason')
    case 'teapot':
      return void res.writeHead(418).end('short and stout')
    case 'odd-status':
      return void res.writeHead(299).end('odd')
    case 'reset':
      return void req.socket.destroy()
    case 'reset-later':
      res.writeHead(200, { 'Content-Type': 'text/plain' })
      return void res.write('the beginning', () => req.socket.destroy())
    case 'reset-length':
      res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': '1000' })
      return void res.write('the beginning', () => req.socket.destroy())
    case 'not-http':
      return void req.socket.end('this is no HTTP\r\n\r\n')
    case 'hang':
      return
    case 'hang-later':
      res.writeHead(200, { 'Content-Type': 'text/plain' })
      return void res.write('the beginning')
    case 'slow':
      return void slowly(res, ['one ', 'two ', 'three ', 'four'])
    case 'early':
      return void res.writeHead(413, { 'Content-Type': 'text/plain' }).end('too large')
    case 'interim':
      res.writeEarlyHints({ link: '</style.css>; rel=preload' })
      res.writeProcessing()
      return void res.end('after two interim answers')
    case 'switching':
      return void req.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n')
    case 'trailers':
      res.writeHead(200, { Trailer: 'x-checksum', 'Content-Type': 'text/plain' })
      res.write('with a trailer')
      res.addTrailers({ 'x-checksum': 'abc' })
      return void res.end()
    case 'cookies':
      res.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2; Domain=target.example; HttpOnly', 'c=3'])
      return void res.end('cookies')
    case 'redirect':
      return void res
        .writeHead(Number(searchParams.get('status') ?? 302), { Location: searchParams.get('to') ?? '/there' })
        .end()
    case 'repeated':
      return void req.socket.end(
        'HTTP/1.1 200 OK\r\nX-Two: a\r\nx-two: b\r\nContent-Type: text/plain\r\ncontent-type: text/html\r\n' +
          'Vary: one\r\nVary: two\r\nCookie: a\r\nCookie: b\r\nAge: 1\r\nAge: 2\r\nX-Latin: \xfc\r\nX-Empty:\r\n' +
          'Content-Length: 8\r\nConnection: close\r\n\r\nrepeated',
        'latin1',
      )
    case 'two-framings':
      return void req.socket.end(
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
      )
    case 'two-lengths':
      return void req.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nnot')
    case 'old':
      return void req.socket.end('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end')
    case 'closing':
      return void res.writeHead(200, { Connection: 'close' }).end('closing')
    case 'large':
      res.setHeader('Content-Type', searchParams.get('type') ?? 'text/plain; charset=utf-8')
      if (searchParams.has('length')) res.setHeader('Content-Length', LARGE.length)
      if (searchParams.has('cache')) res.setHeader('Cache-Control', searchParams.get('cache') ?? '')
      if (searchParams.has('vary')) res.setHeader('Vary', searchParams.get('vary') ?? '')
      if (searchParams.has('etag')) res.setHeader('ETag', '"large"')
      if (searchParams.has('length')) return void res.end(LARGE)
      res.write(LARGE.slice(0, 5000))
      return void res.end(LARGE.slice(5000))
    case 'encoded':
      return void res
        .writeHead(200, { 'Content-Encoding': 'br', 'Content-Type': 'text/plain' })
        .end(Buffer.from('CwWAaGVsbG8gdGhlcmUhAw==', 'base64'))
    case 'bytes':
      res.writeHead(200, { 'Content-Type': 'application/octet-stream' })
      return void pour(res, Number(searchParams.get('size')))
    case 'trickle':
      res.writeHead(200, { 'Content-Type': 'text/plain' })
      return trickle(res, Number(searchParams.get('times')), Number(searchParams.get('ms')))
    case 'empty':
      return void res.writeHead(200, { 'Content-Length': '0', 'Content-Type': 'text/plain' }).end()
    case 'headers':
      return void res
        .writeHead(200, {
          'Cache-Control': 'public, max-age=60',
          ETag: '"target"',
          'Last-Modified': 'Wed, 01 Jan 2020 00:00:00 GMT',
          'X-Powered-By': 'target',
          'x-rule': 'of the target',
          Date: 'Wed, 01 Jan 2020 00:00:00 GMT',
          Server: 'target/1',
          'Content-Type': 'text/plain',
        })
        .end('headers')
    case 'picture':
    case 'anything':
      return void answerPicture(res, pathname, searchParams)
    case 'upgrade-required':
      return void res.writeHead(426, { Upgrade: 'websocket', 'Content-Type': 'text/plain' }).end('upgrade')
    default:
      return echo(req, res)
  }
}

/** A picture of one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** More bytes than the fixture `images` takes. */
const LARGE_PICTURE = 150_000

/**
 * Pictures of another server, and what comes in their place.
 * @param {import('node:http').ServerResponse} res
 * @param {string} pathname
 * @param {URLSearchParams} searchParams
 */
function answerPicture(res, pathname, searchParams) {
  const [kind = '', detail = ''] = pathname.split('/').slice(2)
  const type = { 'Content-Type': 'image/png' }
  switch (kind) {
    case 'aged.png':
      return res.writeHead(200, { ...type, 'Cache-Control': `max-age=${searchParams.get('max')}` }).end(PIXEL)
    case 'tagged.png':
      return res.writeHead(200, { ...type, ETag: 'W/"of the target"' }).end(PIXEL)
    case 'gzip.png':
      return res.writeHead(200, { ...type, 'Content-Encoding': 'gzip' }).end(gzipSync(PIXEL))
    case 'deflate.png':
      return res.writeHead(200, { ...type, 'Content-Encoding': 'deflate, gzip' }).end(gzipSync(deflateSync(PIXEL)))
    case 'brotli.png':
      return res.writeHead(200, { ...type, 'Content-Encoding': 'br' }).end(brotliCompressSync(PIXEL))
    case 'six-codings.png':
      return res.writeHead(200, { ...type, 'Content-Encoding': 'gzip,gzip,gzip,gzip,gzip,gzip' }).end(PIXEL)
    case 'unknown-coding.png':
      return res.writeHead(200, { ...type, 'Content-Encoding': 'other' }).end(PIXEL)
    case 'html':
      return res.writeHead(200, type).end('<!doctype html>')
    case 'empty':
      return res.writeHead(200, { ...type, 'Content-Length': '0' }).end()
    case 'large':
      return res.writeHead(200, type).end(Buffer.alloc(LARGE_PICTURE))
    case 'large-gzip':
      return res.writeHead(200, { ...type, 'Content-Encoding': 'gzip' }).end(gzipSync(Buffer.alloc(LARGE_PICTURE)))
    case 'status':
      return res.writeHead(Number(detail), type).end(detail === '204' || detail === '304' ? undefined : PIXEL)
    case 'redirect':
      return res
        .writeHead(302, {
          Location: Number(detail) > 1 ? `/picture/redirect/${Number(detail) - 1}` : '/picture/tiny.png',
        })
        .end('a body that nobody reads')
    case 'redirect-nowhere':
      return res.writeHead(302).end(PIXEL)
    case 'redirect-other-scheme':
      return res.writeHead(302, { Location: 'ftp://127.0.0.1/picture/tiny.png' }).end()
    case 'redirect-to':
      return res.writeHead(302, { Location: searchParams.get('to') ?? '/' }).end()
    case 'broken-off':
      res.writeHead(200, { ...type, 'Content-Length': '1000' })
      return void res.write(PIXEL, () => res.socket?.destroy())
    case 'hang':
      return
    default:
      return res.writeHead(200, type).end(PIXEL)
  }
}

/**
 * Tells what arrived: nothing of it depends on how the connections are used.
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 */
function echo(req, res) {
  const hash = createHash('sha256')
  let length = 0
  let text = ''
  req.on('data', chunk => {
    hash.update(chunk)
    length += chunk.length
    if (length <= 2000) text += chunk.toString('latin1')
  })
  req.on('end', () => {
    /** @type {string[]} */
    const headers = []
    /** @type {string[]} */
    const ofConnection = []
    for (let i = 0; i < req.rawHeaders.length; i += 2) {
      const name = (req.rawHeaders[i] ?? '').toLowerCase()
      ;(OF_CONNECTION.includes(name) ? ofConnection : headers).push(`${name}: ${req.rawHeaders[i + 1]}`)
    }
    res.setHeader('Content-Type', 'application/json')
    res.setHeader('X-Of-Connection', ofConnection.join(' | '))
    res.end(
      JSON.stringify(
        {
          method: req.method,
          url: req.url,
          version: req.httpVersion,
          headers,
          body: length > 2000 ? `${length} bytes ${hash.digest('hex')}` : text,
          trailers: req.rawTrailers,
        },
        null,
        1,
      ),
    )
  })
}

const BLOCK = Buffer.alloc(64 * 1024, 'ferronext')

/**
 * Many bytes, no faster than they are taken.
 * @param {import('node:http').ServerResponse} res
 * @param {number} left
 */
function pour(res, left) {
  if (left <= 0 || res.destroyed) return void res.end()
  res.write(BLOCK.subarray(0, Math.min(left, BLOCK.length)), () => pour(res, left - BLOCK.length))
}

/**
 * A little every few milliseconds.
 * @param {import('node:http').ServerResponse} res
 * @param {number} times
 * @param {number} ms
 */
function trickle(res, times, ms) {
  if (times === 0) return void res.end()
  res.write('.')
  setTimeout(trickle, ms, res, times - 1, ms)
}

/** @param {string[]} rawHeaders */
const pairs = rawHeaders =>
  rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name.toLowerCase()}: ${rawHeaders[i + 1]}`] : []))

/**
 * Each part leaves when the one before has left: no clock is involved.
 * @param {import('node:http').ServerResponse} res
 * @param {string[]} parts
 */
function slowly(res, [part, ...rest]) {
  if (part === undefined) return void res.end()
  res.write(part, () => setImmediate(slowly, res, rest))
}
