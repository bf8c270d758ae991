// Request bodies on their way past middleware: whole for middleware and for the route, refused when they are too long, and
// nothing is left behind when a client goes away.

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { openConnection, sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'

const fixture = (/** @type {string} */ name) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

/** The limit of the fixture `middleware`, which runs at the edge. */
const LIMIT = 64 * 1024

/** A server whose own code gets at the request first, as a body parser or a slow log-in check would. */
const EARLY_SERVER = `import { createServer } from 'node:http'
import next from 'next'

const app = next({ dev: false })
const handle = app.getRequestHandler()
await app.prepare()
createServer(async (req, res) => {
  const chunks = []
  if (['reads', 'keeps'].includes(req.headers['x-server'])) for await (const chunk of req) chunks.push(chunk)
  if (req.headers['x-server'] === 'keeps') req.rawBody = Buffer.concat(chunks)
  if (req.headers['x-server'] === 'waits') while (!req.complete) await new Promise(setImmediate)
  handle(req, res)
}).listen(Number(process.env.PORT), () => console.log('listening'))
`

/** @type {Record<string, { dir: string, server: Awaited<ReturnType<typeof startServer>> }>} */
const apps = {}

beforeAll(async () => {
  for (const name of ['middleware', 'proxy']) {
    const { dir: built } = await buildFixture({ line: '16.4', source: fixture(name) })
    const dir = await copyApp(built, 'body')
    writeFileSync(path.join(dir, 'early.mjs'), EARLY_SERVER)
    apps[name] = { dir, server: await startServer({ dir, engine: 'ferronext', serverFile: 'early.mjs' }) }
  }
})

afterAll(async () => {
  for (const { dir, server } of Object.values(apps)) {
    await server.stop()
    await removeApp(dir)
  }
})

const portOf = (/** @type {string} */ name) => apps[name]?.server.port ?? 0
const sha256 = (/** @type {Buffer} */ bytes) => createHash('sha256').update(bytes).digest('hex')

/** @param {string} name @param {string} target @param {Buffer | string} body @param {Record<string, string>} [headers] */
async function post(name, target, body, headers = {}) {
  const { status, decoded } = await sendRaw({ port: portOf(name), method: 'POST', target, headers, body })
  return { status, text: decoded.toString() }
}

/**
 * Sends a body in chunks without saying how long it is.
 * @param {string} name @param {string} target @param {number} bytes
 * @returns {Promise<{ status: number, text: string }>}
 */
function postChunked(name, target, bytes) {
  return new Promise((resolve, reject) => {
    const chunk = Buffer.alloc(8 * 1024, 'x')
    let left = bytes
    let answered = false
    const request = httpRequest({ port: portOf(name), method: 'POST', path: target }, response => {
      answered = true
      let text = ''
      response.setEncoding('utf8').on('data', part => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    request.on('error', error => answered || reject(error))
    const send = () => {
      while (left > 0 && !answered) {
        left -= chunk.length
        if (!request.write(chunk)) return request.once('drain', send)
      }
      request.end()
    }
    send()
  })
}

describe('a body within the limit', () => {
  const body = Buffer.from(Array.from({ length: LIMIT }, (_, at) => at % 251))

  it.each(['next', 'bodyThenNext', 'partOfBody'])('reaches the route whole when middleware does "%s"', async mode => {
    const { status, text } = await post('middleware', `/api/upload?mw=${mode}`, body)
    expect([status, JSON.parse(text)]).toEqual([200, { bytes: body.length, hash: sha256(body) }])
  })

  it.each(['next', 'hash'])('of megabytes reaches the route whole past a Node proxy that does "%s"', async mode => {
    const large = Buffer.alloc(8 * 1024 * 1024, 'abcdefg')
    const { status, text } = await post('proxy', `/base/api/echo?proxy=${mode}`, large)
    const answer = JSON.parse(text)
    expect([status, answer.hash, answer.body.length]).toEqual([
      200,
      mode === 'hash' ? sha256(large) : null,
      large.length,
    ])
  })

  it('can be the answer of middleware', async () => {
    const large = Buffer.alloc(8 * 1024 * 1024, 'abcdefg')
    const { status, text } = await post('proxy', '/base/api/echo?proxy=answer', large)
    expect([status, sha256(Buffer.from(text))]).toEqual([202, sha256(large)])
  })

  it('is whole when it arrives before the handler is called', async () => {
    // No more than Node takes without anybody reading.
    const small = body.subarray(0, 8000)
    const { status, text } = await post('middleware', '/api/upload?mw=bodyThenNext', small, { 'x-server': 'waits' })
    expect([status, JSON.parse(text).hash]).toEqual([200, sha256(small)])
  })

  it('is not empty for middleware when the server has read it already: to read it fails, and a line says why', async () => {
    const server = apps.middleware?.server
    const { status } = await post('middleware', '/x?mw=body', 'read by the server', { 'x-server': 'reads' })
    expect(status).toBe(500)
    expect(server?.output()).toContain('FERRONEXT_BODY_READ: The body of POST /x?mw=body was read before')
    expect((await post('middleware', '/dynamic?mw=next', 'read', { 'x-server': 'reads' })).status).toBe(200)
    expect((await post('proxy', '/base/page/1?x', 'read', { 'x-server': 'reads' })).status).toBe(200)
  })

  it('reaches middleware and the route behind it when the server has read and kept it', async () => {
    const body = Buffer.alloc(40_000, 'kept by the server. ')
    for (let i = 0; i < 2; i++) {
      const { text } = await post('middleware', '/api/upload?mw=bodyThenNext', body, { 'x-server': 'keeps' })
      expect(JSON.parse(text).hash).toBe(sha256(body))
      const hashed = await post('proxy', '/base/api/echo?proxy=hash', body, { 'x-server': 'keeps' })
      expect(JSON.parse(hashed.text)).toMatchObject({ hash: sha256(body), body: body.toString() })
    }
  })

  it('is never mixed with that of another request', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, at) => {
        const own = Buffer.alloc(1000 + at * 500, String(at))
        const { text } = await post('middleware', '/api/upload?mw=bodyThenNext', own)
        return JSON.parse(text).hash === sha256(own)
      }),
    )
    expect(answers).toEqual(Array(100).fill(true))
  })
})

describe('body-over-the-limit: 413, wherever it would have been read', () => {
  it.each(['next', 'bodyThenNext', 'answer'])('with its length announced, middleware doing "%s"', async mode => {
    expect(await post('middleware', `/api/upload?mw=${mode}`, Buffer.alloc(LIMIT + 1))).toEqual({
      status: 413,
      text: 'Body exceeded 64KB limit',
    })
  })

  it.each(['bodyThenNext', 'next'])('sent in chunks, middleware doing "%s"', async mode => {
    const answer = await postChunked('middleware', `/api/upload?mw=${mode}`, LIMIT * 4)
    expect(answer).toEqual({ status: 413, text: 'Body exceeded 64KB limit' })
  })

  it('and the connection goes on', async () => {
    const connection = await openConnection({ port: portOf('middleware') })
    const head = `POST /api/upload?mw=next HTTP/1.1\r\nHost: h\r\nContent-Length: ${LIMIT + 1}\r\n\r\n`
    connection.write(Buffer.concat([Buffer.from(head), Buffer.alloc(LIMIT + 1)]))
    expect((await connection.read('POST')).status).toBe(413)
    connection.write(Buffer.from('GET /file.txt HTTP/1.1\r\nHost: h\r\n\r\n'))
    expect((await connection.read('GET')).status).toBe(200)
    connection.close()
  })

  it('CVE-2026-64646: for an edge function too', async () => {
    expect((await post('middleware', '/open/edge', Buffer.alloc(LIMIT + 1))).status).toBe(413)
    expect(await post('middleware', '/open/edge', 'within')).toEqual({ status: 200, text: 'within' })
  })

  it('is said once in the log', async () => {
    const { server } = apps.middleware ?? {}
    const before = server?.output().length
    await post('middleware', '/api/upload?mw=next&logged', Buffer.alloc(LIMIT + 1))
    const printed = await server?.printed(/logged was refused: its body is larger than 64KB/, before)
    expect(printed).toBe(true)
    expect(
      server
        ?.output()
        .slice(before)
        .match(/refused/g),
    ).toHaveLength(1)
  })
})

describe('a client that goes away', () => {
  it('half-way through its body ends the work of middleware, and others are served', async () => {
    for (let at = 0; at < 20; at++) {
      const connection = await openConnection({ port: portOf('middleware') })
      const head = 'POST /api/upload?mw=bodyThenNext HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\nbegin'
      connection.write(Buffer.from(head))
      connection.close()
    }
    const { status } = await post('middleware', '/api/upload?mw=bodyThenNext', 'still there')
    expect(status).toBe(200)
  })
})
