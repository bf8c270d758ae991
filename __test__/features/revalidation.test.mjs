// A page at the moment it goes stale, and a page that nobody has rendered yet, under many requests at once.

import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'

const source = fileURLToPath(new URL('../fixtures/revalidation', import.meta.url))

const CLIENTS = 500
/** Longer than the pages of the fixture are fresh. */
const STALE = 2200
/** How long a render takes here, in ms. */
const RENDER = 1500

/** The documented server in two threads, and doors to the second one: its port, and its end. */
const TWO_THREADS = `
const { createServer } = require('http')
const { Worker, isMainThread, parentPort } = require('worker_threads')
const next = require('next')
const app = next({ dev: false })
const handle = app.getRequestHandler()
app.prepare().then(() => {
  if (!isMainThread) {
    const server = createServer(handle).listen(0, () => parentPort.postMessage(server.address().port))
    return
  }
  const worker = new Worker(__filename)
  worker.once('message', port => {
    const server = createServer(async (req, res) => {
      if (req.url === '/__port') return res.end(String(port))
      if (req.url === '/__end') { await worker.terminate(); return res.end('ended') }
      handle(req, res)
    })
    server.listen(process.env.PORT, () => console.log('listening'))
  })
})
`

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

/** @param {import('../support/raw.mjs').RawResponse} response @param {string} wanted */
const header = ({ headers }, wanted) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1]

/** @param {string} target @param {Record<string, string>} [headers] @param {number} [port] */
async function get(target, headers = {}, port = server.port) {
  const started = performance.now()
  const response = await sendRaw({ port, target, headers, timeout: 30_000 })
  return {
    status: response.status,
    cache: header(response, 'x-nextjs-cache'),
    control: header(response, 'cache-control'),
    text: response.decoded.toString().replaceAll('<!-- -->', ''),
    ms: performance.now() - started,
  }
}

const onDemand = (/** @type {string} */ target) => get(target, { 'x-prerender-revalidate': previewId })
const set = (/** @type {string} */ query) => get(`/switch?${query}`)
const rendersOf = async (/** @type {string} */ name) =>
  Number((await get(`/renders?of=${name}`)).text.match(/\d+/)?.[0])

/** @param {string} target @param {(answer: Awaited<ReturnType<typeof get>>) => boolean} isIt */
async function until(target, isIt) {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; await delay(10)) {
    const answer = await get(target)
    if (isIt(answer)) return answer
  }
  throw new Error(`${target} never came to what was expected`)
}

/** @param {string} target @param {number} [count] */
const crowd = (target, count = CLIENTS) => Promise.all(Array.from({ length: count }, () => get(target)))

/** How many answers there are of each kind. @param {Awaited<ReturnType<typeof get>>[]} answers */
function tally(answers) {
  /** @type {Record<string, number>} */
  const kinds = {}
  for (const { status, cache, text } of answers) {
    const kind = `${status} ${cache} render ${text.match(/render (\w+)/)?.[1]}`
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  return kinds
}

it.each([
  ['/blog/crowd', 'crowd'],
  ['/handler', 'handler'],
  ['/posts/crowd', 'posts/crowd'],
])('renders %s once when it goes stale, and nobody waits', async (target, name) => {
  await onDemand(target)
  await set(`${name}=${RENDER}`)
  await delay(STALE)
  const answers = await crowd(target)
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
  const answers = await crowd(target)
  expect(tally(answers)).toEqual({ '200 MISS render 1': CLIENTS })
  expect(await rendersOf(name)).toBe(1)
})

it('gives a request in draft mode its own page among those that get the stale one', async () => {
  const cookie = header(await sendRaw({ port: server.port, target: '/draft' }), 'set-cookie')?.split(';', 1)[0] ?? ''
  await onDemand('/blog/mixed')
  await set(`mixed=${RENDER}`)
  await delay(STALE)
  const [answers, drafted] = await Promise.all([crowd('/blog/mixed', 200), get('/blog/mixed', { cookie })])
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
  const answers = await crowd('/blog/broken', 50)
  expect(answers.filter(({ status, text }) => status === 200 && text.includes('render 1'))).toHaveLength(50)
  expect(await server.printed(/^Error: thrown on purpose by broken$/m, before)).toBe(true)
  await until('/blog/broken', ({ cache }) => cache === 'HIT')
  expect(tally(await crowd('/blog/broken', 50))).toEqual({ '200 HIT render 1': 50 })
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

it('renders a stale page once for all threads, and again when the thread that rendered it has ended', async () => {
  const copy = await copyApp(app, 'threads')
  writeFileSync(path.join(copy, 'threads.cjs'), TWO_THREADS)
  const threads = await startServer({ dir: copy, engine: 'ferronext', serverFile: 'threads.cjs' })
  try {
    const ports = [threads.port, Number((await get('/__port', {}, threads.port)).text)]
    const ask = (/** @type {string} */ target) => Promise.all(ports.map(port => get(target, {}, port)))
    const rendersIn = async () => (await ask('/renders?of=built')).map(({ text }) => Number(text.match(/\d+/)?.[0]))
    // Every thread has its own switches and counts. A render in the second one does not end by itself.
    await Promise.all([get(`/switch?built=${RENDER}`, {}, ports[0]), get('/switch?built=1000000', {}, ports[1])])
    await get('/blog/built', { 'x-prerender-revalidate': previewId }, ports[0])
    await delay(STALE)
    // The second thread is asked first, so it has the render.
    expect((await get('/blog/built', {}, ports[1])).cache).toBe('STALE')
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('/blog/built')))
    expect(tally(answers.flat())).toEqual({ '200 STALE render 1': 40 })
    // Its render takes a moment to begin, because the thread has not loaded the page yet.
    for (const deadline = performance.now() + 5000; performance.now() < deadline; await delay(20)) {
      if ((await rendersIn())[1] === 1) break
    }
    expect(await rendersIn()).toEqual([1, 1])
    await get('/__end', {}, threads.port)
    expect((await get('/blog/built', {}, ports[0])).cache).toBe('STALE')
    const deadline = performance.now() + 10_000
    while ((await get('/blog/built', {}, ports[0])).text.includes('render 1') && performance.now() < deadline) {
      await delay(50)
    }
    expect((await get('/blog/built', {}, ports[0])).text).toContain('render 2')
  } finally {
    await threads.stop()
    await removeApp(copy)
  }
})
