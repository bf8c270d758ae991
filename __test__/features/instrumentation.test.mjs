// An app whose instrumentation.js does not start: nothing of the app is served as if it had, by both engines on the same build.

import { afterEach, describe, expect, it } from 'vitest'
import { serveFixture } from '../support/serve-fixture.mjs'

/** @typedef {import('../support/server.mjs').Engine} Engine */
/** @typedef {import('../support/server.mjs').Server} Server */

/** What the app answers, and what it has a part in. */
const OF_THE_APP = [
  '',
  '/node',
  '/edge',
  '/ssr-node',
  '/api/node/1',
  '/api/edge/1',
  '/node/route/1',
  '/edge/route/1',
  '/stale',
  '/incremental/a',
  '/guarded/x',
  '/no/such/page',
  '/_next/image?url=%2Fbase%2Fa.png&w=64&q=75',
].map(target => `/base${target}`)

const PAST_THE_APP = ['/plain.txt', '/rewritten', '/moved', '/elsewhere', '/node/'].map(target => `/base${target}`)

/** @type {import('../support/serve-fixture.mjs').Served[]} */
const servers = []

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

/** @param {Engine} engine @param {string} how register() ends */
async function start(engine, how) {
  const server = await serveFixture({
    fixture: 'runtimes',
    name: `starts-${engine}`,
    engine,
    serverFile: 'starting.mjs',
    env: { REGISTER: how },
  })
  servers.push(server)
  return server
}

/** @param {Server} server @param {string} target @param {RequestInit} [init] */
const ask = (server, target, init) => fetch(`http://localhost:${server.port}${target}`, { redirect: 'manual', ...init })

/** What a client is told, without what a page holds of its build. @param {Response} response */
async function told(response) {
  const { status, headers } = response
  const text = await response.text()
  const body = text.length > 100 ? undefined : text
  return { status, type: headers.get('content-type'), kept: headers.get('cache-control'), body }
}

/** @param {Server} server @param {string[]} targets */
const allTold = (server, targets) =>
  Promise.all(targets.map(async target => [target, await told(await ask(server, target))]))

describe('instrumentation', () => {
  it.each(['throws', 'rejects'])('register() %s', async how => {
    const [upstream, ferronext] = [await start('upstream', how), await start('ferronext', how)]
    expect(await allTold(ferronext, PAST_THE_APP)).toEqual(await allTold(upstream, PAST_THE_APP))
    const ours = await allTold(ferronext, OF_THE_APP)
    expect(ours.map(([, answer]) => /** @type {any} */ (answer).status)).toEqual(OF_THE_APP.map(() => 500))
    expect(ours).toEqual(await allTold(upstream, OF_THE_APP))
    for (const server of [upstream, ferronext]) expect(server.output()).toContain('Failed to prepare server')
    expect((await ask(ferronext, '/readyz')).status).toBe(503)
    expect((await ask(ferronext, '/livez')).status).toBe(200)
    expect((await ask(ferronext, '/metrics')).status).toBe(200)
  })

  it('register() waits', async () => {
    const [upstream, ferronext] = [await start('upstream', 'waits'), await start('ferronext', 'waits')]
    const held = [upstream, ferronext].map(server => allTold(server, OF_THE_APP))
    // Somebody who does not wait for it.
    const leaving = new AbortController()
    const left = ask(ferronext, '/base', { signal: leaving.signal })
    expect(await allTold(ferronext, PAST_THE_APP)).toEqual(await allTold(upstream, PAST_THE_APP))
    expect((await ask(ferronext, '/readyz')).status).toBe(503)
    leaving.abort()
    await expect(left).rejects.toThrow()
    expect(await Promise.race([...held, 'nothing'])).toBe('nothing')
    for (const server of [upstream, ferronext]) await ask(server, '/__go-on')
    const [theirs, ours] = await Promise.all(held)
    expect(ours).toEqual(theirs)
    expect((await ask(ferronext, '/readyz')).status).toBe(200)
    expect(await allTold(ferronext, OF_THE_APP)).toEqual(await allTold(upstream, OF_THE_APP))
  })
})
