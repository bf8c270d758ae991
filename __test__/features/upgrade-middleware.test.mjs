// Middleware has its say on requests to upgrade the connection, as on any other.

import { once } from 'node:events'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { pointAtTarget, startTarget } from '../support/target.mjs'

const source = fileURLToPath(new URL('../fixtures/middleware', import.meta.url))

/** @type {string} */
let app
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server
/** @type {Awaited<ReturnType<typeof startTarget>>} */
let target

beforeAll(async () => {
  const { dir } = await buildFixture({ line: '16.4', source })
  app = await copyApp(dir, 'upgrade-middleware')
  target = await startTarget()
  pointAtTarget(path.join(app, '.next'), target.port)
  server = await startServer({ dir: app, engine: 'ferronext' })
  // A server that is not named by `httpServer` is listened to from its first request on.
  await sendRaw({ port: server.port })
})

beforeEach(() => {
  target.seen.length = 0
})

afterAll(async () => {
  await server?.stop()
  await target?.close()
  await removeApp(app)
})

/** @param {string} url @returns {Promise<WebSocket>} once it is open */
async function open(url) {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${url}`)
  await once(socket, 'open')
  return socket
}

it.each(['/external/socket?mw=next', '/static?mw=rewrite&to=http://127.0.0.1:{port}/socket'])(
  'lets %s through',
  async url => {
    const socket = await open(url.replace('{port}', String(target.port)))
    socket.send('hello')
    const [data] = await once(socket, 'message')
    expect(data.toString()).toBe('hello')
    socket.close()
    await once(socket, 'close')
  },
)

it('changes the headers that the other server sees', async () => {
  const upgrade = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  }
  const headers = { 'X-Removed': 'here', ...upgrade }
  const { body } = await sendRaw({ port: server.port, target: '/external/headers?mw=override', headers })
  expect(body.toString().toLowerCase()).toContain('x-added: by middleware')
  expect(body.toString().toLowerCase()).not.toContain('x-removed')
})

it.each(['answer&to=text&status=401', 'throw', 'redirect&to=/static'])(
  'keeps the other server out of it with "%s"',
  async mode => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/external/socket?mw=${mode}`)
    await once(socket, 'error')
    expect(target.seen).toEqual([])
    // The server is still there.
    const { status } = await sendRaw({ port: server.port, target: '/file.txt' })
    expect(status).toBe(200)
  },
)
