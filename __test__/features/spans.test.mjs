// OpenTelemetry: the spans of both engines for the same requests on the same build. What upstream does on the way to an
// answer and ferronext does not do has no span here; everything else has the same name, parent and attributes.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { serveFixture } from '../support/serve-fixture.mjs'
import { OPENTELEMETRY } from '../support/tools.mjs'

const CLIENT_TRACE = '0af7651916cd43dd8448eb211c80319c'
const CLIENT_SPAN = 'b7ad6b7169203331'

/** Loading the page of each request again is upstream's way; ferronext has loaded it, or answers without it. */
const UPSTREAMS_OWN = new Set([
  'NextNodeServer.findPageComponents',
  'LoadComponents.loadRouteModule',
  'RouteModule.prepare',
  'Instrumentation.loadModule',
])

/**
 * @typedef {object} Span
 * @property {string} name
 * @property {string} id
 * @property {string} trace
 * @property {string} [parent]
 * @property {number} kind
 * @property {number} status
 * @property {Record<string, unknown>} attributes
 */

/** @type {Record<string, import('../support/serve-fixture.mjs').Served>} */
const engines = {}

beforeAll(async () => {
  for (const engine of /** @type {const} */ (['upstream', 'ferronext'])) {
    const served = { fixture: 'operated', name: `spans-${engine}`, serverFile: 'traced.cjs', tools: OPENTELEMETRY }
    engines[engine] = await serveFixture({ ...served, engine, env: { PROPAGATOR: 'w3c' } })
    await spansOf(engine, '/dynamic/warm', 'GET /dynamic/[slug]')
  }
})

afterAll(async () => {
  for (const served of Object.values(engines)) await served.close()
})

/**
 * The spans of one request, once the one of the request itself has ended.
 * @param {string} engine
 * @param {string} target
 * @param {string | undefined} last the name of the span to wait for
 * @returns {Promise<Span[]>}
 */
async function spansOf(engine, target, last) {
  const origin = `http://localhost:${engines[engine]?.port}`
  const headers = { traceparent: `00-${CLIENT_TRACE}-${CLIENT_SPAN}-01` }
  await (await fetch(`${origin}${target}`, { headers, redirect: 'manual' })).text()
  /** @type {Span[]} */
  const spans = []
  const collect = async () => {
    spans.push(...(await (await fetch(`${origin}/__spans`)).json()))
    return spans.some(span => span.name === last)
  }
  if (last === undefined) await collect()
  else
    await vi.waitFor(async () => {
      if (!(await collect())) throw new Error(`no span ${last} among ${spans.map(span => span.name).join(', ')}`)
    }, 10_000)
  return spans
}

/** A span as one text: its way from the root, attributes and result. @param {Span[]} spans */
function described(spans) {
  const byId = new Map(spans.map(span => [span.id, span]))
  const isTold = (/** @type {Span} */ span) => !UPSTREAMS_OWN.has(String(span.attributes['next.span_type']))
  return spans
    .filter(isTold)
    .map(span => {
      const way = [span.name]
      let at = span
      for (let parent = byId.get(at.parent ?? ''); parent; parent = byId.get(at.parent ?? '')) {
        way.unshift(parent.name)
        at = parent
      }
      const root = at.parent === CLIENT_SPAN && at.trace === CLIENT_TRACE ? 'client' : 'nobody'
      return `${[root, ...way].join(' > ')} ${JSON.stringify(Object.entries(span.attributes).sort())} ${span.kind} ${span.status}`
    })
    .sort()
}

describe('spans', () => {
  it.each([
    ['a page from memory', '/', 'GET /'],
    ['the same again', '/', 'GET /'],
    ['a dynamic page', '/dynamic/a', 'GET /dynamic/[slug]'],
    ['a page that fails', '/dynamic/broken', 'GET /dynamic/[slug]'],
    ['a route handler', '/handler', 'GET /handler'],
    ['a page of the Pages Router', '/ssr', 'GET /ssr'],
    ['an API route', '/api/hello', 'GET /api/hello'],
    ['nothing', '/no/such/page', 'GET'],
  ])('%s', async (_, target, last) => {
    const theirs = described(await spansOf('upstream', target, last))
    expect(theirs.length).toBeGreaterThan(0)
    expect(described(await spansOf('ferronext', target, last))).toEqual(theirs)
  })

  it.each(['/plain.txt', '/moved'])('%s has none', async target => {
    expect(await spansOf('upstream', target, undefined)).toEqual([])
    expect(await spansOf('ferronext', target, undefined)).toEqual([])
  })

  it('middleware and its page share the span of the request', async () => {
    // Upstream has two requests of its own there, one inside the other.
    const spans = described(await spansOf('ferronext', '/guarded/x', 'GET /dynamic/[slug]')).map(
      text => text.split(' [')[0],
    )
    expect(spans).toContain('client > GET /dynamic/[slug]')
    expect(spans).toContain('client > GET /dynamic/[slug] > middleware GET')
    expect(spans).toContain('client > GET /dynamic/[slug] > render route (app) /dynamic/[slug]')
    expect(spans.every(text => text?.startsWith('client > GET /dynamic/[slug]'))).toBe(true)
  })

  it('a render in the background belongs to the request that found its page stale', async () => {
    // The render ends after the request, so that its spans may come with those of the next.
    /** @type {Span[]} */
    const spans = []
    await expect
      .poll(
        async () => {
          spans.push(...(await spansOf('ferronext', '/later', 'GET /later')))
          return described(spans).some(text => text.startsWith('client > GET /later > prerender route (app) /later'))
        },
        { timeout: 15_000, interval: 700 },
      )
      .toBe(true)
  })
})
