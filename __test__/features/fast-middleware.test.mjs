// Middleware that goes past upstream's adapter: in which apps it does, and what becomes of a client that disconnects. What a handler sees is
// asked by the conformance suite (cases/middleware-apis.mjs).

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { openConnection, sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { NEWEST } from '../support/workspace.mjs'

/** With metrics at `/metrics`. */
const SERVER = `import { createServer } from 'node:http'
import next from 'next'
const app = next({ dev: false, metrics: '/metrics' })
await app.prepare()
createServer(app.getRequestHandler()).listen(process.env.PORT, () => console.log('listening'))
`

/** @type {(() => Promise<unknown>)[]} */
const cleanUps = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/**
 * @param {string} fixture
 * @param {{ engine?: import('../support/server.mjs').Engine, env?: NodeJS.ProcessEnv }} [options]
 */
async function serve(fixture, { engine = 'ferronext', env = {} } = {}) {
  const source = fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url))
  const { dir } = await buildFixture({ line: NEWEST, source })
  const app = await copyApp(dir, 'fast-middleware')
  cleanUps.push(() => removeApp(app))
  writeFileSync(path.join(app, 'metered.mjs'), SERVER)
  const server = await startServer({ dir: app, engine, serverFile: 'metered.mjs', env })
  cleanUps.push(() => server.stop())
  const get = (/** @type {string} */ target, headers = {}) => sendRaw({ port: server.port, target, headers })
  /** The state of the fast path of middleware, by the metric. */
  const state = async () => {
    const text = (await get('/metrics')).decoded.toString()
    return [...text.matchAll(/^ferronext_fast_paths\{path="middleware",state="(\w+)",reason="(\w*)"\} 1$/gm)].map(
      ([, is, why]) => `${is} ${why}`.trim(),
    )
  }
  return { ...server, get, state }
}

describe('the fast path of middleware', () => {
  it.each([
    ['middleware-apis', '/'],
    ['middleware-apis-node', '/'],
    ['proxy', '/base/page'],
  ])('%s: is on after a request', async (fixture, target) => {
    const { get, state } = await serve(fixture)
    await get(target)
    expect(await state()).toEqual(['on'])
  })

  it('is off where FERRONEXT_LEAN says so, and where the app has locales', async () => {
    const off = await serve('middleware-apis', { env: { FERRONEXT_LEAN: '0' } })
    await off.get('/')
    expect(await off.state()).toEqual(['off environment'])
    const locales = await serve('middleware-i18n')
    await locales.get('/')
    expect(await locales.state()).toEqual(['off app'])
  })

  it('learns from no request that the adapter treats in its own way', async () => {
    const { get, state } = await serve('middleware-apis')
    await get('/', { 'x-prerender-revalidate': 'wrong' })
    await get('/', { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })
    expect(await state()).toEqual([])
    await get('/')
    expect(await state()).toEqual(['on'])
  })
})

describe.each(['middleware-apis', 'middleware-apis-node'])('%s: a client that disconnects', fixture => {
  it.each(/** @type {const} */ (['upstream', 'ferronext']))(
    'aborts the signal of its request and its copies: %s',
    async engine => {
      const { get, port, printed, output } = await serve(fixture, { engine })
      for (let turn = 0; turn < 3; turn++) {
        const from = output().length
        const connection = await openConnection({ port })
        connection.write('GET /?do=until-aborted HTTP/1.1\r\nHost: h\r\n\r\n')
        expect(await printed(/waiting/, from), output()).toBe(true)
        connection.close()
        const everyone = Array(5).fill('ResponseAborted').join()
        expect(await printed(new RegExp(`ABORTED ${everyone}`), from), output()).toBe(true)
      }
      expect((await get('/')).status).toBe(200)
    },
  )
})
