// Bodies that the user's server has read before it calls the handler: what is kept of them is handed on, in every kind of answer that
// reads a body, and where nothing is kept one line says so. What upstream does then is compared in conformance/cases/bodies.mjs.

import { once } from 'node:events'
import { copyFileSync, readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { openConnection, sendRaw } from '../support/raw.mjs'
import { header, json } from '../support/serve-fixture.mjs'
import { startServer } from '../support/server.mjs'
import { pointAtTarget, startTarget } from '../support/target.mjs'

const tests = new URL('../', import.meta.url).pathname
const JSON_TYPE = { 'Content-Type': 'application/json' }
const FORM_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' }

/** What reads a body, and tells it. */
const READERS = ['/route', '/edge', '/api/raw', '/api/edge', '/outside/echo']

/** @param {string} serverFile @param {NodeJS.ProcessEnv} [env] */
function serving(serverFile, env) {
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server
  /** @type {Awaited<ReturnType<typeof startTarget>>} */
  let target
  let dir = ''
  beforeAll(async () => {
    const built = await buildFixture({ line: '16.4', source: path.join(tests, 'fixtures/bodies') })
    dir = await copyApp(built.dir, `read-${serverFile}`)
    copyFileSync(path.join(tests, 'servers', serverFile), path.join(dir, serverFile))
    target = await startTarget()
    pointAtTarget(path.join(dir, '.next'), target.port)
    server = await startServer({ dir, engine: 'ferronext', serverFile, env: { TEST_PACKAGES: tests, ...env } })
  })
  afterAll(async () => {
    await server?.stop()
    await target?.close()
    await removeApp(dir)
  })
  return {
    /** @param {string} target @param {string | Buffer} body @param {Record<string, string>} headers */
    post: (target, body, headers) =>
      sendRaw({ port: server.port, method: 'POST', target, body, headers, timeout: 5000 }),
    port: () => server.port,
    output: () => server.output(),
    action: () =>
      Object.keys(
        JSON.parse(readFileSync(path.join(dir, '.next/server/server-reference-manifest.json'), 'utf8')).node,
      )[0] ?? '',
  }
}

/** What a reader tells of the body. The other server writes bytes as characters. @param {any} told */
const bodyOf = told => (told.headers ? Buffer.from(told.body, 'latin1').toString() : told.body)

/** The length that a reader was told, wherever it tells it. @param {any} told */
const lengthOf = told =>
  told.length ?? told.headers.find((/** @type {string} */ line) => line.startsWith('content-length: '))?.slice(16)

describe('behind Express', () => {
  const { post, port, output, action } = serving('parsers.mjs')

  // Twice, because the second request may go another way than the first.
  it.each([...READERS, ...READERS])('%s gets what express.json() has parsed', async reader => {
    const told = json(await post(`/parsed${reader}`, '{ "a": [1, "ü"] }', JSON_TYPE))
    expect([bodyOf(told), lengthOf(told)]).toEqual(['{"a":[1,"ü"]}', '14'])
  })

  it.each(READERS)('%s gets a form that was parsed', async reader => {
    const form = 'a=1&a=2+3&b%5Bc%5D=%26&b%5Bd%5D%5B0%5D%5Be%5D=x'
    const told = json(await post(`/parsed${reader}`, form, FORM_TYPE))
    expect([bodyOf(told), lengthOf(told)]).toEqual([form, String(form.length)])
  })

  it.each(READERS)('%s gets a text that was read, in UTF-8', async reader => {
    const type = { 'Content-Type': 'text/plain; charset=latin1' }
    const told = json(await post(`/text${reader}`, Buffer.from('\u00fc', 'latin1'), type))
    expect([bodyOf(told), lengthOf(told)]).toEqual(['ü', '2'])
    if (told.type) expect(told.type).toBe('text/plain; charset=utf-8')
  })

  it.each(READERS)('%s gets the bytes of req.rawBody, as they were', async reader => {
    const told = json(await post(`/kept${reader}`, '{ "a": 1 }', JSON_TYPE))
    expect([bodyOf(told), lengthOf(told)]).toEqual(['{ "a": 1 }', '10'])
  })

  it.each(READERS)('%s gets what a parser has unpacked, and no word of the encoding', async reader => {
    const headers = { ...JSON_TYPE, 'Content-Encoding': 'gzip' }
    const told = json(await post(`/parsed${reader}`, gzipSync('{"a":1}'), headers))
    expect([bodyOf(told), lengthOf(told), told.encoding ?? null]).toEqual(['{"a":1}', '7', null])
  })

  it.each(READERS)('%s gets a body that came in chunks, with a length', async reader => {
    const headers = { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }
    const told = json(await post(`/parsed${reader}`, '3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n', headers))
    expect([bodyOf(told), lengthOf(told)]).toEqual(['{"a":1}', '7'])
  })

  it.each([...READERS, ...READERS])('%s gets what was collected by listeners that stay', async reader => {
    const told = json(await post(`/listened${reader}`, 'anything', { 'Content-Type': 'text/x-own' }))
    expect([bodyOf(told), lengthOf(told)]).toEqual(['anything', '8'])
    expect(output()).not.toContain('closed twice')
  })

  it('goes on with the next request of the connection, whether the body is read or not', async () => {
    const connection = await openConnection({ port: port() })
    for (const target of ['/listened/route', '/listened/missing', '/listened/', '/listened/route']) {
      connection.write(`POST ${target} HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody`)
      const answer = await connection.read('POST')
      if (target === '/listened/route') expect(json(answer).body).toBe('body')
    }
    connection.close()
  })

  it('large bodies arrive whole', async () => {
    const text = 'x'.repeat(3_000_000)
    for (const reader of READERS) {
      const { body } = json(await post(`/listened${reader}`, text, {}))
      if (reader.startsWith('/outside')) expect(body).toMatch(/^3000000 bytes/)
      else expect(body.length).toBe(text.length)
    }
  })

  it('an API route gets what was parsed, or parses what was kept', async () => {
    expect(json(await post('/parsed/api/parsed', '{"a":1}', JSON_TYPE)).body).toEqual({ a: 1 })
    expect(json(await post('/listened/api/parsed', '{"a":1}', JSON_TYPE)).body).toEqual({ a: 1 })
  })

  it('a page reads it in getServerSideProps', async () => {
    expect((await post('/kept/posted', '{"a":1}', JSON_TYPE)).decoded.toString()).toContain(
      '<pre>{&quot;a&quot;:1}</pre>',
    )
  })

  it('a server action gets its arguments, as a text and as multipart', async () => {
    const called = { 'Next-Action': action() }
    const text = await post('/text/action', '["one"]', { ...called, 'Content-Type': 'text/plain;charset=UTF-8' })
    expect(text.decoded.toString()).toContain('[\\"one\\"]')
    const parts = '--x\r\nContent-Disposition: form-data; name="0"\r\n\r\n["two"]\r\n--x--\r\n'
    const multipart = await post('/kept/action', parts, {
      ...called,
      'Content-Type': 'multipart/form-data; boundary=x',
    })
    expect(multipart.decoded.toString()).toContain('[\\"two\\"]')
  })
})

describe('over HTTP/2', () => {
  const { port, output } = serving('http2.mjs')

  /** @param {string} target @param {Record<string, string>} [headers] @param {string} [body] */
  async function ask(target, headers = {}, body) {
    const session = connect(`http://127.0.0.1:${port()}`)
    const method = body === undefined ? 'GET' : 'POST'
    const stream = session.request({ ':method': method, ':path': target, ...headers })
    stream.end(body)
    const [head] = await once(stream, 'response')
    let text = ''
    for await (const chunk of stream) text += chunk
    session.close()
    return { status: head[':status'], text }
  }

  it('nothing warns of reasons, which HTTP/2 has not', async () => {
    for (const target of [
      '/route',
      '/edge',
      '/api/parsed',
      '/api/raw',
      '/api/edge',
      '/posted',
      '/action',
      '/',
      '/kept',
      '/missing',
      '/outside/echo',
    ]) {
      for (let i = 0; i < 3; i++) expect((await ask(target)).status, target).toBe(target === '/missing' ? 404 : 200)
    }
    expect((await ask('/api/parsed', { 'content-type': 'application/json' }, '{broken')).status).toBe(400)
    expect(output()).not.toContain('UnsupportedWarning')
  })

  it('a body that came without a length is handed on', async () => {
    for (const reader of READERS) {
      const told = JSON.parse((await ask(reader, { 'x-kept': '1' }, 'over HTTP/2')).text)
      expect([bodyOf(told), lengthOf(told)]).toEqual(['over HTTP/2', '11'])
    }
  })
})

describe('behind Fastify', () => {
  const { post, output } = serving('parsers.mjs', { FRAMEWORK: 'fastify' })

  it.each(READERS)('%s gets the body that was put on the raw request', async reader => {
    const told = json(await post(`/parsed${reader}`, '{ "a": 1 }', JSON_TYPE))
    expect([bodyOf(told), lengthOf(told)]).toEqual(['{"a":1}', '7'])
  })

  it.each(['/route', '/edge', '/api/parsed', '/api/edge', '/outside/echo'])(
    '%s says at once and in one line what is missing, where nothing is kept',
    async reader => {
      for (let i = 0; i < 2; i++) {
        const from = output().length
        const answer = await post(`/lost${reader}`, '{"a":1}', JSON_TYPE)
        expect(answer.status).toBe(500)
        if (!reader.startsWith('/outside')) expect(header(answer, 'cache-control')).toContain('no-store')
        const printed = output().slice(from).trim().split('\n')
        expect(printed).toHaveLength(1)
        expect(printed[0]).toContain(`FERRONEXT_BODY_READ: The body of POST ${reader} was read before`)
      }
    },
  )

  it('a chunked body that is lost is not sent on as an empty one', async () => {
    const headers = { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }
    expect((await post('/lost/outside/echo', '3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n', headers)).status).toBe(500)
  })

  it('says it of a server action, before what upstream says', async () => {
    const from = output().length
    await post('/lost/action', '{}', { ...JSON_TYPE, 'Next-Action': 'x' })
    expect(output().slice(from)).toMatch(/FERRONEXT_BODY_READ: The body of POST \/action/)
  })
})
