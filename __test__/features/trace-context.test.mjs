// External rewrites of an app with OpenTelemetry's own instrumentation of Node: the other server continues the trace, in the form of the
// app's propagator, and the exchange with it is a span; by both engines on the same build.

import { once } from 'node:events'
import { createServer } from 'node:http'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serveFixture } from '../support/serve-fixture.mjs'
import { pointAtTarget } from '../support/target.mjs'
import { OPENTELEMETRY } from '../support/tools.mjs'

const SERVER = 1
const CLIENT = 2

const CLIENT_TRACE = '0af7651916cd43dd8448eb211c80319c'
const CLIENT_SPAN = 'b7ad6b7169203331'

/** What a client sends along, by propagator. @type {Record<string, Record<string, string>>} */
const FROM_CLIENT = {
  w3c: { traceparent: `00-${CLIENT_TRACE}-${CLIENT_SPAN}-01`, tracestate: 'vendor=1' },
  b3: { b3: `${CLIENT_TRACE}-${CLIENT_SPAN}-1` },
  b3multi: { 'x-b3-traceid': CLIENT_TRACE, 'x-b3-spanid': CLIENT_SPAN, 'x-b3-sampled': '1' },
}

/** What the connection decides, which is of Node's own client upstream. */
const OF_CONNECTION = /^network\./

/** @typedef {import('../support/server.mjs').Engine} Engine */
/** @typedef {import('../support/server.mjs').Server} Server */

/** @type {import('../support/serve-fixture.mjs').Served[]} */
const servers = []
let otherPort = 0
/** @type {import('node:http').IncomingHttpHeaders} what the other server was sent last */
let received = {}
const other = createServer((req, res) => {
  received = req.headers
  if (req.url === '/breaks') return void res.socket?.destroy()
  res.statusCode = Number(req.url?.slice(1)) || 200
  res.end('answered')
})

beforeAll(async () => {
  await once(other.listen(0), 'listening')
  otherPort = /** @type {import('node:net').AddressInfo} */ (other.address()).port
})

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

afterAll(() => {
  other.close()
})

/** @param {Engine} engine @param {string} PROPAGATOR @param {string} INSTRUMENTED */
async function start(engine, PROPAGATOR, INSTRUMENTED) {
  const server = await serveFixture({
    fixture: 'operated',
    name: `traced-${engine}`,
    engine,
    serverFile: 'traced.cjs',
    tools: OPENTELEMETRY,
    prepare: dir => pointAtTarget(path.join(dir, '.next'), otherPort),
    env: { PROPAGATOR, INSTRUMENTED },
  })
  servers.push(server)
  return server
}

/**
 * The span of one exchange, and the span that the other server was told.
 * @param {Server} server @param {string} target @param {Record<string, string>} headers @param {RequestInit} [init]
 */
async function exchange({ port }, target, headers, init) {
  const origin = `http://localhost:${port}`
  received = {}
  await (await fetch(`${origin}${target}`, { ...init, headers })).text()
  /** @type {any[]} */
  const spans = []
  await expect
    .poll(async () => {
      spans.push(...(await (await fetch(`${origin}/__spans`)).json()))
      return spans.filter(({ kind }) => kind === CLIENT).length
    })
    .toBe(1)
  const span = spans.find(({ kind }) => kind === CLIENT)
  const { traceparent, b3 } = received
  const [trace, id] =
    traceparent || b3
      ? String(traceparent?.slice(3) ?? b3).split('-')
      : [received['x-b3-traceid'], received['x-b3-spanid']]
  const parent = spans.find(({ id }) => id === span.parent)
  const attributes = Object.entries(span.attributes).filter(([name]) => !OF_CONNECTION.test(name))
  return {
    isTold: trace === span.trace && id === span.id,
    isOfClient: span.trace === CLIENT_TRACE,
    parent: parent ? `${parent.kind}` : span.parent === CLIENT_SPAN ? 'client' : 'nobody',
    forms: Object.keys(received)
      .filter(name => /^(trace|b3|x-b3)/.test(name))
      .sort(),
    tracestate: received.tracestate,
    name: span.name,
    status: span.status,
    attributes: attributes.sort(),
  }
}

describe('the trace context of an external rewrite', () => {
  it.each(['w3c', 'b3', 'b3multi'])('%s', async propagator => {
    const upstream = await start('upstream', propagator, '1')
    const ferronext = await start('ferronext', propagator, '1')
    for (const [target, headers, init] of /** @type {[string, Record<string, string>, RequestInit?][]} */ ([
      ['/elsewhere/200?q=1', FROM_CLIENT[propagator]],
      ['/elsewhere/200', {}],
      ['/elsewhere/404', FROM_CLIENT[propagator]],
      ['/elsewhere/500', { 'user-agent': 'asker' }],
      ['/elsewhere/201', { ...FROM_CLIENT[propagator], 'content-type': 'text/plain' }, { method: 'POST', body: 'x' }],
    ])) {
      const theirs = await exchange(upstream, target, headers, init)
      theirs.attributes = theirs.attributes.map(([name, value]) => [name, value])
      expect(theirs.isTold).toBe(true)
      const ours = await exchange(ferronext, target, headers, init)
      expect(ours, `${propagator} ${target}`).toEqual(theirs)
    }
  })

  it('a server that breaks the exchange off', async () => {
    const ferronext = await start('ferronext', 'w3c', '1')
    const { status, isTold, attributes } = await exchange(ferronext, '/elsewhere/breaks', FROM_CLIENT.w3c ?? {})
    expect({ status, isTold }).toEqual({ status: 2, isTold: true })
    expect(attributes.map(([name]) => name)).toContain('error.type')
  })

  it('is the same where nothing but a tracer is registered', async () => {
    const ferronext = await start('ferronext', 'b3', '0')
    const told = await exchange(ferronext, '/elsewhere/200', FROM_CLIENT.b3 ?? {})
    expect(told).toMatchObject({ isTold: true, isOfClient: true, parent: 'client' })
    expect(await exchange(ferronext, '/elsewhere/200', {})).toMatchObject({ isTold: true, parent: 'nobody' })
  })

  it("the span of Node's own server has the route, from the first request on", async () => {
    const routes = async (/** @type {Server} */ { port }) => {
      const origin = `http://localhost:${port}`
      /** @type {Record<string, unknown>} */
      const told = {}
      for (const target of ['/', '/', '/dynamic/a', '/handler', '/api/hello', '/ssr', '/plain.txt']) {
        await (await fetch(`${origin}${target}`)).text()
        await expect
          .poll(async () => {
            const spans = await (await fetch(`${origin}/__spans`)).json()
            const own = spans.find((/** @type {any} */ { kind, parent }) => kind === SERVER && parent === undefined)
            if (own) told[target] = own.attributes['http.route']
            return own
          })
          .toBeDefined()
      }
      return told
    }
    // Upstream is too late for some, as that span ends with the response.
    const theirs = await routes(await start('upstream', 'w3c', '1'))
    const ours = await routes(await start('ferronext', 'w3c', '1'))
    expect(ours).toMatchObject(Object.fromEntries(Object.entries(theirs).filter(([, route]) => route !== undefined)))
    expect(ours).toEqual({
      '/': '/',
      '/dynamic/a': '/dynamic/[slug]',
      '/handler': '/handler',
      '/api/hello': '/api/hello',
      '/ssr': '/ssr',
      '/plain.txt': undefined,
    })
  })
})
