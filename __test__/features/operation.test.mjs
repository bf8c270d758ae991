// What an operator sees of a server: `ferronext start` and how it ends, readiness, metrics, the access log, tracing.

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { cleanEnvironment, freePort, startCommand } from '../support/command.mjs'
import { openConnection, sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { ensureWorkspace, installFerronext } from '../support/workspace.mjs'

const source = fileURLToPath(new URL('../fixtures/operated', import.meta.url))
const SERVERS = fileURLToPath(new URL('../servers/', import.meta.url))

/** @type {string} */
let app
/** @type {string} */
let command
/** @type {import('../support/command.mjs').Running | undefined} */
let running
/** @type {import('../support/server.mjs').Server | undefined} */
let server

beforeAll(async () => {
  const workspace = await ensureWorkspace({ line: '16.4' })
  await installFerronext(workspace.dir)
  command = path.join(workspace.dir, 'node_modules/ferronext/bin/ferronext.js')
  app = await copyApp((await buildFixture({ line: '16.4', source })).dir, 'operation')
  cpSync(path.join(SERVERS, 'custom.mjs'), path.join(app, 'custom.mjs'))
})

afterEach(async () => {
  await running?.stop()
  await server?.stop()
  running = undefined
  server = undefined
})

afterAll(() => removeApp(app))

/** @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
async function start(args = [], env = {}) {
  const port = await freePort()
  running = startCommand(process.execPath, [command, 'start', '-p', String(port), ...args], {
    cwd: app,
    env: { ...cleanEnvironment(), ...env },
  })
  expect(await running.printed(/ferronext .* serves /, 0, 20_000), running.output()).toBe(true)
  return { port, run: running }
}

/** @param {object} options @param {NodeJS.ProcessEnv} [env] */
async function custom(options, env) {
  server = await startServer({
    dir: app,
    engine: 'ferronext',
    serverFile: 'custom.mjs',
    env: { SERVER_OPTIONS: JSON.stringify(options), ...env },
  })
  return server
}

describe('ferronext start', () => {
  it('says what is served from where, and answers what the app has', async () => {
    const { port, run } = await start()
    expect(await run.printed(/Ready in/)).toBe(true)
    const [serves, local, ...others] = run.output().trimEnd().split('\n')
    expect(serves).toMatch(
      new RegExp(`^ferronext [\\d.]+ serves ${app} at http://localhost:${port} \\(ready in \\d+ ms\\)$`),
    )
    // What `next start` says as well.
    expect(local).toBe(`- Local:         http://localhost:${port}`)
    expect(others.pop()).toMatch(/^✓ Ready in \d+ms$/)
    for (const line of others) expect(line).toMatch(new RegExp(`^- Network:       http://\\S+:${port}$`))
    const page = await fetch(`http://localhost:${port}/`)
    expect([page.status, page.headers.get('x-nextjs-cache')]).toEqual([200, 'HIT'])
    expect(await (await fetch(`http://localhost:${port}/ssr`)).text()).toContain('Rendered at')
    expect(await (await fetch(`http://localhost:${port}/api/hello`)).json()).toEqual({ hello: true })
    expect((await fetch(`http://localhost:${port}/livez`)).status).toBe(404)
  })

  it('takes port, address and keep-alive from options and environment', async () => {
    const port = await freePort()
    running = startCommand(process.execPath, [command, 'start', '--keepAliveTimeout', '61000'], {
      cwd: app,
      env: { ...cleanEnvironment(), PORT: String(port), HOSTNAME: '127.0.0.1' },
    })
    expect(await running.printed(new RegExp(`at http://127\\.0\\.0\\.1:${port} `), 0, 20_000), running.output()).toBe(
      true,
    )
    const { headers } = await sendRaw({ port, target: '/' })
    expect(headers).toContainEqual(['Keep-Alive', 'timeout=61'])
    await expect(fetch(`http://[::1]:${port}/`)).rejects.toThrow()
  })

  it('HOSTNAME that names a machine is nothing to listen on', async () => {
    const { port } = await start([], { HOSTNAME: 'web-5d7f.example.invalid' })
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
  })

  it('takes the options of `next start` that look into the process', async () => {
    const debug = await freePort()
    const { run } = await start([
      '--experimental-next-config-strip-types',
      '--experimental-cpu-prof',
      '--inspect',
      String(debug),
    ])
    const [{ webSocketDebuggerUrl }] = await (await fetch(`http://127.0.0.1:${debug}/json`)).json()
    expect(webSocketDebuggerUrl).toContain(`127.0.0.1:${debug}`)
    run.signal('SIGTERM')
    expect(await run.ended).toBe(143)
    const [profile = ''] = readdirSync(path.join(app, '.next-profiles'))
    expect(JSON.parse(readFileSync(path.join(app, '.next-profiles', profile), 'utf8')).nodes.length).toBeGreaterThan(0)
  })

  it('takes the origin from a proxy that it is told to trust', async () => {
    const { port } = await start(['--trust-proxy', 'loopback', '--trust-origin'])
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'shop.example' }
    const { body } = await sendRaw({ port, target: '/handler', headers })
    expect(JSON.parse(body.toString())).toEqual({ handled: true, origin: 'https://shop.example' })
  })

  it.each(
    /** @type {const} */ ([
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ]),
  )('%s: a stream and the work behind it come to their end, and nobody new is let in', async (signal, code) => {
    const { port, run } = await start()
    const idle = await openConnection({ port })
    idle.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
    expect((await idle.read()).status).toBe(200)
    const stream = await openConnection({ port })
    stream.write('GET /slow?ticks=8&every=150 HTTP/1.1\r\nHost: h\r\n\r\n')
    await stream.readSome(20)
    const begun = performance.now()
    run.signal(signal)
    await expect
      .poll(() =>
        fetch(`http://localhost:${port}/`).then(
          () => 'let in',
          () => 'refused',
        ),
      )
      .toBe('refused')
    const text = await readToEnd(stream)
    expect(text).toContain('tick 7')
    expect(await run.ended).toBe(code)
    // Not the five seconds that an idle connection is kept.
    expect(performance.now() - begun).toBeLessThan(4500)
    expect(run.output()).toContain('left behind and done')
    idle.close()
    stream.close()
  })

  it('a request that does not end is cut off at the deadline, by a second signal at once', async () => {
    for (const [timeout, again] of /** @type {const} */ ([
      ['300', false],
      ['60000', true],
    ])) {
      const { port, run } = await start(['--shutdown-timeout', timeout])
      const stream = await openConnection({ port })
      stream.write('GET /slow?ticks=1000&every=100 HTTP/1.1\r\nHost: h\r\n\r\n')
      await stream.readSome(20)
      const begun = performance.now()
      run.signal('SIGTERM')
      if (again) {
        await expect
          .poll(() =>
            fetch(`http://localhost:${port}/`).then(
              () => 'let in',
              () => 'refused',
            ),
          )
          .toBe('refused')
        run.signal('SIGTERM')
      }
      expect(await run.ended).toBe(143)
      expect(performance.now() - begun).toBeLessThan(10_000)
      if (!again) expect(run.output()).toContain('Not everything was through 300 ms after SIGTERM')
      stream.close()
    }
  })
})

/** @param {Awaited<ReturnType<typeof openConnection>>} connection */
async function readToEnd(connection) {
  let text = ''
  for (;;) {
    try {
      text += (await connection.readSome(1)).toString()
    } catch {
      return text
    }
  }
}

describe('health', () => {
  it('is told at its paths, from before prepare() until close()', async () => {
    writeFileSync(
      path.join(app, 'health.mjs'),
      `import { createServer } from 'node:http'
import next from 'next'
const app = next({ dev: false, health: { live: '/-/live', ready: '/-/ready' } })
const handle = app.getRequestHandler()
createServer((req, res) => {
  if (req.url === '/prepare') return void app.prepare().then(() => res.end(String(app.isReady)))
  if (req.url === '/close') return void app.close().then(() => res.end(String(app.isReady)))
  handle(req, res).catch(error => res.writeHead(500).end(error.message))
}).listen(process.env.PORT, () => console.log('listening'))
`,
    )
    server = await startServer({ dir: app, engine: 'ferronext', serverFile: 'health.mjs' })
    const { port } = server
    const ask = async (/** @type {string} */ target) => {
      const { status, body } = await sendRaw({ port, target })
      return [status, body.toString()]
    }
    expect(await ask('/')).toEqual([500, 'prepare() must be called before performing this operation'])
    expect([await ask('/-/live'), await ask('/-/ready')]).toEqual([
      [200, 'ok\n'],
      [503, 'not ready\n'],
    ])
    expect(await ask('/prepare')).toEqual([200, 'true'])
    expect([await ask('/-/live'), await ask('/-/ready')]).toEqual([
      [200, 'ok\n'],
      [200, 'ready\n'],
    ])
    expect((await ask('/-/ready?x'))[0]).toBe(404)
    expect((await sendRaw({ port, target: '/-/ready', method: 'POST' })).status).toBe(404)
    expect(await ask('/close')).toEqual([200, 'false'])
    expect([await ask('/-/live'), await ask('/-/ready')]).toEqual([
      [200, 'ok\n'],
      [503, 'not ready\n'],
    ])
    // As under upstream, what still comes is answered.
    expect((await ask('/'))[0]).toBe(200)
  })
})

describe('metrics', () => {
  it('count requests by route and what the cache did, renders and memory', async () => {
    const { port } = await start(['--metrics', '/-/metrics'])
    const get = async (/** @type {string} */ path) =>
      (await fetch(`http://localhost:${port}${path}`, { redirect: 'manual' })).text()
    for (const target of [
      '/',
      '/?q',
      '/plain.txt',
      '/dynamic/a',
      '/dynamic/b',
      '/moved',
      '/no/such',
      '/handler',
      '/guarded/x',
    ]) {
      await get(target)
    }
    await fetch(`http://localhost:${port}/handler`, { method: 'PURGE' })
    // Stale after a second: answered at once and rendered in the background.
    await expect
      .poll(
        async () => {
          await get('/later')
          return get('/-/metrics')
        },
        { timeout: 20_000, interval: 300 },
      )
      .toContain('ferronext_render_duration_seconds_count{route="/later",cause="background"} ')
    const text = await get('/-/metrics')
    const line = (/** @type {string} */ name, /** @type {string} */ labels) =>
      Number(
        text
          .split('\n')
          .find(each => each.startsWith(`${name}{${labels}} `))
          ?.split(' ')
          .at(-1),
      )
    const requests = (
      /** @type {string} */ route,
      /** @type {number} */ status,
      /** @type {string} */ cache,
      method = 'GET',
    ) => line('ferronext_requests_total', `method="${method}",route="${route}",status="${status}",cache="${cache}"`)
    expect(requests('/', 200, 'hit')).toBe(2)
    expect(requests('(public)', 200, 'none')).toBe(1)
    expect(requests('/dynamic/[slug]', 200, 'none')).toBe(3) // the third through middleware
    expect(requests('(redirect)', 307, 'none')).toBe(1)
    expect(requests('(not-found)', 404, 'hit')).toBe(1)
    expect(requests('/handler', 400, 'none', 'other')).toBe(1)
    expect(requests('/later', 200, 'stale')).toBeGreaterThan(0)
    expect(line('ferronext_request_duration_seconds_count', 'route="/dynamic/[slug]",cache="none"')).toBe(3)
    expect(line('ferronext_render_duration_seconds_count', 'route="/dynamic/[slug]",cause="request"')).toBe(3)
    expect(line('ferronext_cache_entries', 'kind="pages"')).toBeGreaterThan(0)
    expect(line('ferronext_cache_bytes', 'kind="files"')).toBeGreaterThan(0)
    expect(text).toContain('ferronext_requests_in_flight 0')
    expect(text.endsWith('# EOF\n')).toBe(true)
    const { headers } = await fetch(`http://localhost:${port}/-/metrics`)
    expect(headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(headers.get('cache-control')).toBe('no-store')
    // No path of a client's is a label.
    expect(text).not.toContain('no/such')
  })
})

describe('accessLog', () => {
  it('has one line for each answer, in either form, and none unless asked', async () => {
    const text = await custom({ accessLog: true })
    await sendRaw({ port: text.port, target: '/dynamic/a%1b[31m?x=1' })
    await sendRaw({ port: text.port, target: '/plain.txt' })
    expect(await text.printed(/plain\.txt.*\n/)).toBe(true)
    const [, first, second, ...others] = text.output().trimEnd().split('\n')
    expect(others).toEqual([])
    expect(first).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z GET \/dynamic\/a%1b\[31m\?x=1 200 [\d.]+ms route=\/dynamic\/\[slug\] cache=-$/,
    )
    expect(second).toMatch(/ GET \/plain\.txt 200 [\d.]+ms route=\(public\) cache=-$/)
    await text.stop()

    const json = await custom({ accessLog: 'json' })
    await sendRaw({
      port: json.port,
      target: '/',
      headers: { 'User-Agent': 'quoted "agent"', Referer: 'http://r.example/' },
    })
    expect(await json.printed(/"url":"\/".*\n/)).toBe(true)
    expect(JSON.parse(json.output().trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      method: 'GET',
      url: '/',
      status: 200,
      complete: true,
      route: '/',
      cache: 'HIT',
      userAgent: 'quoted "agent"',
      referrer: 'http://r.example/',
      remoteAddress: expect.stringContaining('127.0.0.1'),
      httpVersion: '1.1',
    })
    await json.stop()

    const quiet = await custom({})
    await sendRaw({ port: quiet.port, target: '/dynamic/a' })
    expect(quiet.output()).toBe('listening\n')
  })

  it('an answer that is broken off says so', async () => {
    const { port, printed, output } = await custom({ accessLog: true })
    const stream = await openConnection({ port })
    stream.write('GET /slow?ticks=50&every=100 HTTP/1.1\r\nHost: h\r\n\r\n')
    await stream.readSome(20)
    stream.close()
    expect(await printed(/slow.* aborted\n/, 0, 15_000), output()).toBe(true)
  })
})

describe('tracing', () => {
  it.each([
    [{ DEBUG: 'other,ferronext:*' }, ['start', 'route', 'cache', 'render']],
    [{ DEBUG: 'ferronext:route' }, ['route']],
    [{ FERRONEXT_LOG: 'ferronext::cache=debug,ferronext::start=debug' }, ['start', 'cache']],
    [{ FERRONEXT_LOG: 'trace' }, ['start', 'route', 'cache', 'render']],
    [{ DEBUG: 'next:*' }, []],
  ])('%j prints %j', async (env, parts) => {
    const { port, printed, output } = await custom({}, env)
    await sendRaw({ port, target: '/' })
    await sendRaw({ port, target: '/dynamic/a' })
    if (parts.length > 0) await printed(new RegExp(`ferronext:${parts.at(-1)} `))
    const ours = output().match(/^ {2}ferronext:\w+/gm) ?? []
    expect([...new Set(ours.map(part => part.split(':')[1]))].sort()).toEqual([...parts].sort())
    if (parts.includes('start'))
      expect(output()).toMatch(/ferronext:start next 16\.4\.6: .*\.next is served, read in \d+ ms/)
  })
})

describe('app.close()', () => {
  it('waits for requests under way and the work behind them, but not longer than it is told', async () => {
    const { port, output } = await custom({})
    const close = (/** @type {object | undefined} */ options) =>
      sendRaw({
        port,
        target: '/',
        headers: { 'X-Call': encodeURIComponent(JSON.stringify({ method: 'close', args: options ? [options] : [] })) },
      })
    const stream = await openConnection({ port })
    stream.write('GET /slow?ticks=4&every=150 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    await stream.readSome(20)
    await close(undefined)
    expect(await readToEnd(stream)).toContain('tick 3')
    expect(output()).toContain('left behind and done')

    const endless = await openConnection({ port })
    endless.write('GET /slow?ticks=1000&every=50 HTTP/1.1\r\nHost: h\r\n\r\n')
    await endless.readSome(20)
    const begun = performance.now()
    await close({ timeout: 200 })
    expect(performance.now() - begun).toBeLessThan(5000)
    endless.close()
  })

  it('ends web sockets that a rewrite has led elsewhere, so that the server can end', async () => {
    const other = new WebSocketServer({ port: 0 })
    const { port: target } = /** @type {import('node:net').AddressInfo} */ (other.address())
    writeFileSync(
      path.join(app, 'sockets.mjs'),
      `import { createServer } from 'node:http'
import next from 'next'
const server = createServer((req, res) => handle(req, res))
const conf = { rewrites: async () => [{ source: '/socket', destination: 'http://127.0.0.1:${target}/' }] }
const app = next({ dev: false, conf, httpServer: server })
const handle = app.getRequestHandler()
await app.prepare()
process.on('SIGTERM', async () => {
  const closed = new Promise(resolve => server.close(resolve))
  await app.close()
  await closed
  console.log('all closed')
})
server.listen(process.env.PORT, () => console.log('listening'))
`,
    )
    server = await startServer({ dir: app, engine: 'ferronext', serverFile: 'sockets.mjs' })
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/socket`)
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    const gone = new Promise(resolve => socket.once('close', resolve))
    process.kill(server.pid, 'SIGTERM')
    expect(await server.printed(/all closed/, 0, 10_000), server.output()).toBe(true)
    await gone
    other.close()
  })
})

describe('what the options take', () => {
  it.each([
    [{ accessLog: 'xml' }, /`accessLog` of next\(\) takes true, "text", "json" or a function, not "xml"/],
    [{ metrics: 'metrics' }, /`metrics` of next\(\) takes true or a path, not "metrics"/],
    [{ health: '/ready' }, /`health` of next\(\) takes true or \{ live, ready \}, not "\/ready"/],
    [{ health: { ready: 'ready' } }, /`health.ready` of next\(\) takes a path, not "ready"/],
    [{ health: { alive: '/x' } }, /`health` of next\(\) has the paths `live` and `ready`/],
  ])('%j', async (options, message) => {
    await expect(custom(options)).rejects.toThrow(message)
  })
})
