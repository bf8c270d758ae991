// Requests to upgrade the connection: a rewrite leads to another server's web socket, the user's own handlers come first, and
// no socket is left that nobody will ever answer.

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { openConnection, sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { pointAtTarget, startTarget } from '../support/target.mjs'

const source = fileURLToPath(new URL('../fixtures/external', import.meta.url))

/** @type {string} */
let app
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server
/** @type {Awaited<ReturnType<typeof startServer>>} */
let owner
/** @type {Awaited<ReturnType<typeof startServer>>} */
let passing
/** @type {Awaited<ReturnType<typeof startTarget>>} */
let target

/**
 * A server with upgrade handlers of its own: one that was there before Next.js, one after, and one that takes its time.
 * It also tells how many of its connections are open.
 */
const OWNER = `import { createServer } from 'node:http'
import next from 'next'

let app
const server = createServer((req, res) => {
  if (req.url === '/connections') return void server.getConnections((_, count) => res.end(String(count)))
  app.getRequestHandler()(req, res)
})
const take = (req, socket, by) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: own\\r\\nX-By: ' + by + '\\r\\n\\r\\n')
  socket.on('data', chunk => socket.write(chunk))
  socket.on('end', () => socket.end())
  socket.on('error', () => {})
}
server.on('upgrade', (req, socket) => {
  if (req.url.startsWith('/own-before') || req.url === '/base/page-and-rule?own') take(req, socket, 'before')
})
app = next({ dev: false, httpServer: server })
await app.prepare()
server.on('upgrade', (req, socket) => {
  if (req.url.startsWith('/own-after') || req.url === '/base/any/socket?own') take(req, socket, 'after')
  if (req.url.startsWith('/own-later')) setTimeout(take, 100, req, socket, 'later')
})
server.listen(process.env.PORT, () => console.log('listening'))
`

/** The same, with nobody else who listens. */
const ALONE = OWNER.replace(/server\.on\('upgrade'[\s\S]*?\n\}\)\n/g, '')

/** A server that passes upgrades on itself: at once, or when it has looked at them. */
const PASSING = `import { createServer } from 'node:http'
import next from 'next'

const app = next({ dev: false })
await app.prepare()
const server = createServer(app.getRequestHandler())
server.on('upgrade', async (req, socket, head) => {
  if (req.url.includes('later')) await new Promise(resolve => setTimeout(resolve, 20))
  await app.upgradeHandler(req, socket, head)
  if (req.url.startsWith('/own')) socket.end('HTTP/1.1 426 Upgrade Required\\r\\nContent-Length: 0\\r\\n\\r\\n')
})
server.listen(process.env.PORT, () => console.log('listening'))
`

beforeAll(async () => {
  const { dir } = await buildFixture({ line: '16.4', source })
  app = await copyApp(dir, 'upgrade')
  target = await startTarget()
  pointAtTarget(path.join(app, '.next'), target.port)
  writeFileSync(path.join(app, 'owner.mjs'), OWNER)
  writeFileSync(path.join(app, 'alone.mjs'), ALONE)
  writeFileSync(path.join(app, 'passing.mjs'), PASSING)
  owner = await startServer({ dir: app, engine: 'ferronext', serverFile: 'owner.mjs' })
  server = await startServer({ dir: app, engine: 'ferronext', serverFile: 'alone.mjs' })
  passing = await startServer({ dir: app, engine: 'ferronext', serverFile: 'passing.mjs' })
})

beforeEach(() => {
  target.seen.length = 0
})

afterAll(async () => {
  await server?.stop()
  await owner?.stop()
  await passing?.stop()
  await target?.close()
  await removeApp(app)
})

/** @param {typeof server} on */
const connections = async on =>
  Number((await sendRaw({ port: on.port, target: '/connections', headers: { Connection: 'close' } })).body) - 1

/** @param {string} target @param {typeof server} on @param {string} [more] further header lines */
async function upgrade(target, on, more = '') {
  const connection = await openConnection({ port: on.port, timeout: 3000 })
  connection.write(
    `GET ${target} HTTP/1.1\r\nHost: own.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`,
  )
  return connection
}

/** @param {string} path */
async function openSocket(path, on = server) {
  const socket = new WebSocket(`ws://127.0.0.1:${on.port}${path}`)
  await once(socket, 'open')
  return socket
}

describe('app.upgradeHandler', () => {
  // The second time the app knows the server from its first request, and listens to it itself.
  it.each([false, true])('is passed upgrades once, whoever else listens (%s)', async known => {
    if (known) await sendRaw({ port: passing.port, target: '/base/plain.txt' })
    for (const path of ['/base/any/socket?at=once', '/base/any/socket?later']) {
      target.seen.length = 0
      const socket = await openSocket(path, passing)
      socket.send('hello')
      expect(String((await once(socket, 'message'))[0])).toBe('hello')
      expect(target.seen).toHaveLength(1)
      socket.close()
      await once(socket, 'close')
    }
    const page = await upgrade('/base/blog/known', passing)
    expect(await page.read().catch(error => error.message)).toMatch(/ended|closed/)
    page.close()
    const own = await upgrade('/own', passing)
    expect((await own.read()).status).toBe(426)
    own.close()
  })
})

describe('a rewrite to a web socket', () => {
  it('messages of every kind and size go both ways', async () => {
    const socket = await openSocket('/base/any/socket?x=1')
    expect(target.seen).toEqual([{ method: 'UPGRADE GET', url: '/socket?x=1', socket: 0 }])
    for (const message of ['hello', Buffer.from([0, 1, 255]), Buffer.alloc(3 * 1024 * 1024, 'large'), '']) {
      socket.send(message)
      const [data, isBinary] = await once(socket, 'message')
      expect(isBinary).toBe(typeof message !== 'string')
      expect(Buffer.compare(data, Buffer.from(message))).toBe(0)
    }
    socket.ping('are you there')
    expect(String((await once(socket, 'pong'))[0])).toBe('are you there')
    socket.close(4000, 'enough')
    expect((await once(socket, 'close'))[0]).toBe(4000)
  })

  it('the target is told who asked, and what was sent along arrives', async () => {
    const connection = await upgrade('/base/any/headers', server, 'Cookie: a=1\r\nX-Forwarded-Host: fake\r\n')
    const said = (await connection.read()).body.toString().split('\n')
    expect(said).toEqual([
      'GET /headers',
      `host: 127.0.0.1:${target.port}`,
      'connection: Upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
      'cookie: a=1',
      'x-forwarded-host: own.example',
    ])
    connection.close()
  })

  it('frames that follow the request at once are not lost', async () => {
    const socket = connect(server.port, '127.0.0.1')
    // A masked text frame with the mask 0: "hi".
    const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
    const head =
      'GET /base/any/socket HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    socket.write(Buffer.concat([Buffer.from(head), frame]))
    let received = Buffer.alloc(0)
    while (!received.includes('\x81\x02hi', 0, 'latin1')) {
      received = Buffer.concat([received, (await once(socket, 'data'))[0]])
    }
    socket.destroy()
  })

  it('who goes away takes the other side along', async () => {
    await vi.waitFor(() => expect(target.sockets()).toBe(0))
    const left = await openSocket('/base/any/socket')
    const right = await openSocket('/base/any/socket')
    expect(target.sockets()).toBe(2)
    left.terminate()
    await vi.waitFor(() => expect(target.sockets()).toBe(1))
    const closed = once(right, 'close')
    target.server.closeAllConnections()
    for (const client of target.webSockets.clients) client.terminate()
    await closed
    await vi.waitFor(async () => expect(await connections(server)).toBe(0))
  })

  it.each(['refuses-upgrade', 'chunked-refusal'])('refused-upgrade-ends: %s reaches the client whole', async path => {
    const connection = await upgrade(`/base/any/${path}`, server)
    const response = await connection.read()
    expect([response.status, response.body.toString(), response.closed]).toEqual([403, 'no', true])
    connection.close()
  })

  it.each([
    ['/base/any/reset', 'socket hang up'],
    ['/base/refused/x', 'connect ECONNREFUSED 127.0.0.1:9'],
    ['/base/any/hang', 'nothing came for 900 ms'],
  ])('failed-upgrade-is-answered: %s', async (path, message) => {
    const from = server.output().length
    const connection = await upgrade(path, server)
    const response = await connection.read()
    expect([response.status, response.body.toString(), response.closed]).toEqual([500, 'Internal Server Error', true])
    const printed = server.output().slice(from).trim().split('\n')
    expect(printed).toHaveLength(1)
    expect(printed[0]).toMatch(/^Failed to proxy http/)
    expect(printed[0]).toContain(message)
    connection.close()
  })
})

describe('the handlers of the user', () => {
  it.each([
    ['/own-before', 'before'],
    ['/own-after', 'after'],
    ['/own-later', 'later'],
    ['/base/page-and-rule?own', 'before'],
    ['/base/any/socket?own', 'after'],
  ])('%s belongs to them', async (path, by) => {
    const connection = await upgrade(path, owner)
    const response = await connection.read()
    expect(response.status).toBe(101)
    expect(response.headers).toContainEqual(['X-By', by])
    connection.write('still there')
    expect((await connection.readSome(11)).toString()).toBe('still there')
    connection.close()
    expect(target.seen).toEqual([])
  })

  it('what they leave is proxied or ended', async () => {
    const proxied = await upgrade('/base/any/socket', owner)
    expect((await proxied.read()).status).toBe(101)
    proxied.close()
    const ended = await upgrade('/base/page-and-rule', owner)
    await expect(ended.read()).rejects.toThrow('connection ended')
    ended.close()
  })

  it('what has not been answered yet may still be theirs', async () => {
    await vi.waitFor(async () => expect(await connections(owner)).toBe(0))
    const connection = await upgrade('/nobody', owner)
    // A request on another connection goes through the whole server meanwhile.
    expect(await connections(owner)).toBe(1)
    connection.close()
  })
})

describe('no-orphan-sockets', () => {
  it.each([
    ['a page', '/base/page-and-rule'],
    ['a file', '/base/plain.txt'],
    ['a redirect', '/base/redirect-out'],
    ['nothing', '/nowhere'],
    ['CVE-2026-44578: an absolute target', 'http://169.254.169.254/latest/meta-data'],
    ['CVE-2026-44578: an absolute target with the path of a rewrite', 'http://169.254.169.254/base/any/socket'],
    ['CVE-2026-44578: a target without a scheme', '//169.254.169.254/latest/meta-data'],
  ])('%s: the socket is ended', async (_, path) => {
    const from = server.output().length
    const connection = await upgrade(path, server)
    await expect(connection.read()).rejects.toThrow('connection ended')
    expect(server.output().slice(from)).toBe('')
    expect(target.seen).toEqual([])
    connection.close()
  })

  it('another method is not proxied', async () => {
    const connection = await openConnection({ port: server.port, timeout: 3000 })
    connection.write('POST /base/any/socket HTTP/1.1\r\nUpgrade: websocket\r\nHost: h\r\nConnection: Upgrade\r\n\r\n')
    await expect(connection.read()).rejects.toThrow('connection ended')
    connection.close()
    expect(target.seen).toEqual([])
  })

  it('one that no handler beside ours takes is ended after a few seconds', async () => {
    const ended = () =>
      vi.waitFor(async () => expect(await connections(owner)).toBe(0), { timeout: 9000, interval: 200 })
    await ended()
    const connection = await upgrade('/nobody', owner)
    await vi.waitFor(async () => expect(await connections(owner)).toBe(1))
    await ended()
    connection.close()
  }, 25_000)

  it('a client that keeps its half open is let go', async () => {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
    socket.write('GET /base/page-and-rule HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.resume()
    await once(socket, 'end')
    await vi.waitFor(async () => expect(await connections(server)).toBe(0))
    socket.destroy()
  })
})

describe('a request that offers another protocol', () => {
  it.each(
    /** @type {[string, () => typeof server][]} */ ([
      ['h2c', () => server],
      ['h2c', () => owner],
      ['TLS/1.2', () => owner],
      ['something/1', () => server],
    ]),
  )('%s: is answered as if it did not', async (protocol, on) => {
    const connection = await openConnection({ port: on().port, timeout: 3000 })
    const offer = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n`
    connection.write(`GET /base/plain.txt HTTP/1.1\r\nHost: h\r\n${offer}\r\n`)
    const file = await connection.read()
    expect(file.status).toBe(200)
    const plain = await sendRaw({ port: on().port, target: '/base/plain.txt' })
    expect(file.body.toString()).toBe(plain.body.toString())
    // The connection goes on, and a body that came along is not lost.
    connection.write(`POST /base/any/echo HTTP/1.1\r\nHost: h\r\n${offer}Content-Length: 4\r\n\r\nbody`)
    const posted = await connection.read()
    const again = await sendRaw({
      port: on().port,
      target: '/base/any/echo',
      method: 'POST',
      body: 'body',
      headers: { Host: 'h' },
    })
    expect([posted.status, posted.body.toString()]).toEqual([again.status, again.body.toString()])
    connection.close()
  })
})
