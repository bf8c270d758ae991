// The option `trustProxy`: whose `X-Forwarded-*` headers are believed.

import { createRequire } from 'node:module'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, serveFixture } from '../support/serve-fixture.mjs'
import { ensureWorkspace, installFerronext } from '../support/workspace.mjs'

/** What a client says of itself; its socket is 127.0.0.1. */
const CLAIMS = {
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'claimed.example',
  'X-Forwarded-Port': '8443',
  'X-Forwarded-For': '6.6.6.6, 203.0.113.7, 10.1.1.1',
}
const LOOPBACK = /^(::ffff:)?127\.0\.0\.1$/

/** @param {unknown} trustProxy */
const serve = trustProxy =>
  serveFixture({ fixture: 'custom-server', serverFile: 'custom.mjs', options: { trustProxy } })

/** @typedef {Awaited<ReturnType<typeof serve>>} Server */

/** @param {Server} server */
const seen = async server => json(await server.ask('/route', { headers: CLAIMS }))

/** @param {unknown} trustProxy @param {(server: () => Server) => void} tests */
const withOption = (trustProxy, tests) =>
  describe(`trustProxy: ${JSON.stringify(trustProxy)}`, () => {
    /** @type {Server} */
    let server
    beforeAll(async () => {
      server = await serve(trustProxy)
    })
    afterAll(() => server?.close())
    tests(() => server)
  })

for (const trustProxy of [true, ['loopback'], '127.0.0.1, ::1', ['127.0.0.0/8', '10.0.0.0/8']]) {
  withOption(trustProxy, server => {
    it('believes the proxy', async () => {
      const { url, seen: headers } = await seen(server())
      expect(url).toBe('https://localhost:3000/route')
      expect(headers).toMatchObject({
        'x-forwarded-host': 'claimed.example',
        'x-forwarded-proto': 'https',
        'x-forwarded-port': '8443',
      })
    })
  })
}

for (const trustProxy of [false, [], ['10.0.0.0/8', '::1', 'uniquelocal'], ['128.0.0.1']]) {
  withOption(trustProxy, server => {
    it('believes the socket in routes', async () => {
      const { url, seen: headers } = await seen(server())
      expect(url).toBe('http://localhost:3000/route')
      expect(headers).toMatchObject({
        'x-forwarded-host': 'localhost',
        'x-forwarded-proto': 'http',
        'x-forwarded-port': '3000',
        'x-forwarded-for': expect.stringMatching(LOOPBACK),
      })
    })

    it('believes the socket in pages and in pages that the server asks for itself', async () => {
      const page = await server().ask('/dynamic', { headers: CLAIMS })
      expect(page.decoded.toString()).not.toContain('claimed.example')
      const call = { method: 'renderToHTML', args: ['/dynamic'] }
      const { returned } = json(await server().ask('/x', { headers: CLAIMS, call }))
      expect(returned).toContain('x-forwarded-host')
      expect(returned).not.toContain('claimed.example')
    })

    it('compares the origin of a server action with the host', async () => {
      const headers = { 'Next-Action': '0'.repeat(42), Origin: 'http://claimed.example', ...CLAIMS }
      const refused = await server().ask('/action', { method: 'POST', body: '[]', headers })
      expect(refused.status).toBe(500)
    })

    it('leaves what the user’s own server has set', async () => {
      const call = { requestHeaders: { 'x-forwarded-host': 'mine.example' } }
      const { seen: headers } = json(await server().ask('/route', { call }))
      expect(headers['x-forwarded-host']).toBe('mine.example')
    })
  })
}

withOption(['loopback', '10.0.0.0/8'], server => {
  it('cuts what no trusted proxy wrote, so that the first address is the client', async () => {
    const { seen: headers } = await seen(server())
    expect(headers['x-forwarded-for']).toBe('203.0.113.7, 10.1.1.1')
  })

  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['10.2.2.2, 10.1.1.1', '10.2.2.2, 10.1.1.1'],
    ['6.6.6.6, not an address, ::ffff:10.1.1.1', 'not an address, ::ffff:10.1.1.1'],
    ['6.6.6.6,203.0.113.7:443', '203.0.113.7:443'],
    ['', ''],
    [',,,', ''],
  ])('%j becomes %j', async (sent, left) => {
    const { seen: headers } = json(await server().ask('/route', { headers: { 'X-Forwarded-For': sent } }))
    expect(headers['x-forwarded-for']).toBe(left)
  })
})

describe('a list that cannot be understood', () => {
  it.each([
    [5],
    [{}],
    ['example.com'],
    [['10.0.0.0/33']],
    [['10.0.0.0/-1']],
    [['::1/129']],
    [['10.0.0.0/8/8']],
    [[5]],
    [['']],
    [null],
  ])('next() refuses %j and names the option', async trustProxy => {
    const { dir } = await ensureWorkspace({ line: '16.4' })
    await installFerronext(dir)
    const next = createRequire(path.join(dir, 'package.json'))('ferronext')
    expect(() => next({ dir, trustProxy })).toThrow(/`trustProxy`/)
    expect(() => next({ dir, trustProxy })).toThrow(expect.objectContaining({ code: 'FERRONEXT_BAD_OPTION' }))
  })
})
