// A page at the moment it goes stale, and a page that nobody has rendered yet, under many requests at once.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ask, askUntil, crowd, tally } from '../support/ask.mjs'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { sendRaw } from '../support/raw.mjs'
import { header } from '../support/serve-fixture.mjs'
import { startServer } from '../support/server.mjs'

const source = fileURLToPath(new URL('../fixtures/revalidation', import.meta.url))

const CLIENTS = 500
/** Longer than the pages of the fixture are fresh. */
const STALE = 2200
/** How long a render takes here, in ms. */
const RENDER = 1500

/** @type {string} */
let app
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server
/** @type {string} */
let previewId

beforeAll(async () => {
  const { dir } = await buildFixture({ line: '16.4', source })
  app = await copyApp(dir, 'revalidation')
  previewId = JSON.parse(readFileSync(path.join(app, '.next/prerender-manifest.json'), 'utf8')).preview.previewModeId
  server = await startServer({ dir: app, engine: 'ferronext' })
})

afterAll(async () => {
  await server?.stop()
  await removeApp(app)
})

/** @param {string} target @param {Record<string, string>} [headers] */
const get = (target, headers) => ask(server.port, target, headers)

const onDemand = (/** @type {string} */ target) => get(target, { 'x-prerender-revalidate': previewId })
const set = (/** @type {string} */ query) => get(`/switch?${query}`)
const rendersOf = async (/** @type {string} */ name) =>
  Number((await get(`/renders?of=${name}`)).text.match(/\d+/)?.[0])

/** @param {string} target @param {(answer: import('../support/ask.mjs').Asked) => boolean} isIt */
const until = (target, isIt) => askUntil(server.port, target, isIt)

it.each([
  ['/blog/crowd', 'crowd'],
  ['/handler', 'handler'],
  ['/posts/crowd', 'posts/crowd'],
])('renders %s once when it goes stale, and nobody waits', async (target, name) => {
  await onDemand(target)
  await set(`${name}=${RENDER}`)
  await delay(STALE)
  const answers = await crowd(server.port, target, CLIENTS)
  expect(tally(answers)).toEqual({ '200 STALE render 1': CLIENTS })
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(RENDER)
  // They have all come while the one render was under way.
  expect(await rendersOf(name)).toBe(2)
  const { cache, text } = await until(target, answer => answer.text.includes('render 2'))
  expect([cache, text.includes('render 2')]).toEqual(['HIT', true])
  expect(await rendersOf(name)).toBe(2)
})

it.each([
  ['/blog/first', 'first'],
  ['/posts/first', 'posts/first'],
])('renders %s once when nobody has asked before, and everybody gets it', async (target, name) => {
  await set(`${name}=${RENDER}`)
  const answers = await crowd(server.port, target, CLIENTS)
  expect(tally(answers)).toEqual({ '200 MISS render 1': CLIENTS })
  expect(await rendersOf(name)).toBe(1)
})

it('gives a request in draft mode its own page among those that get the stale one', async () => {
  const cookie = header(await sendRaw({ port: server.port, target: '/draft' }), 'set-cookie')?.split(';', 1)[0] ?? ''
  await onDemand('/blog/mixed')
  await set(`mixed=${RENDER}`)
  await delay(STALE)
  const [answers, drafted] = await Promise.all([crowd(server.port, '/blog/mixed', 200), get('/blog/mixed', { cookie })])
  expect(tally(answers)).toEqual({ '200 STALE render 1': 200 })
  expect([drafted.control, drafted.text]).toEqual([
    expect.stringContaining('no-store'),
    expect.stringContaining('draft'),
  ])
  await until('/blog/mixed', ({ cache }) => cache === 'HIT')
  expect((await get('/blog/mixed')).text).not.toContain('in draft mode')
  // The one on demand, the one in draft mode, the one in the background.
  expect(await rendersOf('mixed')).toBe(3)
})

it('keeps the old page when a render fails, tries again after 3 s, and logs each attempt', async () => {
  const logged = () => server.output().match(/^Error: thrown on purpose by broken$/gm)?.length ?? 0
  await onDemand('/blog/broken')
  await set('broken=throw')
  await delay(STALE)
  const before = server.output().length
  const answers = await crowd(server.port, '/blog/broken', 50)
  expect(answers.filter(({ status, text }) => status === 200 && text.includes('render 1'))).toHaveLength(50)
  expect(await server.printed(/^Error: thrown on purpose by broken$/m, before)).toBe(true)
  await until('/blog/broken', ({ cache }) => cache === 'HIT')
  expect(tally(await crowd(server.port, '/blog/broken', 50))).toEqual({ '200 HIT render 1': 50 })
  expect([await rendersOf('broken'), logged()]).toEqual([2, 1])
  await set('broken=')
  await delay(3200)
  expect((await get('/blog/broken')).cache).toBe('STALE')
  await until('/blog/broken', ({ cache, text }) => cache === 'HIT' && text.includes('render 3'))
})

it('shared-pages-know-no-client: what a client puts into its URL is not in the page that others get', async () => {
  await onDemand('/blog/shared')
  await delay(STALE)
  expect((await get('/blog/shared?from=a-client')).cache).toBe('STALE')
  const { text } = await until('/blog/shared', ({ cache }) => cache === 'HIT')
  expect(text).toContain('render 2')
  expect(text).not.toContain('a-client')
})

it('keeps where a page redirects to that moved while it was stale (moved-pages-say-where-to)', async () => {
  await onDemand('/moving/page')
  await set('moving=redirect')
  await delay(STALE)
  expect((await get('/moving/page')).status).toBe(200)
  const { response } = await until('/moving/page', ({ status }) => status === 307)
  expect(header(response, 'location')).toBe('/blog/built')
})

it('only-generated-is-no-error: revalidates what was rendered before, and does nothing to the rest', async () => {
  const { dir } = await buildFixture({
    line: '16.4',
    source: fileURLToPath(new URL('../fixtures/data-cache', import.meta.url)),
  })
  const copy = await copyApp(dir, 'generated')
  const own = await startServer({ dir: copy, engine: 'ferronext' })
  try {
    const read = async (/** @type {string} */ target) => (await ask(own.port, target)).text
    const only = (/** @type {string} */ page) => read(`/api/revalidate?generated=1&path=${page}`)
    const renders = async (/** @type {string} */ name) => Number((await read(`/asked?of=${name}`)).match(/\d+/)?.[0])
    const buildId = readFileSync(path.join(copy, '.next/BUILD_ID'), 'utf8').trim()
    for (const [page, name, renderedBy] of /** @type {const} */ ([
      ['/fetched/unseen', 'render-unseen', '/fetched/unseen'],
      ['/list/unseen', 'list-unseen', `/_next/data/${buildId}/list/unseen.json`],
    ])) {
      expect(await only(page)).toBe(JSON.stringify({ revalidated: page }))
      expect(await renders(name)).toBe(0)
      await read(renderedBy)
      const before = await renders(name)
      await only(page)
      expect(await renders(name)).toBe(before + 1)
    }
    // Upstream waits here for a not-found page that waits for it.
    await read('/on-demand?path=/&type=layout')
    expect(await only('/fetched/never')).toBe(JSON.stringify({ revalidated: '/fetched/never' }))
  } finally {
    await own.stop()
    await removeApp(copy)
  }
})
