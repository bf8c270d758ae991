// Work that outlives its response, where a platform offers `waitUntil`: whom it is handed to, by both engines on the same build.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveFixture } from '../support/serve-fixture.mjs'

/** @type {Record<string, import('../support/serve-fixture.mjs').Served>} */
const engines = {}
let probes = 0

beforeAll(async () => {
  for (const engine of /** @type {const} */ (['upstream', 'ferronext'])) {
    const name = `waits-${engine}`
    engines[engine] = await serveFixture({ fixture: 'runtimes', name, engine, serverFile: 'platform.mjs' })
  }
}, 300_000)

afterAll(async () => {
  for (const served of Object.values(engines)) await served.close()
})

/** @param {string} engine @param {string} target @param {Record<string, string>} [headers] */
const ask = (engine, target, headers) =>
  fetch(`http://localhost:${engines[engine]?.port}${target}`, {
    headers: { 'x-probe': String(probes), ...headers },
  })

/** How often the platform of the last request was asked. @param {string} engine @returns {Promise<number>} */
const timesAsked = async engine => (await (await ask(engine, '/__asked')).json())[probes] ?? 0

/**
 * @param {string} engine @param {string} target @param {string} platform @param {RegExp} [line] what the work prints
 * @returns {Promise<{ status: number, isAsked: boolean }>}
 */
async function outcome(engine, target, platform, line) {
  const server = /** @type {import('../support/serve-fixture.mjs').Served} */ (engines[engine])
  const from = server.output().length
  const response = await ask(engine, target, { 'x-platform': platform })
  const text = await response.text()
  if (line) expect(await server.printed(line, from), `${engine}: ${line} for ${target}`).toBe(true)
  if (response.ok) expect(text, `${engine}: ${target}`).toMatch(/node|edge|middleware/)
  return { status: response.status, isAsked: (await timesAsked(engine)) > 0 }
}

const KINDS = [
  ['/node?do=after', /AFTER node page/],
  ['/edge?do=after', /AFTER edge page/],
  ['/node/route/1?do=after', /AFTER node route/],
  ['/edge/route/1?do=after', /AFTER edge route/],
  ['/api/edge/1?do=after', /AFTER edge api/],
  ['/guarded/x?do=after', /AFTER edge middleware/],
]

describe('work that outlives its response', () => {
  it.each(KINDS)('is handed to the platform, again and again: %s', async (target, line) => {
    for (let turn = 0; turn < 3; turn++) {
      probes++
      const ours = await outcome('ferronext', `/base${target}`, 'some', /** @type {RegExp} */ (line))
      expect(ours).toEqual({ status: 200, isAsked: true })
      expect(ours).toEqual(await outcome('upstream', `/base${target}`, 'some', /** @type {RegExp} */ (line)))
    }
  })

  it.each(KINDS)('is handed to the server where there is no platform: %s', async (target, line) => {
    probes++
    const ours = await outcome('ferronext', `/base${target}`, 'none', /** @type {RegExp} */ (line))
    expect(ours).toEqual({ status: 200, isAsked: false })
    expect(ours).toEqual(await outcome('upstream', `/base${target}`, 'none', /** @type {RegExp} */ (line)))
  })

  it.each(KINDS)('fails where the platform has no waitUntil: %s', async target => {
    probes++
    const ours = await outcome('ferronext', `/base${target}`, 'empty')
    expect(ours).toEqual(await outcome('upstream', `/base${target}`, 'empty'))
  })

  it('a render in the background is such work', async () => {
    for (const engine of ['upstream', 'ferronext']) {
      await ask(engine, '/base/stale', { 'x-probe': 'first' })
      await expect
        .poll(
          async () => {
            probes++
            await (await ask(engine, '/base/stale')).text()
            return timesAsked(engine)
          },
          { timeout: 15_000, interval: 500 },
        )
        .toBeGreaterThan(0)
    }
  })

  it('is waited for by close(), in every runtime', async () => {
    await (await ask('ferronext', '/base/node/route/1?do=hold')).text()
    expect(await (await ask('ferronext', '/__close')).json()).toEqual({ early: false, isClosed: true })
  })
})
