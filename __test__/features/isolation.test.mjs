// What must hold inside the running server: upstream's own server is not loaded, and a fault costs one request only.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { startServer } from '../support/server.mjs'

const source = fileURLToPath(new URL('../fixtures/faults', import.meta.url))

/**
 * The documented server with doors of its own, to look inside, and requests with which something happens inside the engine:
 * a panic, and a page that another thread replaces just after its answer was found.
 */
const SERVER = `
const { createServer } = require('http')
const { parse } = require('url')
const next = require('next')
const addon = Object.values(require.cache).find(module => module.filename.endsWith('.node')).exports
const { begin } = addon
const { cacheSet } = addon.Engine.prototype
let replace
addon.Engine.prototype.cacheSet = function (key, entry, ...rest) {
  if (key.includes('fresh')) {
    replace = () => cacheSet.call(this, key, { ...entry, html: Buffer.from('the page that came after') }, ...rest)
  }
  return cacheSet.call(this, key, entry, ...rest)
}
addon.begin = (engine, head, encrypted) => {
  if (head.startsWith('GET\\0/__panic')) return addon.panicForTests()
  const id = begin(engine, head, encrypted)
  if (id >= 0 && head.startsWith('GET\\0/fresh?raced')) replace()
  return id
}
const app = next({ dev: false })
const handle = app.getRequestHandler()
app.prepare().then(() => {
  const server = createServer(async (req, res) => {
    if (req.url === '/__loaded') return res.end(JSON.stringify(Object.keys(require.cache)))
    if (req.url === '/__404') return app.render404(req, res)
    if (req.url === '/__close') { await app.close(); return res.end('closed') }
    handle(req, res, parse(req.url, true))
  })
  server.listen(process.env.PORT, () => console.log('listening'))
})
`

/** @type {string} */
let app
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server

beforeAll(async () => {
  const { dir } = await buildFixture({ line: '16.4', source })
  app = await copyApp(dir, 'isolation')
  writeFileSync(path.join(app, 'inspect.cjs'), SERVER)
  server = await startServer({
    dir: app,
    engine: 'ferronext',
    serverFile: 'inspect.cjs',
  })
})

afterAll(async () => {
  await server?.stop()
  await removeApp(app)
})

const get = (/** @type {string} */ url, /** @type {RequestInit} */ init = {}) =>
  fetch(`http://localhost:${server.port}${url}`, init)

/** @param {RegExp} pattern */
const occurrences = pattern => (server.output().match(new RegExp(pattern, 'g')) ?? []).length

describe('in production', () => {
  it('loads nothing of upstream’s server, whatever kind of page was asked for', async () => {
    for (const url of ['/', '/late', '/throws', '/api/throws', '/missing', '/_next/static/none.js'])
      await (await get(url)).text()
    /** @type {string[]} */
    const loaded = await (await get('/__loaded')).json()
    const forbidden =
      /next\/dist\/(server\/(lib\/router-server|base-server|next-server|next|serve-static|send-payload)|compiled\/(compression|send|http-proxy))(\.js|\/)/
    expect(loaded.filter(file => forbidden.test(file.replaceAll('\\', '/')))).toEqual([])
    expect(loaded.some(file => file.endsWith('.node'))).toBe(true)
  })

  it('answers a page that throws with one 500 and one log line', async () => {
    const before = occurrences(/thrown on purpose by a page/)
    const response = await get('/throws')
    expect(response.status).toBe(500)
    expect(await response.text()).toContain('<html')
    expect(occurrences(/thrown on purpose by a page/) - before).toBe(1)
    expect((await get('/')).status).toBe(200)
  })

  it('answers an API route that throws with one 500', async () => {
    const response = await get('/api/throws')
    expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error'])
    expect((await get('/')).status).toBe(200)
  })

  it('answers a rule that cannot be applied with one 500 and one line on the console', async () => {
    const before = server.output().length
    expect((await get('/repeat/a/b/to-one')).status).toBe(500)
    expect(await server.printed(/To use a multi-match in the destination/, before)).toBe(true)
    expect(occurrences(/To use a multi-match in the destination/)).toBe(1)
  })

  it('answers with the app’s 404 page when the user’s server asks for it', async () => {
    const [asked, missing] = [await get('/__404'), await get('/missing')]
    expect([asked.status, asked.headers.get('cache-control')]).toEqual([404, missing.headers.get('cache-control')])
    expect(await asked.text()).toBe(await missing.text())
  })

  it('answers a panic in Rust with one 500 and one log line, and goes on', async () => {
    const response = await get('/__panic')
    expect(response.status).toBe(500)
    await response.text()
    expect(occurrences(/FERRONEXT_INTERNAL|ferronext failed while answering a request/)).toBeGreaterThan(0)
    expect((await get('/')).status).toBe(200)
  })

  it('sends the answer that was found although the page is replaced before Node has fetched it', async () => {
    const { previewModeId } = JSON.parse(readFileSync(path.join(app, '.next/server/preview-props.json'), 'utf8'))
    const made = await (await get('/fresh', { headers: { 'x-prerender-revalidate': previewModeId } })).text()
    // Not compressed, since a body that has to be compressed first is no answer that is found.
    const raced = await get('/fresh?raced', { headers: { 'accept-encoding': 'identity' } })
    expect([raced.status, await raced.text()]).toEqual([200, made])
    expect(await (await get('/fresh')).text()).toBe('the page that came after')
  })

  it('answers a document that is missing from the build with the error page and one line on the console', async () => {
    const before = server.output().length
    rmSync(path.join(app, '.next/server/pages/torn.html'))
    const response = await get('/torn')
    expect([response.status, response.headers.get('cache-control')]).toEqual([500, expect.stringContaining('no-store')])
    expect(await response.text()).toContain('<html')
    expect(await server.printed(/The document pages\/torn\.html is not in the build/, before)).toBe(true)
  })

  it('lets work outlive its answer and close() wait for it', async () => {
    expect(await (await get('/late')).text()).toBe('answered')
    expect(await (await get('/__close')).text()).toBe('closed')
    expect(server.output()).toContain('after the answer')
  })
})
