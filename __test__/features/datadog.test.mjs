// dd-trace, the real one, around both engines on the same build: the names that Datadog's views are made of.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveFixture } from '../support/serve-fixture.mjs'

/** @type {Record<string, import('../support/serve-fixture.mjs').Served>} */
const engines = {}

beforeAll(async () => {
  for (const engine of /** @type {const} */ (['upstream', 'ferronext'])) {
    const name = `datadog-${engine}`
    engines[engine] = await serveFixture({
      fixture: 'operated',
      name,
      engine,
      serverFile: 'datadog.cjs',
      tools: ['dd-trace'],
    })
  }
}, 600_000)

afterAll(async () => {
  for (const served of Object.values(engines)) await served.close()
})

/**
 * The spans of one request: its own and that of Next.js.
 * @param {string} engine @param {string} target
 */
async function spansOf(engine, target) {
  const server = /** @type {import('../support/serve-fixture.mjs').Served} */ (engines[engine])
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
