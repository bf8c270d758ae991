// dd-trace, the real one, around both engines on the same build: the names that Datadog's views are made of.

import { cpSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { startServer } from '../support/server.mjs'
import { installTools } from '../support/tools.mjs'

const source = fileURLToPath(new URL('../fixtures/operated', import.meta.url))
const DATADOG_SERVER = fileURLToPath(new URL('../servers/datadog.cjs', import.meta.url))

/** @type {Record<string, { dir: string, server: import('../support/server.mjs').Server }>} */
const engines = {}

beforeAll(async () => {
  const { dir: built } = await buildFixture({ line: '16.4', source })
  for (const engine of /** @type {const} */ (['upstream', 'ferronext'])) {
    const dir = await copyApp(built, `datadog-${engine}`)
    await installTools(dir, ['dd-trace'])
    cpSync(DATADOG_SERVER, path.join(dir, 'datadog.cjs'))
    engines[engine] = { dir, server: await startServer({ dir, engine, serverFile: 'datadog.cjs' }) }
  }
}, 600_000)

afterAll(async () => {
  for (const { dir, server } of Object.values(engines)) {
    await server.stop()
    await removeApp(dir)
  }
})

/**
 * The spans of one request: its own and that of Next.js.
 * @param {string} engine @param {string} target
 */
async function spansOf(engine, target) {
  const { server } = /** @type {{ server: import('../support/server.mjs').Server }} */ (engines[engine])
  const from = server.output().length
  const response = await fetch(`http://localhost:${server.port}${target}`, { redirect: 'manual' })
  await response.text()
  const spans = () =>
    [
      ...server
        .output()
        .slice(from)
        .matchAll(/^\{"traces":.*$/gm),
    ].flatMap(([line]) => JSON.parse(line).traces.flat())
  const own = () => spans().find(({ name }) => name === 'web.request')
  await expect.poll(own, { timeout: 10_000, message: `${engine}: a span of ${target}` }).toBeDefined()
  return ['web.request', 'next.request'].map(kind => {
    const span = spans().find(({ name }) => name === kind)
    if (!span) return [kind]
    const { resource, error, meta } = span
    return [kind, resource, error, meta['http.route'], meta['next.page'], meta['http.status_code']]
  })
}

describe('dd-trace', () => {
  it.each([
    ['a page from memory', '/'],
    ['a page with a param', '/dynamic/a'],
    ['a page that fails', '/dynamic/broken'],
    ['a page that is rendered again', '/later'],
    ['a route handler', '/handler'],
    ['a page of the Pages Router', '/ssr'],
    ['an API route', '/api/hello'],
    ['middleware and a page', '/guarded/x'],
    ['a file', '/plain.txt'],
    ['a redirect', '/moved'],
  ])('%s, again and again', async (_, target) => {
    for (let turn = 0; turn < 3; turn++) {
      expect(await spansOf('ferronext', target)).toEqual(await spansOf('upstream', target))
    }
  })
})
