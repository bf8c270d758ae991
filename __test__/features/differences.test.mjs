// What ferronext does on purpose where upstream does something else. The list is __test__/conformance/differences.mjs.

import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { openConnection, sendRaw } from '../support/raw.mjs'
import { header, json, serveFixture } from '../support/serve-fixture.mjs'
import { startServer } from '../support/server.mjs'
import { NEWEST } from '../support/workspace.mjs'

/** Lines beside the newest. */
const lines = (process.env.FERRONEXT_LINES ?? '').split(',').filter(line => line && line !== NEWEST)

const source = fileURLToPath(new URL('../fixtures/app-router', import.meta.url))

/** @type {string} */
let app
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server

beforeAll(async () => {
  const { dir } = await buildFixture({ line: '16.4', source })
  app = await copyApp(dir, 'differences')
  server = await startServer({ dir: app, engine: 'ferronext' })
})

afterAll(async () => {
  await server?.stop()
  await removeApp(app)
})

/** @param {string} request the head, without the blank line */
async function ask(request) {
  const connection = await openConnection({ port: server.port })
  connection.write(Buffer.from(`${request.replaceAll('\n', '\r\n')}\r\nHost: localhost\r\n\r\n`))
  const response = await connection.read(request.split(' ', 1)[0])
  connection.close()
  return response
}

it('length-instead-of-chunks: a compressed page says how long it is, and is that long', async () => {
  const plain = await ask('GET / HTTP/1.1')
  const coded = await ask('GET / HTTP/1.1\nAccept-Encoding: gzip')
  expect(coded.framing).toBe('length')
  expect(gunzipSync(coded.body)).toEqual(plain.body)
})

it('query-keys-of-object-prototype: such a key has the value that was sent', async () => {
  const { body } = await ask('GET /dynamic?constructor=2 HTTP/1.1')
  expect(body.toString()).toContain('&quot;constructor&quot;:&quot;2&quot;')
})

it('failed-payloads-end: a payload whose page throws is an error, and no redirect', async () => {
  const { dir } = await buildFixture({
    line: NEWEST,
    source: fileURLToPath(new URL('../fixtures/versions', import.meta.url)),
  })
  const copy = await copyApp(dir, 'failed-payloads')
  const own = await startServer({ dir: copy, engine: 'ferronext' })
  try {
    // The hash of these headers.
    const hash = createHash('sha256').update('0,0,rubbish,/users/u').digest().subarray(0, 12).toString('base64url')
    const { status, headers } = await sendRaw({
      port: own.port,
      target: `/users/u/pics/p?_rsc=${hash}`,
      headers: { rsc: '1', 'next-url': '/users/u', 'next-router-state-tree': 'rubbish' },
    })
    expect(status).toBe(500)
    expect(headers.map(([name]) => name.toLowerCase())).not.toContain('location')
  } finally {
    await own.stop()
    await removeApp(copy)
  }
})

it('answer-before-the-body: the fault in the body ends the connection', async () => {
  const socket = connect(server.port, '127.0.0.1')
  let received = ''
  socket.setEncoding('latin1').on('data', text => {
    received += text
  })
  const closed = new Promise(resolve => socket.on('close', resolve))
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n')
  await closed
  expect(received).toMatch(/^HTTP\/1\.1 40[05] /)
  expect((await ask('GET / HTTP/1.1')).status).toBe(200)
})

it.each([NEWEST, ...lines])(
  'parameters-of-api-routes: they are those of the rewrite, whatever the client says, on %s',
  async line => {
    const served = await serveFixture({ fixture: 'trailing-slash', serverFile: 'custom.mjs', name: 'api', line })
    try {
      for (const [target, query] of /** @type {[string, object][]} */ ([
        ['/base/item/1/', { id: '1' }],
        ['/base/item/1/?id=9', { id: '1' }],
        ['/base/other/1/?id=9', { id: '7' }],
      ])) {
        expect(json(await served.ask(target)).query, target).toMatchObject(query)
      }
    } finally {
      await served.close()
    }
  },
)

it.each([NEWEST, ...lines])('no-url-with-locales: such a target is redirected on %s', async line => {
  const served = await serveFixture({ fixture: 'locales-base', serverFile: 'custom.mjs', name: 'no-url', line })
  try {
    const answer = await served.ask('http://u:p@/site/')
    expect([answer.status, header(answer, 'location')]).toEqual([308, 'http:/u:p@/site/'])
  } finally {
    await served.close()
  }
})
