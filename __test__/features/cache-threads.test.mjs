// One cache for all threads of a process: what one of them renders, keeps or revalidates, the others know with the next request.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, askUntil, crowd, tally } from '../support/ask.mjs'
import { sendRaw } from '../support/raw.mjs'
import { header, serveFixture } from '../support/serve-fixture.mjs'

/** Longer than the pages of the fixtures are fresh. */
const STALE = 2200
/** How long a render takes here, in ms. */
const RENDER = 1500
const CLIENTS = 250

/** Numbers in a text, added up. @param {{ text: string }[]} answers */
const sum = answers => answers.reduce((total, { text }) => total + Number(text.match(/\d+/)?.[0]), 0)

/** @param {string} fixture */
function inTwoThreads(fixture) {
  /** @type {Awaited<ReturnType<typeof serveFixture>>} */
  let server
  /** @type {[number, number]} */
  const ports = [0, 0]
  beforeAll(async () => {
    server = await serveFixture({ fixture, serverFile: 'two-threads.cjs', name: 'threads' })
    ports[0] = server.port
    ports[1] = Number((await ask(server.port, '/__port')).text)
  })
  afterAll(() => server?.close())
  return {
    ports,
    /** Both threads, each with its own switches and counts. @param {string} target */
    both: target => Promise.all(ports.map(port => ask(port, target))),
    previewId: () =>
      JSON.parse(readFileSync(path.join(server.dir, '.next/prerender-manifest.json'), 'utf8')).preview.previewModeId,
  }
}

describe('pages', () => {
  const { ports, both, previewId } = inTwoThreads('revalidation')
  const rendersOf = async (/** @type {string} */ name) => sum(await both(`/renders?of=${name}`))

  it.each([
    ['/blog/first', 'first'],
    ['/posts/first', 'posts/first'],
  ])('renders %s once when both threads are asked for it first, and everybody gets it', async (target, name) => {
    await both(`/switch?${name}=${RENDER}`)
    const answers = await Promise.all(ports.map(port => crowd(port, target, CLIENTS)))
    expect(tally(answers.flat())).toEqual({ '200 MISS render 1': 2 * CLIENTS })
    expect(await rendersOf(name)).toBe(1)
    expect(tally(await both(target))).toEqual({ '200 HIT render 1': 2 })
  })

  it('goes on in the other thread when a render fails', async () => {
    // `throw` fails at once in the one, the other takes its time.
    await Promise.all([ask(ports[0], '/switch?failing=throw'), ask(ports[1], `/switch?failing=${RENDER}`)])
    const [first, second] = await both('/blog/failing')
    const statuses = [first?.status, second?.status].sort()
    expect(statuses[0]).toBe(200)
    expect([200, 500]).toContain(statuses[1])
    expect((await ask(ports[0], '/blog/failing')).status).toBe(200)
  })

  it('gives a draft its own page while both threads render the public one', async () => {
    const drafting = await sendRaw({ port: ports[1], target: '/draft' })
    const cookie = header(drafting, 'set-cookie')?.split(';', 1)[0] ?? ''
    await both(`/switch?drafted=${RENDER}`)
    const [answers, drafted] = await Promise.all([
      Promise.all(ports.map(port => crowd(port, '/blog/drafted', 50))),
      ask(ports[1], '/blog/drafted', { cookie }),
    ])
    expect(answers.flat().filter(({ text }) => text.includes('draft mode'))).toEqual([])
    expect(drafted.text).toContain('draft mode')
    expect(drafted.control).toContain('no-store')
  })

  it('knows in one thread which tag the other has revalidated', async () => {
    await both('/tagged')
    for (const [here, there] of [ports, [ports[1], ports[0]]]) {
      const before = (await askUntil(here, '/tagged', ({ cache }) => cache === 'HIT')).text
      await ask(there, '/tag?profile=now')
      const after = await ask(here, '/tagged')
      expect([after.cache, after.text === before]).toEqual(['MISS', false])
    }
  })

  it('renders a stale page once for both, and again when the thread that rendered it has ended', async () => {
    // A render in the second thread does not end by itself.
    await Promise.all([ask(ports[0], `/switch?built=${RENDER}`), ask(ports[1], '/switch?built=1000000')])
    await ask(ports[0], '/blog/built', { 'x-prerender-revalidate': previewId() })
    await delay(STALE)
    // The second thread is asked first, so it has the render.
    expect((await ask(ports[1], '/blog/built')).cache).toBe('STALE')
    const answers = await Promise.all(Array.from({ length: 20 }, () => both('/blog/built')))
    expect(tally(answers.flat())).toEqual({ '200 STALE render 1': 40 })
    // It takes a moment to begin, because the thread has not loaded the page yet.
    await askUntil(ports[1], '/renders?of=built', ({ text }) => text.includes(': 1 renders'))
    expect((await ask(ports[0], '/renders?of=built')).text).toContain(': 1 renders')
    await ask(ports[0], '/__end')
    expect((await ask(ports[0], '/blog/built')).cache).toBe('STALE')
    await askUntil(ports[0], '/blog/built', ({ text }) => text.includes('render 2'))
  })
})

describe('data', () => {
  const { ports, both } = inTwoThreads('data-cache')

  it('is kept for both, until one of them revalidates its tag', async () => {
    expect((await ask(ports[0], '/stored/x')).text).toBe('{"count":1,"at":"x"}')
    expect((await ask(ports[1], '/stored/x')).text).toBe('{"count":1,"at":"x"}')
    expect(sum(await both('/asked?of=x'))).toBe(1)
    await ask(ports[1], `/on-demand?tag=tag-x&profile=${encodeURIComponent('{"expire":0}')}`)
    expect((await ask(ports[0], '/stored/x')).text).toBe('{"count":2,"at":"x"}')
    expect((await ask(ports[1], '/stored/x')).text).toBe('{"count":2,"at":"x"}')
    expect(sum(await both('/asked?of=x'))).toBe(2)
  })
})

describe("functions marked 'use cache'", () => {
  const { ports, both } = inTwoThreads('cache-components')

  it('have one result for both, until one of them revalidates its tag', async () => {
    const first = (await ask(ports[0], '/data/y')).text
    expect(first).toBe('{"name":"y","count":1,"remote":1}')
    expect((await ask(ports[1], '/data/y')).text).toBe(first)
    expect(sum(await both('/asked?of=data-y'))).toBe(1)
    await ask(ports[1], `/on-demand?tag=data-y&profile=${encodeURIComponent('{"expire":0}')}`)
    expect((await ask(ports[0], '/data/y')).text).toBe('{"name":"y","count":2,"remote":2}')
  })
})
