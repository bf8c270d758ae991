// `next({ dev: true })` without a browser: what ferronext adds to upstream's development server, and that nothing of it is
// left after `close()`.

import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { developedApp } from '../support/dev-app.mjs'
import { sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { NEWEST } from '../support/workspace.mjs'

const lines = /** @type {import('../support/workspace.mjs').Line[]} */ (
  process.env.FERRONEXT_LINES?.split(',') ?? [NEWEST]
)
const DEVELOPMENT = { NODE_ENV: 'development', SERVER_RULES: '1', SERVER_OPTIONS: '{"trustProxy":false}' }

/** The first page waits for its compiler, in milliseconds. */
const COMPILES = 90_000

/** Processes whose parent is this one, by the system's own list. @param {number} pid */
const childrenOf = pid =>
  readdirSync('/proc').filter(name => {
    if (!/^\d+$/.test(name)) return false
    try {
      return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid)
    } catch {
      return false // ended meanwhile
    }
  })

describe.each(lines)('dev: true on %s', line => {
  /** @type {Awaited<ReturnType<typeof developedApp>>} */
  let app
  /** @type {import('../support/server.mjs').Server} */
  let server

  beforeAll(async () => {
    app = await developedApp('dev', line)
    server = await startServer({ dir: app.dir, engine: 'ferronext', serverFile: 'dev.mjs', env: DEVELOPMENT })
  })

  afterAll(async () => {
    await server?.stop()
    app?.remove()
  })

  it('a page is compiled, answered and logged once', async () => {
    const from = server.output().length
    const { status, headers, body } = await sendRaw({
      port: server.port,
      target: '/',
      headers: { 'X-Forwarded-Proto': 'https' },
      timeout: COMPILES,
    })
    expect([status, headers.some(([name]) => name.toLowerCase() === 'x-powered-by')]).toEqual([200, false])
    // `trustProxy: false` holds in development, too.
    expect(body.toString()).toContain('data-testid="forwarded">http<')
    expect(await server.printed(/ GET \/ 200/, from, 10_000)).toBe(true)
    expect(server.output().match(/ GET \/ 200/g)).toHaveLength(1)
    // Upstream says it of what takes more than three seconds (MAX_LOG_SKIP_DURATION_MS of build/output/store.js).
    expect((server.output().match(/Compiling \//g) ?? []).length).toBeLessThanOrEqual(1)
  })

  it('the rules of `conf` apply', async () => {
    const { status, headers } = await sendRaw({ port: server.port, target: '/old' })
    expect([status, headers.find(([name]) => name.toLowerCase() === 'location')?.[1]]).toEqual([307, '/'])
  })

  it('a changed next.config is named once', async () => {
    const from = server.output().length
    app.edit('next.config.mjs', 'poweredByHeader: false', 'poweredByHeader: true')
    expect(await server.printed(/next\.config\.mjs has changed\. Restart the server/, from, 15_000)).toBe(true)
    expect(
      server
        .output()
        .slice(from)
        .match(/has changed/g),
    ).toHaveLength(1)
  })

  it('close() ends watchers, workers and sockets', async () => {
    const path = line === '16.4' ? '/_next/hmr' : '/_next/webpack-hmr'
    const socket = new WebSocket(`ws://localhost:${server.port}${path}`)
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    const gone = new Promise(resolve => socket.once('close', resolve))
    await sendRaw({ port: server.port, target: '/__close', headers: { Connection: 'close' } })
    expect(await server.printed(/left open: /, 0, 20_000), server.output()).toBe(true)
    expect(/left open: (.*)/.exec(server.output())?.[1]).toBe('[]')
    await gone
    expect(childrenOf(server.pid)).toEqual([])
    const refused = await new Promise(resolve => {
      connect(server.port, '127.0.0.1')
        .once('connect', () => resolve(false))
        .once('error', () => resolve(true))
    })
    expect(refused).toBe(true)
  })
})

describe('dev: true with webpack', () => {
  it('the process ends by itself after close()', async () => {
    const app = await developedApp('dev-webpack')
    try {
      const env = { ...DEVELOPMENT, SERVER_OPTIONS: '{"webpack":true}', ENDS_BY_ITSELF: '1' }
      const server = await startServer({ dir: app.dir, engine: 'ferronext', serverFile: 'dev.mjs', env })
      expect((await sendRaw({ port: server.port, target: '/', timeout: COMPILES })).status).toBe(200)
      await sendRaw({ port: server.port, target: '/__close', headers: { Connection: 'close' } })
      expect(await server.ended, server.output()).toBe(0)
    } finally {
      app.remove()
    }
  })
})
