// Published ways past the middleware of Next.js, each of which must end at the middleware.

import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { placeholders } from '../conformance/case.mjs'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'

/** @type {Record<string, { dir: string, buildId: string, server: Awaited<ReturnType<typeof startServer>> }>} */
const apps = {}

beforeAll(async () => {
  for (const name of ['middleware', 'middleware-i18n', 'middleware-one-locale']) {
    const source = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
    const { dir: built } = await buildFixture({ line: '16.4', source })
    const dir = await copyApp(built, 'security')
    const { buildId = '' } = placeholders(path.join(dir, '.next'))
    apps[name] = { dir, buildId, server: await startServer({ dir, engine: 'ferronext' }) }
  }
})

afterAll(async () => {
  for (const { dir, server } of Object.values(apps)) {
    await server.stop()
    await removeApp(dir)
  }
})

/** @param {string} app @param {string} target @param {Record<string, string>} [headers] */
async function ask(app, target, headers = {}) {
  const { server, buildId } = apps[app] ?? {}
  const filled = target.replace('{buildId}', buildId ?? '')
  const response = await sendRaw({ port: server?.port ?? 0, target: filled, headers })
  const header = (/** @type {string} */ name) => response.headers.find(([key]) => key.toLowerCase() === name)?.[1]
  return { status: response.status, text: response.decoded.toString(), header }
}

/** The answers of the middleware of `middleware-i18n` and `middleware-one-locale`: they let nobody in. */
const GUARD = /"guard":true|^guarded \//

describe('CVE-2025-29927: a client that says it comes from middleware', () => {
  const chains = ['middleware', 'src/middleware', 'proxy', 'src/proxy', 'pages/_middleware'].flatMap(name => [
    name,
    Array(5).fill(name).join(':'),
    Array(20).fill(name).join(':'),
  ])
  it.each(chains)('%s', async chain => {
    const { status, text } = await ask('middleware', '/static?mw=answer&to=text&status=401', {
      'x-middleware-subrequest': chain,
      'x-middleware-subrequest-id': '1',
    })
    expect([status, text]).toEqual([401, 'middleware says so'])
  })
})

describe('CVE-2024-51479: every spelling of a guarded page', () => {
  it.each([
    '/guarded/',
    '/fr/guarded/',
    '/FR/guarded/',
    '/guarded/secret/',
    '/%67uarded/secret/',
    '/x/../guarded/secret/',
    '/guarded/./secret/',
    '/de-CH/guarded/%73ecret/',
    '/guarded/secret/?_rsc=x',
  ])('%s', async target => {
    const { status, text } = await ask('middleware-i18n', target)
    expect([status, GUARD.test(text)]).toEqual([403, true])
  })

  it('a page at the root of the app', async () => {
    for (const target of ['/root', '/en/root', '/%72oot']) {
      expect((await ask('middleware-one-locale', target)).status, target).toBe(403)
    }
    expect((await ask('middleware-one-locale', '/open')).status).toBe(200)
  })
})

describe('CVE-2026-44575, CVE-2026-45109: the payload forms of a page', () => {
  it.each([
    ['/static.rsc', {}],
    ['/index.rsc', {}],
    ['/static.segments/_tree.segment.rsc', {}],
    ['/static', { rsc: '1' }],
    ['/static', { rsc: '1', 'next-router-prefetch': '1' }],
    ['/static', { rsc: '1', 'next-router-prefetch': '1', 'next-router-segment-prefetch': '/_tree' }],
  ])('%s %o', async (target, headers) => {
    const { status, text } = await ask('middleware', `${target}?mw=answer&to=text&status=401&_rsc`, headers)
    expect([status, text]).toEqual([401, 'middleware says so'])
  })
})

describe('CVE-2026-44574: a query that names route parameters', () => {
  it.each(['nxtPid', 'nxtIid'])('%s', async name => {
    const { text } = await ask('middleware', `/item/1?${name}=evil`)
    expect(text).toContain('&quot;params&quot;:{&quot;id&quot;:&quot;1&quot;}')
  })
})

describe('CVE-2026-44573: the data of a guarded page, with and without a locale', () => {
  it.each(['', 'en/', 'fr/', 'de-CH/'])('/_next/data/…/%sguarded/secret.json', async locale => {
    const { status, text } = await ask('middleware-i18n', `/_next/data/{buildId}/${locale}guarded/secret.json`)
    expect([status, GUARD.test(text)]).toEqual([403, true])
  })
})

describe('CVE-2026-64642: an app with a single locale', () => {
  it.each([
    '/guarded/secret',
    '/en/guarded/secret',
    '/_next/data/{buildId}/guarded/secret.json',
    '/_next/data/{buildId}/en/guarded/secret.json',
    '/_next/data/{buildId}/root.json',
  ])('%s', async target => {
    const { status, text } = await ask('middleware-one-locale', target)
    expect([status, GUARD.test(text)]).toEqual([403, true])
  })
})

it('CVE-2025-57822: a reflected Location is sent to the client and never fetched', async () => {
  const { status, text, header } = await ask('middleware', '/dynamic?mw=reflect', { location: 'http://127.0.0.1:1/' })
  expect([status, text, header('location')]).toEqual([200, '', 'http://127.0.0.1:1/'])
})

it('CVE-2026-44572: a client that marks itself as a data request keeps its Location', async () => {
  for (const headers of /** @type {Record<string, string>[]} */ ([{}, { 'x-nextjs-data': '1' }])) {
    const { status, header } = await ask('middleware', '/static?mw=redirect&to=/item/1', headers)
    expect([status, header('location'), header('x-nextjs-redirect')]).toEqual([307, '/item/1', undefined])
  }
})
