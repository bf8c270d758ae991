// What ferronext puts in the place of Node's on a request and a response (runtime/http/request-patches.js and response-patches.js): every
// combination, in every order of installing, over sockets and without an app.
import { once } from 'node:events'
import http from 'node:http'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { openConnection, requestBytes } from '../support/raw.mjs'

const require = createRequire(import.meta.url)
/** @type {typeof import('../../runtime/http/response-patches')} */
const {
  MIDDLEWARE_COOKIES,
  compressResponse,
  endInOneWrite,
  joinCookies,
} = require('../../runtime/http/response-patches')
/** @type {typeof import('../../runtime/http/read-body')} */
const { restoreBody, restoreHead } = require('../../runtime/http/read-body')
/** @type {typeof import('../../runtime/http/request-body')} */
const { watchBody } = require('../../runtime/http/request-body')
/** @type {typeof import('../../runtime/process/addon')} */
const { loadAddon } = require('../../runtime/process/addon')

const native = loadAddon(fileURLToPath(new URL('../../', import.meta.url)))

/** @typedef {(req: any, res: http.ServerResponse) => unknown} Handler */

/** @type {http.Server | undefined} */
let server
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** @param {Handler} handler */
async function listen(handler) {
  server = http.createServer(handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return /** @type {import('node:net').AddressInfo} */ (server.address()).port
}

/** What each subset of `all` can be installed as. @param {string[]} all @returns {string[][]} */
function sequences(all) {
  return [[], ...all.flatMap(one => sequences(all.filter(other => other !== one)).map(rest => [one, ...rest]))]
}

const TEXT = Buffer.from('hello, hello and hello '.repeat(100))

describe('a response', () => {
  /** @type {Record<string, Handler>} */
  const install = {
    cookies(req, res) {
      req[MIDDLEWARE_COOKIES] = ['m=1; Path=/']
      joinCookies(req, res)
    },
    compression: (req, res) => compressResponse(native, req, res, 0),
  }

  /**
   * How it is written, and whether all of the body is known before the head goes out.
   * @type {[string, boolean, (res: http.ServerResponse, end: (bytes: Buffer) => void) => void][]}
   */
  const writers = [
    ['end', true, (_, end) => end(TEXT)],
    [
      'writeHead and end',
      true,
      (res, end) => {
        res.writeHead(201, { 'X-Own': '1' })
        end(TEXT)
      },
    ],
    [
      'write and end',
      false,
      (res, end) => {
        res.write(TEXT.subarray(0, 700))
        end(TEXT.subarray(700))
      },
    ],
    [
      'flushHeaders and end',
      false,
      (res, end) => {
        res.flushHeaders()
        end(TEXT)
      },
    ],
  ]

  /** @param {string[]} patches @param {boolean} single @param {(typeof writers)[number][2]} writer */
  async function answered(patches, single, writer) {
    /** @type {number[]} lengths of what the socket is given */
    const writes = []
    const port = await listen((req, res) => {
      const socket = /** @type {any} */ (req.socket)
      const { write } = socket
      socket.write = (/** @type {any[]} */ ...args) => {
        if (args[0].length > 0) writes.push(args[0].length)
        return write.apply(socket, args)
      }
      // A server that has a method of its own there: nothing may go around it.
      if (!single) Object.assign(res, { end: res.end.bind(res) })
      for (const name of patches) install[name]?.(req, res)
      // Twice is once.
      for (const name of patches) install[name]?.(req, res)
      res.setHeader('Content-Type', 'text/plain')
      res.setHeader('Set-Cookie', ['own=1', 'm=1; Path=/'].slice(0, patches.includes('cookies') ? 2 : 1))
      writer(res, bytes => endInOneWrite(res, bytes))
    })
    const connection = await openConnection({ port })
    try {
      connection.write(requestBytes({ headers: { 'Accept-Encoding': 'gzip' } }))
      const { headers, ...answer } = await connection.read()
      const values = (/** @type {string} */ name) =>
        headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
      return { ...answer, headers, values, writes }
    } finally {
      connection.close()
    }
  }

  const cases = sequences(Object.keys(install)).flatMap(patches =>
    [true, false].flatMap(single =>
      writers.map(([name, isWhole, writer]) => {
        const title = `${[...patches, ...(single ? ['single write'] : [])].join(', ') || 'nothing'}: ${name}`
        return /** @type {const} */ ([title, patches, single, isWhole, writer])
      }),
    ),
  )

  it.each(cases)('%s', async (title, patches, single, isWhole, writer) => {
    const { status, values, decoded, truncated, writes } = await answered([...patches], single, writer)
    expect([status, truncated]).toEqual([title.includes('writeHead') ? 201 : 200, false])
    expect(decoded.equals(TEXT)).toBe(true)
    expect(values('content-type')).toEqual(['text/plain'])
    expect(values('set-cookie')).toEqual(patches.includes('cookies') ? ['m=1; Path=/', 'own=1'] : ['own=1'])
    expect(values('content-encoding')).toEqual(patches.includes('compression') ? ['gzip'] : [])
    expect(values('vary')).toEqual(patches.includes('compression') ? ['Accept-Encoding'] : [])
    if (single && isWhole) expect(writes).toHaveLength(1)
    else expect(writes.length).toBeGreaterThan(1)
  })

  it('does not depend on the order of installing', async () => {
    for (const [, , writer] of writers) {
      /** @param {string[]} patches */
      const sent = async patches => {
        const { status, headers, body } = await answered(patches, true, writer)
        return { status, headers: headers.filter(([name]) => name !== 'Date'), body: body.toString('latin1') }
      }
      expect(await sent(['compression', 'cookies'])).toEqual(await sent(['cookies', 'compression']))
    }
  })
})

describe('a request', () => {
  const BODY = Buffer.from(JSON.stringify({ text: 'hello '.repeat(5000) }))

  /** Who has read the body before. @type {Record<string, (req: any, bytes: Buffer) => void>} */
  const READ = {
    'a server that keeps the bytes': (req, bytes) => Object.assign(req, { rawBody: bytes }),
    'a server that keeps what it has parsed': (req, bytes) =>
      Object.assign(req, { body: JSON.parse(bytes.toString()) }),
  }
  const LIMITS = { 'no limit': undefined, 'a limit': BODY.length, 'a limit that is too low': 100 }
  const FRAMINGS = { 'content-length': false, chunked: true }

  const cases = [undefined, ...Object.keys(READ)].flatMap(reader =>
    Object.entries(LIMITS).flatMap(([name, limit]) =>
      [false, true].flatMap(isHeld =>
        (isHeld && limit === undefined ? [] : Object.entries(FRAMINGS)).map(([framing, isChunked]) => {
          const title = `${reader ? `read by ${reader}` : 'not read'}, ${name}${isHeld ? ', held back' : ''}, ${framing}`
          return /** @type {const} */ ([title, reader, limit, isHeld, isChunked])
        }),
      ),
    ),
  )

  it.each(cases)('%s', async (_, reader, limit, isHeld, isChunked) => {
    const port = await listen(async (req, res) => {
      if (reader !== undefined) {
        const chunks = []
        for await (const chunk of req) chunks.push(chunk)
        READ[reader]?.(req, Buffer.concat(chunks))
      }
      if (req.readableEnded) {
        restoreHead(req)
        await restoreBody(req)
      }
      /** @type {Promise<void>} */
      let released = Promise.resolve()
      const refused = new Promise(resolve => {
        if (limit === undefined) return
        const body = watchBody(req, { limit, onTooLarge: () => resolve('too large') })
        // Asked twice, it is the same.
        expect(watchBody(req, { limit, onTooLarge: () => {} })).toBe(body)
        if (body.isAnnouncedTooLarge) return resolve('announced')
        if (!isHeld) return
        body.hold()
        const copy = body.cloneBodyStream()
        /** @type {Buffer[]} */
        const copied = []
        copy.on('data', chunk => copied.push(chunk))
        released = once(copy, 'end').then(() => {
          res.setHeader('X-Copied', Buffer.concat(copied).length)
          body.release()
        })
        released.catch(() => {})
      })
      const read = released.then(async () => {
        /** @type {Buffer[]} */
        const chunks = []
        req.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk))
        await once(req, 'end')
        return Buffer.concat(chunks).equals(BODY) ? 'whole' : 'different'
      })
      read.catch(() => {})
      const outcome = await Promise.race([refused, read])
      res.end(`${outcome} ${req.headers['content-length'] ?? ''}`)
    })
    const headers = isChunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(BODY.length) }
    const bytes = isChunked
      ? Buffer.concat([Buffer.from(`${BODY.length.toString(16)}\r\n`), BODY, Buffer.from('\r\n0\r\n\r\n')])
      : BODY
    const head = requestBytes({ method: 'POST', headers: { 'Content-Type': 'application/json', ...headers } })
    const connection = await openConnection({ port })
    try {
      connection.write(Buffer.concat([head, bytes]))
      const { status, body, headers: sent } = await connection.read('POST')
      const isTooLarge = limit !== undefined && limit < BODY.length
      // A restored body has a length, whatever announced it before.
      const length = isChunked && reader === undefined ? '' : String(BODY.length)
      const expected = !isTooLarge ? 'whole' : length === '' ? 'too large' : 'announced'
      expect([status, body.toString()]).toEqual([200, `${expected} ${length}`])
      const copied = sent.filter(([name]) => name === 'X-Copied').map(([, value]) => value)
      expect(copied).toEqual(isHeld && !isTooLarge ? [String(BODY.length)] : [])
    } finally {
      connection.close()
    }
  })
})
