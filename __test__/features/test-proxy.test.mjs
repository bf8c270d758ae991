// `experimental.testProxy`: a test answers what the app fetches for a request that names it, in upstream and in ferronext.
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveFixture } from '../support/serve-fixture.mjs'

describe.each(/** @type {const} */ (['upstream', 'ferronext']))('a test in the place of other servers: %s', engine => {
  /** @type {import('../support/serve-fixture.mjs').Served} */
  let served
  /** @type {any[]} */
  const asked = []
  const body = Buffer.from('from the test').toString('base64')
  const proxy = createServer(async (req, res) => {
    asked.push(JSON.parse(Buffer.concat(await req.toArray()).toString()))
    res.end(JSON.stringify({ api: 'fetch', response: { status: 200, headers: [], body } }))
  })

  beforeAll(async () => {
    await new Promise(resolve => proxy.listen(0, () => resolve(undefined)))
    served = await serveFixture({ fixture: 'runtimes', name: `test-${engine}`, engine, env: { TEST_PROXY: '1' } })
  }, 300_000)
  afterAll(async () => {
    await served?.close()
    proxy.close()
  })

  it.each(['node', 'edge'])('answers the %s runtime', async runtime => {
    asked.length = 0
    const { port } = /** @type {import('node:net').AddressInfo} */ (proxy.address())
    const response = await fetch(`http://localhost:${served.port}/base/${runtime}/route/1?do=fetch`, {
      headers: { 'next-test-proxy-port': String(port), 'next-test-data': 'mine' },
    })
    expect(await response.text()).toBe('from the test')
    expect(asked).toMatchObject([{ testData: 'mine', request: { method: 'GET', url: 'http://test.invalid/' } }])
  })

  it('leaves other requests alone', async () => {
    asked.length = 0
    const response = await fetch(`http://localhost:${served.port}/base/node/route/1?do=fetch`)
    expect(response.status).toBe(500)
    expect(asked).toEqual([])
  })
})
