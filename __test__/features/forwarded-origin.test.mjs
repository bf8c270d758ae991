// `trustProxy` with `origin`: behind a reverse proxy, the URLs of a request are those of its client.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import https from 'node:https'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { placeholders } from '../conformance/case.mjs'
import { header, json, serveFixture } from '../support/serve-fixture.mjs'
import { proxyPackage } from '../support/tools.mjs'
import { ensureWorkspace, installFerronext } from '../support/workspace.mjs'

const tls = (/** @type {string} */ file) =>
  readFileSync(fileURLToPath(new URL(`../support/tls/${file}.pem`, import.meta.url)))

/** @param {string} fixture @param {unknown} trustProxy @param {Record<string, unknown>} [options] */
const serve = (fixture, trustProxy, options) =>
  serveFixture({ fixture, serverFile: 'custom.mjs', options: { port: 'own', trustProxy, ...options } })

/** @typedef {Awaited<ReturnType<typeof serve>>} Server */

/**
 * A real proxy with encryption in front of a server.
 * @param {Server} server
 * @param {object} [options] of http-proxy
 */
async function startProxy(server, options) {
  const { createProxyServer } = createRequire(import.meta.url)(await proxyPackage())
  const target = `http://127.0.0.1:${server.port}`
  const proxy = createProxyServer({ target, xfwd: true, ssl: { key: tls('key'), cert: tls('cert') }, ...options })
  proxy.on('error', (/** @type {Error} */ error, /** @type {any} */ _, /** @type {any} */ res) =>
    res.end(String(error)),
  )
  proxy.listen(0, '127.0.0.1')
  const { _server: listening } = proxy
  if (!listening.listening) await once(listening, 'listening')
  const { port } = listening.address()
  /** @param {string} target @param {https.RequestOptions & { body?: string }} [request] */
  const ask = (target, { body, ...request } = {}) =>
    new Promise((resolve, reject) => {
      const asked = https.request({ port, path: target, rejectUnauthorized: false, agent: false, ...request }, res => {
        let text = ''
        res.setEncoding('utf8').on('data', chunk => (text += chunk))
        res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }))
      })
      asked.on('error', reject).end(body)
    })
  return { port, ask, close: () => proxy.close() }
}

describe('behind a proxy that encrypts', () => {
  /** @type {Server} */
  let server
  /** @type {Server} */
  let rules
  /** @type {Awaited<ReturnType<typeof startProxy>>} */
  let proxy
  /** @type {Awaited<ReturnType<typeof startProxy>>} */
  let rulesProxy
  const Host = 'shop.example:8443'
  const origin = `https://${Host}`

  beforeAll(async () => {
    server = await serve('custom-server', { from: 'loopback', origin: true })
    proxy = await startProxy(server)
    rules = await serve('middleware', { from: ['127.0.0.1'], origin: true })
    // Only the proxy knows what the client called it.
    rulesProxy = await startProxy(rules, { changeOrigin: true })
  })
  afterAll(async () => {
    proxy?.close()
    rulesProxy?.close()
    await server?.close()
    await rules?.close()
  })

  it.each(['/route?a=b', '/edge?a=b'])('the URL of %s is the one that the client asked', async target => {
    for (let time = 0; time < 3; time++) {
      const { url, nextUrl } = JSON.parse((await proxy.ask(target, { headers: { Host } })).text)
      expect([url, nextUrl]).toEqual([`${origin}${target}`, `${origin}${target}`])
    }
    const other = JSON.parse((await proxy.ask(target, { headers: { Host: 'other.example' } })).text)
    expect(other.url).toBe(`https://other.example${target}`)
  })

  it('headers agree with it', async () => {
    const { seen } = JSON.parse((await proxy.ask('/route', { headers: { Host } })).text)
    expect(seen).toMatchObject({
      host: Host,
      'x-forwarded-host': Host,
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '8443',
    })
  })

  it('middleware sees it', async () => {
    const { url, nextUrl } = JSON.parse((await rulesProxy.ask('/dynamic?mw=seen', { headers: { Host } })).text)
    expect(url).toBe(`${origin}/dynamic?mw=seen`)
    expect(nextUrl.href).toBe(`${origin}/dynamic?mw=seen`)
  })

  it.each(['redirect', 'redirectUrl'])('a redirect of middleware (%s) leads to it', async effect => {
    const { status, headers } = await rulesProxy.ask(`/dynamic?mw=${effect}&to=/static`, { headers: { Host } })
    expect(status).toBe(307)
    expect(new URL(headers.location, `${origin}/`).href).toBe(`${origin}/static`)
  })

  it('a rewrite of middleware stays here', async () => {
    const { status, headers } = await rulesProxy.ask('/nothing?mw=rewrite&to=/static', { headers: { Host } })
    expect([status, headers['x-middleware-rewrite']]).toEqual([200, '/static'])
  })

  it('a server action from there is accepted, and gets its page from this server', async () => {
    const id = placeholders(path.join(server.dir, '.next')).action ?? ''
    const act = (/** @type {string} */ Origin) =>
      proxy.ask('/action', {
        method: 'POST',
        body: '[]',
        headers: { Host, Origin, 'Next-Action': id, 'Content-Type': 'text/plain;charset=UTF-8' },
      })
    const accepted = await act(origin)
    expect(accepted.headers['x-action-redirect']).toBe('/action-target;push')
    expect(accepted.text).toContain('target of the action')
    expect((await act('https://other.example')).status).toBe(500)
  })

  it('a client that is no proxy is not believed', async () => {
    const close = await serve('custom-server', { from: '10.0.0.0/8', origin: true })
    try {
      const headers = { Host, 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' }
      const { url, seen } = json(await close.ask('/route', { headers }))
      expect(url).toBe(`http://localhost:${close.port}/route`)
      expect(seen['x-forwarded-host']).toBe(Host)
    } finally {
      await close.close()
    }
  })

  const said = (
    /** @type {string} */ host,
    /** @type {string} */ proto = 'https',
    /** @type {string} */ port = '',
  ) => ({
    ...(host && { 'X-Forwarded-Host': host }),
    ...(proto && { 'X-Forwarded-Proto': proto }),
    ...(port && { 'X-Forwarded-Port': port }),
  })
  it.each([
    ['a port apart', said('a.example', 'https', '8443'), 'https://a.example:8443'],
    ['a port in the host', said('a.example:81', 'http', '8080'), 'http://a.example:81'],
    ['the usual port', said('a.example', 'https', '443'), 'https://a.example'],
    ['a port that is none', said('a.example', 'https', '99999'), 'https://a.example'],
    ['no protocol', said('a.example', ''), 'http://a.example'],
    ['an odd protocol', said('a.example', 'gopher'), 'http://a.example'],
    ['a protocol alone, as load balancers say it', said('', 'https', '443'), 'https://internal.example'],
    ['an IPv6 address', said('[2001:db8::1]', 'https', '8443'), 'https://[2001:db8::1]:8443'],
    ['upper case', said('A.Example', 'HTTPS'), 'https://a.example'],
    [
      'two proxies that both added',
      { ...said('a.example, b.example', 'https, http'), 'X-Forwarded-For': '1.2.3.4, 127.0.0.2' },
      'https://a.example',
    ],
    [
      'a list of which the client wrote a part',
      { ...said('evil.example, a.example'), 'X-Forwarded-For': '6.6.6.6, 1.2.3.4' },
      'https://a.example',
    ],
    ['a list without addresses', said('evil.example, a.example'), 'https://a.example'],
    ['what is no host', said('a.example/path?'), 'https://internal.example'],
    ['a user', said('user@a.example'), 'https://internal.example'],
    ['nothing at all', {}, undefined],
  ])('%s', async (_, headers, expected) => {
    const { url } = json(await server.ask('/route', { headers: { Host: 'internal.example', ...headers } }))
    expect(url).toBe(`${expected ?? `http://localhost:${server.port}`}/route`)
  })
})

describe('a list that cannot be understood', () => {
  it.each([
    [{ origin: true }],
    [{ from: 'loopback', origin: 1 }],
    [{ from: 'loopback', orgin: true }],
    [{ from: 'example.com', origin: true }],
  ])('next() refuses %j', async trustProxy => {
    const { dir } = await ensureWorkspace({ line: '16.4' })
    await installFerronext(dir)
    const next = createRequire(path.join(dir, 'package.json'))('ferronext')
    expect(() => next({ dir, trustProxy })).toThrow(expect.objectContaining({ code: 'FERRONEXT_BAD_OPTION' }))
  })
})

describe.each(['127.0.0.1', '::1', 'localhost'])('a server that is told that it is %s', hostname => {
  /** @type {Server} */
  let server
  beforeAll(async () => {
    server = await serve('middleware', undefined, { hostname })
  })
  afterAll(() => server?.close())

  // `request.url` says `localhost` for all of them.
  it.each(['rewrite', 'rewriteUrl'])('keeps a rewrite of middleware (%s) here', async effect => {
    const answer = await server.ask(`/nothing?mw=${effect}&to=/static`)
    expect(answer.status).toBe(200)
    expect(header(answer, 'x-middleware-rewrite')).toMatch(/^\/static/)
  })

  it('keeps a redirect of middleware relative', async () => {
    expect(header(await server.ask('/dynamic?mw=redirect&to=/static'), 'location')).toBe('/static')
  })
})

describe('what the server fetches from itself for an action', () => {
  /** @type {Server} */
  let server
  beforeAll(async () => {
    server = await serve('custom-server', { from: '10.0.0.0/8', origin: true })
  })
  afterAll(() => server?.close())

  it('has the host of the request that it is fetched for', async () => {
    const id = placeholders(path.join(server.dir, '.next')).action ?? ''
    const Host = 'shop.example'
    const headers = { Host, Origin: `http://${Host}`, 'Next-Action': id, 'Content-Type': 'text/plain;charset=UTF-8' }
    // Forwarded to the page that has the action, whose check compares `Origin` with `Host`.
    const answer = await server.ask('/action-target', { method: 'POST', body: '[]', headers })
    expect(header(answer, 'x-action-redirect')).toBe('/action-target;push')
    const page = answer.decoded.toString()
    expect(page).toContain('target of the action')
    expect(server.output()).not.toContain('Invalid Server Actions request')
  })

  it('is known by a seal that no client has', async () => {
    const headers = { Host: 'a.example', 'X-Ferronext-Host': `${'0'.repeat(64)} evil.example` }
    const { seen } = json(await server.ask('/route', { headers }))
    expect(seen.host).toBe('a.example')
  })
})
