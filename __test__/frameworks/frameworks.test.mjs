// The servers of examples/frameworks, each with upstream's `next` and with ferronext: the same conversation, the same answers.

import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { prepareExample } from '../support/example.mjs'
import { startServer } from '../support/server.mjs'

const tls = fileURLToPath(new URL('../support/tls/', import.meta.url))
const TLS = { TLS_KEY: path.join(tls, 'key.pem'), TLS_CERT: path.join(tls, 'cert.pem') }
/** @type {import('../support/server.mjs').Engine[]} */
const ENGINES = ['upstream', 'ferronext']

/** @type {Record<string, { dir: string, remove: () => void }>} */
const examples = {}

beforeAll(async () => {
  for (const engine of ENGINES) examples[engine] = await prepareExample(engine, 'frameworks')
})

afterAll(() => {
  for (const { remove } of Object.values(examples)) remove()
})

/**
 * @typedef {object} Answer
 * @property {number | undefined} status
 * @property {string} body
 * @property {http.IncomingHttpHeaders} headers
 */

/**
 * @param {typeof http | typeof https} protocol
 * @param {number} port
 * @param {string} target
 * @param {{ method?: string, headers?: http.OutgoingHttpHeaders, body?: string }} [request]
 * @returns {Promise<Answer>}
 */
function ask(protocol, port, target, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const options = { port, path: target, method, headers, rejectUnauthorized: false, agent: false }
    const request = protocol.request(options, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, body: text, headers: response.headers }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** An answer without what differs from one to the next on any server, and without its framing. @param {Answer} answer */
function comparable({ status, body, headers }) {
  const { date, etag, connection, 'keep-alive': keepAlive, 'set-cookie': cookies, ...framed } = headers
  const { 'content-length': length, 'transfer-encoding': coding, ...rest } = framed
  return { status, body, headers: rest, cookies: cookies?.map(cookie => cookie.split('=')[0]) }
}

/** @param {string} url @param {string} text @returns {Promise<string>} */
function speak(url, text) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { rejectUnauthorized: false })
    socket.on('open', () => socket.send(text))
    socket.on('message', data => {
      resolve(String(data))
      socket.close()
    })
    socket.on('error', reject)
  })
}

/** Resolves to how an upgrade that nobody wants ends. @param {string} url @returns {Promise<string>} */
function refused(url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { rejectUnauthorized: false })
    socket.on('open', () => reject(new Error(`${url} was accepted`)))
    socket.on('error', error => resolve(error.message))
  })
}

/**
 * @param {import('../support/server.mjs').Engine} engine
 * @param {string} serverFile
 */
const start = (engine, serverFile) => startServer({ dir: examples[engine].dir, engine, serverFile, env: TLS })

/** One conversation with a server. @param {number} port */
async function converse(port) {
  /** @param {string} target @param {Parameters<typeof ask>[3]} [request] */
  const get = (target, request) => ask(http, port, target, request)
  const json = { 'content-type': 'application/json' }
  const login = await get('/login?name=ann', { method: 'POST' })
  const cookie = (login.headers['set-cookie'] ?? []).map(line => line.split(';')[0]).join('; ')
  const home = await get('/app')
  const chunk = /\/app\/_next\/static\/chunks\/[^"]+\.js/.exec(home.body)?.[0] ?? 'no chunk'
  const answers = {
    own: await get('/'),
    login,
    home,
    chunk: await get(chunk),
    asked: await get('/app/about', { headers: { 'x-asked-by': 'a test' } }),
    nobody: await get('/app/profile'),
    ann: await get('/app/profile', { headers: { cookie } }),
    echo: await get('/app/api/echo', { method: 'POST', headers: json, body: '{"a": 1}' }),
    stream: await get('/app/stream'),
    missing: await get('/app/nothing'),
    slash: await get('/app/about/'),
    outside: await get('/nothing'),
  }
  const seen = JSON.parse((await get('/seen')).body)
  const socket = await speak(`ws://localhost:${port}/ws`, 'hello')
  return { answers, seen, socket }
}

describe.each([
  ['express', 'servers/express.js'],
  ['fastify', 'servers/fastify.js'],
  ['koa', 'servers/koa.js'],
  ['hono', 'servers/hono.js'],
  ['nest', 'dist/nest.js'],
])('%s', (name, serverFile) => {
  /** @type {Record<string, Awaited<ReturnType<typeof converse>>>} */
  const conversations = {}

  beforeAll(async () => {
    for (const engine of ENGINES) {
      const server = await start(engine, serverFile)
      try {
        conversations[engine] = await converse(server.port)
        if (engine === 'ferronext') {
          // Upstream leaves such a socket open for ever; here the page that it asked for ends it.
          expect(await refused(`ws://localhost:${server.port}/app`)).toMatch(/hang up/)
        }
      } catch (error) {
        throw Object.assign(/** @type {Error} */ (error), { message: `${error}\n${server.output()}` })
      } finally {
        await server.stop()
      }
    }
  })

  it('answers as with upstream', () => {
    const [theirs, ours] = ENGINES.map(engine => conversations[engine])
    for (const name of /** @type {(keyof typeof ours.answers)[]} */ (Object.keys(theirs.answers))) {
      expect.soft(comparable(ours.answers[name]), name).toEqual(comparable(theirs.answers[name]))
    }
    expect(ours.seen).toEqual(theirs.seen)
  })

  it('has its own routes and session, and Next.js its pages, below the path', () => {
    const { answers } = conversations.ferronext
    expect([answers.own.body, answers.outside.status]).toEqual(['own', 404])
    expect(answers.outside.body).toMatch(name === 'nest' ? /Cannot GET/ : /^not here$/)
    expect(answers.home.body).toContain('<h1>Below a path</h1>')
    expect(answers.chunk.headers['content-type']).toMatch(/javascript/)
    expect(answers.asked.body).toContain('Asked for by')
    expect(answers.nobody.body).toContain('nobody')
    expect(answers.ann.body).toContain('ann')
    expect([answers.echo.status, JSON.parse(answers.echo.body)]).toEqual([
      201,
      { body: '{"a": 1}', type: 'application/json' },
    ])
    expect(answers.stream.body).toBe('first\nsecond\n')
    expect([answers.missing.status, answers.slash.status]).toEqual([404, 308])
  })

  it('runs its middleware before and after', () => {
    const { answers, seen } = conversations.ferronext
    for (const answer of Object.values(answers)) expect(answer.headers['x-before']).toBe(name)
    expect(seen).toEqual(expect.arrayContaining(['GET /app 200', 'POST /app/api/echo 201', 'GET /app/nothing 404']))
  })

  it('keeps its web socket', () => {
    expect(conversations.ferronext.socket).toBe('echo: hello')
  })
})

describe.each(ENGINES)('https with %s', engine => {
  it('answers, and says to the app that it is encrypted', async () => {
    const server = await start(engine, 'servers/https.js')
    try {
      const home = await ask(https, server.port, '/app')
      expect([home.status, home.headers['x-before']]).toEqual([200, 'https'])
      expect(home.body).toContain('Below a path')
      expect((await ask(https, server.port, '/app/about')).body).toContain('Asked for by')
      expect(await speak(`wss://localhost:${server.port}/ws`, 'hello')).toBe('echo: hello')
    } finally {
      await server.stop()
    }
  })
})

describe('http2 with ferronext', () => {
  // Upstream answers no HTTP/2 request at all: its compression and its entries ask for parts of Node's HTTP/1 objects.
  /** @type {import('../support/server.mjs').Server} */
  let server
  /** @type {http2.ClientHttp2Session} */
  let session

  beforeAll(async () => {
    server = await start('ferronext', 'servers/http2.js')
    session = http2.connect(`https://localhost:${server.port}`, { rejectUnauthorized: false })
  })

  afterAll(async () => {
    session?.destroy()
    await server?.stop()
  })

  /**
   * @param {string} target
   * @param {http2.OutgoingHttpHeaders} [headers]
   * @param {string} [body]
   * @returns {Promise<{ status: unknown, body: string, headers: http2.IncomingHttpHeaders }>}
   */
  function get(target, headers = {}, body) {
    return new Promise((resolve, reject) => {
      const stream = session.request({ ':path': target, ...headers })
      /** @type {http2.IncomingHttpHeaders} */
      let head = {}
      let text = ''
      stream.on('response', received => {
        head = received
      })
      stream.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      stream.on('end', () => resolve({ status: head[':status'], body: text, headers: head }))
      stream.on('error', reject)
      stream.end(body)
    })
  }

  it('answers every kind of request', async () => {
    const home = await get('/app')
    expect([home.status, home.headers['x-before'], home.headers['x-nextjs-cache']]).toEqual([200, 'http2', 'HIT'])
    const chunk = /\/app\/_next\/static\/chunks\/[^"]+\.js/.exec(home.body)?.[0] ?? 'no chunk'
    const [script, asked, profile, echo, stream, missing, slash] = await Promise.all([
      get(chunk),
      get('/app/about', { 'x-asked-by': 'a test' }),
      get('/app/profile', { cookie: 'a=b' }),
      get('/app/api/echo', { ':method': 'POST', 'content-type': 'text/plain' }, 'hello'),
      get('/app/stream'),
      get('/app/nothing'),
      get('/app/about/'),
    ])
    expect([script.status, script.headers['content-type']]).toEqual([200, expect.stringMatching(/javascript/)])
    expect(asked.body).toContain('a test')
    expect(profile.body).toContain('nobody')
    expect([echo.status, JSON.parse(echo.body)]).toEqual([201, { body: 'hello', type: 'text/plain' }])
    expect(stream.body).toBe('first\nsecond\n')
    expect([missing.status, slash.status, slash.headers.location]).toEqual([404, 308, '/app/about'])
    expect((await get('/app', { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBe('gzip')
    expect((await get('/app', { 'if-none-match': String(home.headers.etag) })).status).toBe(304)
  })

  it('serves clients of HTTP/1.1 on the same port', async () => {
    const home = await ask(https, server.port, '/app/about')
    expect([home.status, home.headers['x-before']]).toEqual([200, 'http2'])
  })
})
