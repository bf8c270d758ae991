// What a request is answered with must not depend on which requests came before: an answer that has been given twice is given again
// without being routed again, and only to who asks for just that.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, askUntil } from '../support/ask.mjs'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { sendRaw } from '../support/raw.mjs'
import { header } from '../support/serve-fixture.mjs'
import { startServer } from '../support/server.mjs'

/** @type {Record<string, { dir: string, port: number, stop: () => Promise<void> }>} */
const apps = {}

beforeAll(async () => {
  for (const name of ['app-router', 'rules', 'revalidation', 'conditions', 'images']) {
    const source = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
    const { dir: built } = await buildFixture({ line: '16.4', source })
    const dir = await copyApp(built, 'shortcuts')
    const { port, stop } = await startServer({ dir, engine: 'ferronext' })
    apps[name] = { dir, port, stop }
  }
})

afterAll(async () => {
  for (const { dir, stop } of Object.values(apps)) {
    await stop()
    await removeApp(dir)
  }
})

/** @typedef {{ method?: string, headers?: Record<string, string> }} Special */

/**
 * Status, head and body, without what differs by the clock: the time, and how well the body is compressed so far.
 *
 * @param {string} app @param {string} target @param {Special} [special]
 */
async function seen(app, target, special = {}) {
  const response = await sendRaw({ port: /** @type {any} */ (apps[app]).port, target, ...special })
  const encoded = header(response, 'content-encoding') !== undefined
  const headers = response.headers.filter(([name]) => !(name === 'Date' || (encoded && name === 'Content-Length')))
  return { status: response.status, headers, body: response.decoded.toString('latin1') }
}

/** Requests that ask for something else than the target alone, or may. @type {[string, Special][]} */
const SPECIAL = [
  ['HEAD', { method: 'HEAD' }],
  ['POST', { method: 'POST' }],
  ['a payload', { headers: { rsc: '1' } }],
  ['a segment', { headers: { rsc: '1', 'next-router-prefetch': '1', 'next-router-segment-prefetch': '/_tree' } }],
  ['a part', { headers: { Range: 'bytes=0-3' } }],
  ['what has changed', { headers: { 'If-None-Match': '*' } }],
  ['what has changed since', { headers: { 'If-Modified-Since': 'Fri, 01 Jan 2100 00:00:00 GMT' } }],
  ['gzip', { headers: { 'Accept-Encoding': 'gzip' } }],
  ['br', { headers: { 'Accept-Encoding': 'br, gzip' } }],
  ['no gzip', { headers: { 'Accept-Encoding': 'gzip;q=0' } }],
  ['a script', { headers: { 'Sec-Fetch-Dest': 'script' } }],
  ['a draft', { headers: { Cookie: '__prerender_bypass=guessed; a=b' } }],
  ['data', { headers: { 'x-nextjs-data': '1' } }],
  ['a prefetch', { headers: { 'x-middleware-prefetch': '1' } }],
  ['a revalidation', { headers: { 'x-prerender-revalidate': 'guessed' } }],
  ['an action', { method: 'POST', headers: { 'next-action': '0'.repeat(42) } }],
  ['another host', { headers: { Host: 'other.example' } }],
  ['a header that nobody knows', { headers: { 'X-Nobody': '1' } }],
]

describe.each([
  ['app-router', '/'],
  ['app-router', '/blog/first'],
  ['app-router', '/nowhere'],
  ['app-router', '/robots.txt'],
  ['rules', '/old?a=b'],
  ['rules', '/app-static'],
  ['rules', '/plain.txt'],
  ['rules', '/static'],
])('%s %s', (app, target) => {
  it.each(SPECIAL)('gives %s the same before and after others have asked', async (_, special) => {
    // With a query that nobody else has used: what is remembered is remembered by target.
    const fresh = `${target}${target.includes('?') ? '&' : '?'}${encodeURIComponent(JSON.stringify(special))}`
    await seen(app, fresh, special) // may have to be made
    const before = await seen(app, fresh, special)
    const plain = await seen(app, fresh)
    for (let count = 0; count < 3; count++) expect(await seen(app, fresh)).toEqual(plain)
    for (let count = 0; count < 3; count++) expect(await seen(app, fresh, special)).toEqual(before)
    expect(await seen(app, fresh)).toEqual(plain)
  })
})

it('gives each client the image format that it takes', async () => {
  const target = `/_next/image?url=${encodeURIComponent('/img/photo.jpg')}&w=320&q=75`
  /** @param {string} [accept] */
  const kind = async accept => {
    const response = await sendRaw({
      port: /** @type {any} */ (apps.images).port,
      target,
      headers: accept ? { Accept: accept } : {},
    })
    return [response.status, header(response, 'content-type'), header(response, 'x-nextjs-cache')]
  }
  await Promise.all([kind(), kind('image/webp')])
  for (let count = 0; count < 4; count++) {
    expect(await kind()).toEqual([200, 'image/jpeg', 'HIT'])
    expect(await kind('image/webp,*/*')).toEqual([200, 'image/webp', 'HIT'])
  }
})

it('looks at conditions every time', async () => {
  /** @param {Record<string, string>} headers */
  const answers = async headers => [
    await seen('conditions', '/', { headers }),
    await seen('conditions', '/nowhere', { headers }),
  ]
  const plain = await answers({})
  const hosted = await answers({ Host: 'other.example' })
  for (let count = 0; count < 3; count++) {
    expect(await answers({})).toEqual(plain)
    expect(await answers({ Host: 'other.example' })).toEqual(hosted)
  }
})

it('gives a revalidated page to every client from then on', async () => {
  const { port } = /** @type {any} */ (apps.revalidation)
  const shown = async () => (await ask(port, '/blog/shortcut')).text.match(/render (\d+)/)?.[1]
  const first = await shown()
  for (let count = 0; count < 4; count++) await shown()
  await delay(2200) // longer than the page is fresh
  const stale = await ask(port, '/blog/shortcut')
  expect([stale.cache, stale.text.match(/render (\d+)/)?.[1]]).toEqual(['STALE', first])
  const fresh = await askUntil(port, '/blog/shortcut', answer => answer.cache === 'HIT')
  expect(fresh.text).not.toContain(`render ${first}<`)
  for (let count = 0; count < 4; count++) expect((await ask(port, '/blog/shortcut')).text).toBe(fresh.text)
})

it('sees a file of public that was replaced', async () => {
  const { dir, port } = /** @type {any} */ (apps.rules)
  for (let count = 0; count < 4; count++) expect((await ask(port, '/plain.txt')).status).toBe(200)
  const text = `replaced ${Date.now()}`
  writeFileSync(path.join(dir, 'public/plain.txt'), text)
  await askUntil(port, '/plain.txt', answer => answer.text === text)
})
