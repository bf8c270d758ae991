// How answers are encoded, over real sockets: who gets brotli and zstd, what the first and the later requests get, events that
// arrive as they are written, what is left alone, and a server that compresses by itself.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync, constants, gunzipSync, inflateSync } from 'node:zlib'
import { Decompress } from 'fzstd'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { until } from '../support/until.mjs'

const source = fileURLToPath(new URL('../fixtures/app-router', import.meta.url))
const rootPackage = fileURLToPath(new URL('../../package.json', import.meta.url))

/** What browsers send. */
const BROWSER = 'gzip, deflate, br, zstd'

/** 300 kB that leave an encoder something to do. */
const TEXT = Array.from({ length: 30_000 }, (_, at) => `${(at * 7919) % 10_007} `).join('')

/** An answer of every kind that is compressed. */
const KINDS = {
  'a prerendered page': '/large',
  'a file': '/text.txt',
  'a rendered page': '/dynamic?q='.padEnd(2000, 'q'),
  'a route handler': '/api/stream?size=200',
}

/** Express with the `compression` package before the app. */
const EXPRESS = `import { createRequire } from 'node:module'
import next from 'next'

const require = createRequire(process.env.TEST_PACKAGES)
const express = require('express')
const app = next({ dev: false, ...JSON.parse(process.env.SERVER_OPTIONS ?? '{}') })
await app.prepare()
const server = express()
server.use(require('compression')())
server.all('/{*any}', (req, res) => app.getRequestHandler()(req, res))
server.listen(Number(process.env.PORT), () => console.log('listening'))
`

const PLAIN = `import { createServer } from 'node:http'
import next from 'next'

const app = next({ dev: false, ...JSON.parse(process.env.SERVER_OPTIONS ?? '{}') })
await app.prepare()
const handle = app.getRequestHandler()
createServer((req, res) => {
  if (req.headers['x-encoded']) res.setHeader('Content-Encoding', req.headers['x-encoded'])
  handle(req, res)
}).listen(Number(process.env.PORT), () => console.log('listening'))
`

/** @type {string} */
let dir
/** @type {Awaited<ReturnType<typeof startServer>>[]} */
const servers = []
/** @type {number} */
let usual
/** @type {number} */
let modern

beforeAll(async () => {
  const { dir: built } = await buildFixture({ line: '16.4', source })
  dir = await copyApp(built, 'encodings')
  writeFileSync(path.join(dir, 'plain.mjs'), PLAIN)
  writeFileSync(path.join(dir, 'express.mjs'), EXPRESS)
  mkdirSync(path.join(dir, 'public'))
  writeFileSync(path.join(dir, 'public/text.txt'), TEXT)
  writeFileSync(path.join(dir, 'public/small.txt'), 'x'.repeat(1000))
  writeFileSync(path.join(dir, 'public/picture.png'), Buffer.alloc(5000))
  usual = await serve('plain.mjs')
  modern = await serve('plain.mjs', { preferEncodings: ['br', 'zstd'], watchPublic: true })
})

afterAll(async () => {
  await Promise.all(servers.map(server => server.stop()))
  await removeApp(dir)
})

/** @param {string} serverFile @param {object} [options] */
async function serve(serverFile, options = {}) {
  const env = { SERVER_OPTIONS: JSON.stringify(options), TEST_PACKAGES: rootPackage }
  const server = await startServer({ dir, engine: 'ferronext', serverFile, env })
  servers.push(server)
  return server.port
}

/** @param {number} port @param {string} target @param {string} [accept] */
const ask = (port, target, accept) =>
  sendRaw({ port, target, headers: accept === undefined ? {} : { 'Accept-Encoding': accept } })

/** @param {import('../support/raw.mjs').RawResponse} response @param {string} name */
const all = ({ headers }, name) => headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)

/** @param {number} port @param {string} target @param {string} [accept] */
const codingOf = async (port, target, accept) =>
  all(await ask(port, target, accept), 'content-encoding').join() || 'none'

describe('who gets what', () => {
  it.each(Object.entries(KINDS))('brotli-and-zstd-where-wanted: %s', async (_, target) => {
    const plain = await ask(usual, target)
    for (const [port, accept, coding] of /** @type {const} */ ([
      ['usual', BROWSER, 'gzip'],
      ['usual', 'br', 'br'],
      ['usual', 'zstd, br;q=0.9', 'zstd'],
      ['usual', 'gzip;q=0.9, br', 'br'],
      ['usual', '*', 'gzip'],
      ['usual', 'br;q=0', 'none'],
      ['modern', BROWSER, 'br'],
      ['modern', 'gzip, zstd', 'zstd'],
      ['modern', 'gzip, br;q=0.9', 'gzip'],
      ['modern', 'deflate', 'deflate'],
      ['modern', 'identity', 'none'],
    ])) {
      const response = await ask(port === 'usual' ? usual : modern, target, accept)
      expect(all(response, 'content-encoding').join() || 'none', `${port}: ${accept}`).toBe(coding)
      expect(all(response, 'vary').join()).toMatch(/\bAccept-Encoding$/)
      // Nothing of what is rendered differs between two requests but the host.
      expect(response.decoded.length).toBe(plain.body.length)
      if (target !== KINDS['a rendered page']) expect(response.decoded.equals(plain.body)).toBe(true)
    }
  })

  it('the first request is answered at once, later ones with fewer bytes', async () => {
    const port = await serve('plain.mjs', { preferEncodings: ['br'] })
    for (const target of ['/text.txt', '/large']) {
      const first = await ask(port, target, BROWSER)
      expect(all(first, 'content-encoding')).toEqual(['br'])
      let last = first
      await until(async () => {
        last = await ask(port, target, BROWSER)
        return last.body.length < first.body.length
      })
      expect(last.decoded.equals(first.decoded)).toBe(true)
      expect(all(last, 'etag')).toEqual(all(first, 'etag'))
    }
  })

  it.each([
    ['/small.txt', 'a small file'],
    ['/picture.png', 'a picture'],
    ['/api/no-transform', 'what must not be changed'],
    ['/text.txt', 'a HEAD', 'HEAD'],
  ])('%s: %s is left alone', async (target, _, method = 'GET') => {
    for (const accept of ['br', 'zstd', BROWSER]) {
      const response = await sendRaw({ port: modern, target, method, headers: { 'Accept-Encoding': accept } })
      expect(all(response, 'content-encoding')).toEqual([])
    }
  })

  it('what is encoded already stays as it is', async () => {
    const plain = await ask(modern, '/api/stream?size=200')
    const headers = { 'Accept-Encoding': 'br', 'X-Encoded': 'own' }
    const encoded = await sendRaw({ port: modern, target: '/api/stream?size=200', headers })
    expect(all(encoded, 'content-encoding')).toEqual(['own'])
    expect(encoded.body.equals(plain.body)).toBe(true)
  })

  it('compress: false compresses nothing', async () => {
    const port = await serve('plain.mjs', { conf: { compress: false }, preferEncodings: ['br'] })
    for (const target of Object.values(KINDS)) expect(await codingOf(port, target, BROWSER)).toBe('none')
  })
})

describe('streams', () => {
  /** @type {Record<string, (parts: Buffer[]) => string>} what a browser can read of what has arrived */
  const READERS = {
    gzip: parts => gunzipSync(Buffer.concat(parts), { finishFlush: constants.Z_SYNC_FLUSH }).toString(),
    deflate: parts => inflateSync(Buffer.concat(parts), { finishFlush: constants.Z_SYNC_FLUSH }).toString(),
    br: parts =>
      brotliDecompressSync(Buffer.concat(parts), { finishFlush: constants.BROTLI_OPERATION_FLUSH }).toString(),
    zstd: parts => {
      let text = ''
      const decoder = new Decompress(chunk => {
        text += Buffer.from(chunk).toString()
      })
      for (const part of parts) decoder.push(part)
      return text
    },
  }

  it.each(Object.keys(READERS))('server-sent events arrive one by one in %s', async coding => {
    const request = httpRequest({
      port: usual,
      path: `/api/events?name=${coding}`,
      headers: { 'Accept-Encoding': coding },
    })
    request.end()
    /** @type {import('node:http').IncomingMessage} */
    const response = await new Promise((resolve, reject) => request.on('response', resolve).on('error', reject))
    expect(response.headers['content-encoding']).toBe(coding)
    /** @type {Buffer[]} */
    const parts = []
    const ended = new Promise(resolve => response.on('end', resolve))
    response.on('data', part => parts.push(part))
    const seen = () => (parts.length > 0 ? (READERS[coding]?.(parts) ?? '') : '')
    let expected = 'data: open\n\n'
    await until(async () => seen() === expected)
    // The next one is sent only when the one before has been read.
    for (const text of ['one', 'two', 'three']) {
      await ask(usual, `/api/events?name=${coding}&send=${text}`)
      expected += `data: ${text}\n\n`
      await until(async () => seen() === expected)
    }
    await ask(usual, `/api/events?name=${coding}&send=`)
    await ended
    expect(seen()).toBe(expected)
  })
})

describe('next to the user’s own compression', () => {
  it.each([
    [true, ['gzip', 'gzip', 'br']],
    [false, ['gzip', 'br', 'br']],
  ])('nothing is compressed twice with compress: %s', async (compress, codings) => {
    const port = await serve('express.mjs', { conf: { compress } })
    for (const target of Object.values(KINDS)) {
      const plain = await ask(usual, target)
      for (const [index, accept] of ['gzip', BROWSER, 'br'].entries()) {
        for (let turn = 0; turn < 3; turn++) {
          const response = await ask(port, target, accept)
          expect(all(response, 'content-encoding'), `${target.slice(0, 20)} ${accept}`).toEqual([codings[index]])
          expect(response.decoded.length).toBe(plain.body.length)
        }
      }
    }
  })
})

describe('watchPublic', () => {
  it('serves what comes into public, and only where it was asked for', async () => {
    const file = path.join(dir, 'public/late file.txt')
    const status = async (/** @type {number} */ port) => (await ask(port, '/late%20file.txt')).status
    expect([await status(usual), await status(modern)]).toEqual([404, 404])
    writeFileSync(file, 'late')
    await until(async () => (await status(modern)) === 200)
    expect(await status(usual)).toBe(404)
    rmSync(file)
    await until(async () => (await status(modern)) === 404)
  })
})
