// What a custom server can rely on: what it sets on req and res, its AsyncLocalStorage, its frameworks, its order of calls.
// That all of it is what upstream does is compared in __test__/conformance/cases/custom-server.mjs and frameworks.mjs.

import { createRequire } from 'node:module'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { header, json, serveFixture } from '../support/serve-fixture.mjs'
import { ensureWorkspace, installFerronext } from '../support/workspace.mjs'

const fixture = 'custom-server'
const tests = new URL('../', import.meta.url).pathname

/** @typedef {Awaited<ReturnType<typeof serveFixture>>} Served */

/** @param {string} serverFile @param {Record<string, unknown>} [options] */
function serving(serverFile, options) {
  /** @type {Served} */
  let served
  beforeAll(async () => {
    served = await serveFixture({ fixture, serverFile, options, env: { TEST_PACKAGES: tests } })
  })
  afterAll(() => served?.close())
  return () => served
}

/** What a page of the fixture shows. @param {import('../support/raw.mjs').RawResponse} response */
function shown({ decoded }) {
  const text = /<pre>(.*?)<\/pre>/.exec(decoded.toString())?.[1] ?? '{}'
  return JSON.parse(text.replaceAll('&quot;', '"'))
}

describe('a plain server', () => {
  const server = serving('custom.mjs')

  it.each([
    ['cut off', 'multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nhel'],
    ['empty', 'multipart/form-data; boundary=x', ''],
    ['with a broken part', 'multipart/form-data; boundary=x', '--x\r\nodd\r\n\r\nhel\r\n--x--\r\n'],
    ['without a boundary', 'multipart/form-data', '--x\r\n\r\nhel\r\n--x--\r\n'],
  ])('a form that is %s is a bad request and no fault', async (_, type, body) => {
    const from = server().output().length
    for (const target of ['/nowhere', '/nowhere/deep', '/dynamic', '/isr']) {
      const answer = await server().ask(target, { method: 'POST', body, headers: { 'Content-Type': type } })
      expect([target, answer.status]).toEqual([target, 400])
    }
    expect(server().output().slice(from)).toBe('')
    expect((await server().ask('/nowhere')).status).toBe(404)
  })

  it.each([
    '/',
    '/isr',
    '/plain',
    '/item/one',
    '/dynamic',
    '/server',
    '/api/raw',
    '/route',
    '/file.txt',
    '/old',
    '/missing',
  ])('keeps the headers it has set before on %s', async target => {
    const call = { headers: { 'x-before': 'set', 'Set-Cookie': ['a=1', 'b=2'] } }
    const answer = await server().ask(target, { call })
    expect(header(answer, 'x-before')).toBe('set')
    const cookies = answer.headers.filter(([name]) => name.toLowerCase() === 'set-cookie')
    expect(cookies.map(([, value]) => value)).toEqual(['a=1', 'b=2'])
  })

  it.each(['/', '/isr', '/plain', '/item/one', '/dynamic', '/server', '/file.txt'])(
    'keeps its status on %s',
    async target => expect((await server().ask(target, { call: { status: 418 } })).status).toBe(418),
  )

  it.each(['/old', '/missing', '/item/missing'])(
    'and an answer with a status of its own has that: %s',
    async target => {
      const usual = await server().ask(target)
      expect((await server().ask(target, { call: { status: 418 } })).status).toBe(usual.status)
    },
  )

  it.each(['/', '/isr', '/missing'])('vary-of-the-server: keeps its Vary on %s', async target => {
    const answer = await server().ask(target, { call: { headers: { Vary: 'X-Mine' } } })
    expect(header(answer, 'vary')).toMatch(/^X-Mine, rsc, /)
    expect(header(await server().ask(target), 'vary')).not.toContain('X-Mine')
  })

  it('has one AsyncLocalStorage with pages, routes and API routes, after their awaits too', async () => {
    const call = { store: 'of this request' }
    expect(shown(await server().ask('/dynamic', { call }))).toMatchObject({ store: call.store, later: call.store })
    expect(shown(await server().ask('/server', { call })).store).toBe(call.store)
    expect(json(await server().ask('/route', { call })).store).toBe(call.store)
    expect(json(await server().ask('/api/echo', { call })).store).toBe(call.store)
    expect(shown(await server().ask('/dynamic')).store).toBe(null)
  })

  it('keeps the stores of requests that run at the same time apart', async () => {
    const stores = Array.from({ length: 20 }, (_, index) => `request ${index}`)
    const answers = await Promise.all(stores.map(store => server().ask('/dynamic', { call: { store } })))
    expect(answers.map(answer => shown(answer).later)).toEqual(stores)
  })

  it('sees in its store what the page has put there', async () => {
    const args = ['/server']
    const { visited, returned } = json(
      await server().ask('/x', { call: { store: 'of the server', method: 'renderToHTML', args } }),
    )
    expect(visited).toEqual(['page'])
    expect(returned).toContain('of the server')
  })

  it('can ask for a page by any path without a way around the app', async () => {
    for (const args of [
      [''],
      [null],
      ['no-slash'],
      ['//evil.example'],
      ['/../..'],
      ['/%'],
      ['\\'],
      [{}],
      [undefined],
    ]) {
      for (const method of ['render', 'renderToHTML']) {
        const answer = await server().ask('/x', { call: { method, args, report: true } })
        expect(answer.status, `${method}(${JSON.stringify(args)})`).toBeLessThan(600)
        expect(answer.decoded.toString()).not.toContain('root:')
      }
    }
    expect((await server().ask('/')).status).toBe(200)
  })

  it('answers an empty URL with 500, as upstream does', async () => {
    for (const call of [{ url: '' }, { parsed: { pathname: '' } }, { parsed: { pathname: null } }]) {
      const answer = await server().ask('/', { call })
      expect([answer.status, answer.decoded.toString()]).toEqual([500, 'Internal Server Error'])
    }
  })

  it('warns once of each deprecated method', async () => {
    for (let i = 0; i < 3; i++) await server().ask('/x', { call: { method: 'render404', args: [] } })
    expect(
      server()
        .output()
        .match(/`app\.render404\(\)` method is deprecated/g),
    ).toHaveLength(1)
    expect(server().output()).not.toContain('app.getRequestHandler()` method is deprecated')
  })

  it('revalidates what it asks for', async () => {
    const preview = json(await server().ask('/api/revalidate?path=/item/again'))
    expect(preview).toEqual({ revalidated: true })
    expect(header(await server().ask('/item/again'), 'x-nextjs-cache')).toBe('HIT')
  })
})

describe('Express', () => {
  const server = serving('express.mjs')

  it('shows what its middleware put on req and res to pages and API routes', async () => {
    const expected = { user: { name: 'ann' }, locals: { seen: '/api/echo' } }
    expect(json(await server().ask('/api/echo'))).toMatchObject(expected)
    expect(shown(await server().ask('/server'))).toMatchObject({ user: { name: 'ann' }, locals: { seen: '/server' } })
  })

  it('finds a mounted handler below its mount, and the whole URL where it was', async () => {
    expect(json(await server().ask('/mounted/api/echo?q=1'))).toMatchObject({
      url: '/api/echo?q=1',
      originalUrl: '/mounted/api/echo?q=1',
      query: { q: '1' },
    })
  })

  it('may have read the body before an API route', async () => {
    const headers = { 'Content-Type': 'application/json' }
    const answer = await server().ask('/json/api/echo', { method: 'POST', body: '{"a":[1]}', headers })
    expect(json(answer).body).toEqual({ a: [1] })
  })

  it('tells API routes the address that its trusted proxy names', async () => {
    expect(json(await server().ask('/api/echo', { headers: { 'X-Forwarded-For': '203.0.113.7' } })).ip).toBe(
      '203.0.113.7',
    )
  })

  it('keeps routes of its own, and its headers are on every answer of the app', async () => {
    expect(json(await server().ask('/own'))).toEqual({ own: true })
    for (const target of ['/', '/plain', '/file.txt', '/server', '/route', '/missing', '/old']) {
      expect(header(await server().ask(target), 'x-express'), target).toBe('GET')
    }
  })
})

describe('Fastify', () => {
  const server = serving('fastify.mjs')

  it('shows what its hooks put on the raw request to pages and API routes', async () => {
    expect(json(await server().ask('/api/echo'))).toMatchObject({
      user: { name: 'bob' },
      locals: { seen: '/api/echo' },
    })
    expect(shown(await server().ask('/server'))).toMatchObject({ user: { name: 'bob' } })
  })

  it('leaves bodies to the app', async () => {
    const answer = await server().ask('/api/echo', {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'Content-Type': 'application/json' },
    })
    expect(json(answer).body).toEqual({ a: 1 })
    expect(json(await server().ask('/route', { method: 'POST', body: 'text' })).body).toBe('text')
  })

  it('keeps routes of its own and renders pages by name', async () => {
    expect(json(await server().ask('/own'))).toEqual({ own: true })
    expect(shown(await server().ask('/rendered/7?more=1')).query).toEqual({ id: '7', more: '1' })
  })
})

describe('calls in the wrong order', () => {
  /** @type {any} */
  let app
  beforeAll(async () => {
    const { dir } = await ensureWorkspace({ line: '16.4' })
    await installFerronext(dir)
    app = createRequire(path.join(dir, 'package.json'))('ferronext')({ dir, hostname: 'h', port: 1 })
  })

  const message = 'prepare() must be called before performing this operation'

  it.each(['render', 'renderToHTML', 'renderError', 'renderErrorToHTML', 'render404', 'revalidate'])(
    'app.%s() before prepare() rejects',
    async method => {
      await expect(app[method]({}, {}, '/')).rejects.toThrow(message)
    },
  )

  it.each(['setAssetPrefix', 'logError', 'getUpgradeHandler'])('app.%s() before prepare() throws', method => {
    expect(() => app[method]('x')).toThrow(message)
  })

  it('the handler can be had before prepare() and rejects until then', async () => {
    await expect(app.getRequestHandler()({ url: '/' }, {})).rejects.toThrow(message)
    expect(() => app.requestHandler).toThrow(message)
  })

  it('close() before prepare() has nothing to do, and the options can be read', async () => {
    await expect(app.close()).resolves.toBeUndefined()
    expect([app.hostname, app.port, app.options.hostname]).toEqual(['h', 1, 'h'])
  })
})
