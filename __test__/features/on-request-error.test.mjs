// What `onRequestError` of instrumentation.js is told, by both engines on the same build: every kind of code that can throw, in both
// runtimes, while a request waits and in the background.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveFixture } from '../support/serve-fixture.mjs'

/** @typedef {Record<string, string | undefined>} Report */

/** Of what is rendered in the background, upstream tells the request that found it stale; here nobody has asked for it. */
const isInBackground = (/** @type {Report} */ report) => report.revalidateReason === 'stale'

/** How long something that is stale may take to be found so. */
const STALE = { timeout: 15_000, interval: 500 }

for (const failsOnLoad of [false, true]) {
  /** @type {Record<string, import('../support/serve-fixture.mjs').Served>} */
  const engines = {}
  let probes = 0

  const start = async () => {
    for (const engine of /** @type {const} */ (['upstream', 'ferronext'])) {
      const env = failsOnLoad ? { THROWS_ON_LOAD: '1' } : {}
      engines[engine] = await serveFixture({ fixture: 'runtimes', name: `reports-${engine}`, engine, env })
    }
  }

  const stop = async () => {
    for (const served of Object.values(engines)) await served.close()
  }

  /** @param {string} engine @returns {Report[]} */
  const reports = engine =>
    [...(engines[engine]?.output() ?? '').matchAll(/^REPORTED (.*)$/gm)].map(([, json]) => JSON.parse(json ?? ''))

  /** @param {string} engine @param {string} target @param {RequestInit} [init] @returns {Promise<string>} the status, and whether the body arrived */
  const ask = async (engine, target, { headers, ...init } = {}) => {
    const url = `http://localhost:${engines[engine]?.port}/base${target}`
    const probe = { ...headers, 'x-probe': String(probes) }
    const response = await fetch(url, { redirect: 'manual', ...init, headers: probe })
    return `${response.status} ${await response.text().then(
      () => 'whole',
      () => 'broken',
    )}`
  }

  /**
   * The result of one request, and what was reported of it.
   * @param {string} engine @param {string} target @param {RequestInit} [init] @param {number} [count] of reports
   */
  const asked = async (engine, target, init, count = 1) => {
    const result = await ask(engine, target, init)
    const mine = () => reports(engine).filter(({ probe }) => probe === String(probes))
    await expect.poll(() => mine().length, { message: `${engine}: reports of ${target}` }).toBeGreaterThanOrEqual(count)
    return { result, reports: mine() }
  }

  /** @param {string} target @param {RequestInit} [init] @param {number} [count] */
  const same = async (target, init, count) => {
    probes++
    const theirs = await asked('upstream', target, init, count)
    expect(await asked('ferronext', target, init, count)).toEqual(theirs)
  }

  describe.sequential(failsOnLoad ? 'code that fails while it is loaded' : 'code that throws', () => {
    beforeAll(start, 300_000)
    afterAll(stop)

    if (failsOnLoad) {
      // Code that is not there cannot report; the server does, of edge functions.
      it.each([
        ['/node/module', 0],
        ['/api/node/module', 0],
        ['/module', 0],
        ['/edge/module', 1],
        ['/api/edge/module', 1],
      ])('%s', (target, count) => same(target, undefined, count))
    } else {
      it.each(['node', 'edge'])('a page: %s', async runtime => {
        await same(`/${runtime}?do=throw`)
        await same(`/${runtime}/late`)
        await same(`/${runtime}/meta?do=throw`)
        await same(`/ssr-${runtime}?do=throw`)
        await same(`/ssr-${runtime}?do=render`)
      })

      it.each(['node', 'edge'])('a route handler, again and again: %s', async runtime => {
        for (const id of [1, 2, 3]) {
          for (const method of ['GET', 'HEAD']) await same(`/${runtime}/route/${id}?do=throw`, { method })
          await same(`/${runtime}/route/${id}?do=break`)
        }
      })

      it.each(['node', 'edge'])('an API route, again and again: %s', async runtime => {
        for (const id of [1, 2, 3]) {
          await same(`/api/${runtime}/${id}?do=throw`)
          await same(`/api/${runtime}/${id}?do=throw`, { method: 'POST', body: 'x' })
        }
      })

      it.each(['node', 'edge'])('all of them behind middleware: %s', async runtime => {
        for (const passed of ['passed', 'passed=404']) {
          const pages = [`/${runtime}`, `/ssr-${runtime}`, `/${runtime}/route/1`, `/api/${runtime}/1`]
          for (const page of pages) await same(`${page}?do=throw&${passed}`)
        }
      })

      it('a body of an edge API route', () => same('/api/edge/1?do=break'))

      it.each(['node', 'edge'])('a server action: %s', async runtime => {
        const file = path.join(engines.upstream?.dir ?? '', '.next/server/server-reference-manifest.json')
        const [action = ''] = Object.keys(JSON.parse(readFileSync(file, 'utf8'))[runtime])
        await same(`/${runtime}/action`, { method: 'POST', headers: { 'next-action': action }, body: '[]' })
        const body = new FormData()
        body.set(`$ACTION_ID_${action}`, '')
        await same(`/${runtime}/action`, { method: 'POST', body }, runtime === 'edge' ? 2 : 1)
      })

      it('middleware', async () => {
        probes++
        // Upstream asks for its 404 page behind the answer, which fails and is reported, too.
        const theirs = await asked('upstream', '/guarded/x?do=throw')
        const ours = await asked('ferronext', '/guarded/x?do=throw')
        expect(ours).toEqual({ ...theirs, reports: theirs.reports.filter(({ routeType }) => routeType === 'proxy') })
      })

      it.each([
        ['a page', '/stale', 2],
        ['a route handler', '/stale-route', 1],
        ['a page of the Pages Router', '/incremental/a', 1],
      ])('in the background: %s', async (_, target, count) => {
        /** @type {Report[][]} */
        const told = []
        for (const engine of ['upstream', 'ferronext']) {
          await ask(engine, '/set?failing=0')
          await ask(engine, target)
          await ask(engine, '/set?failing=1')
          const mine = () => reports(engine).filter(report => isInBackground(report) && report.path === target)
          await expect
            .poll(async () => {
              await ask(engine, target)
              return mine().length
            }, STALE)
            .toBeGreaterThanOrEqual(count)
          told.push(
            mine()
              .slice(0, count)
              .map(report => ({ ...report, probe: undefined })),
          )
        }
        expect(told[1]).toEqual(told[0])
      })
    }
  })
}
