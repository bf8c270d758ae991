// An answer that is written as one piece, beside the same answer as Node writes it: the bytes are the same, and so is what others can
// see of the response. In front of a real server, without an app.

import { once } from 'node:events'
import http from 'node:http'
import { createRequire } from 'node:module'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openConnection, requestBytes } from '../support/raw.mjs'

const require = createRequire(import.meta.url)
/** @type {typeof import('../../runtime/http/respond')} */
const { checkAnswer, sendAnswer } = require('../../runtime/http/respond')
/** @type {typeof import('../../runtime/http/single-write')} */
const { endWhole } = require('../../runtime/http/single-write')

const HEADERS = [
  'Vary',
  'rsc',
  'Content-Type',
  'text/html; charset=utf-8',
  'Content-Length',
  '5',
  'Set-Cookie',
  'a',
  'Set-Cookie',
  'b',
]

/** @type {import('../../runtime/http/respond').Answer} */
let answer
/** @type {http.Server} */
let server
/** @type {(req: http.IncomingMessage, res: http.ServerResponse) => void} */
let before
/** @type {http.ServerResponse[]} */
let responses

beforeEach(async () => {
  answer = checkAnswer({ status: 200, headers: HEADERS, body: Buffer.from('hello') })
  before = () => {}
  responses = []
  server = http.createServer((req, res) => {
    responses.push(res)
    before(req, res)
    sendAnswer(res, answer)
  })
  server.on('connection', watch)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** The responses that went out as one piece. */
const whole = new WeakSet()

/** @param {http.ServerResponse} res */
const isWhole = res => whole.has(res)

/** Notes which response hands a socket head and body at once. @param {any} socket */
function watch(socket) {
  const { write } = socket
  socket.write = (/** @type {any[]} */ ...args) => {
    const { bytes, head } = answer.whole?.piece ?? {}
    if (args[0] !== undefined && (args[0] === bytes || (bytes === undefined && args[0] === head)))
      whole.add(socket._httpMessage)
    return write.apply(socket, args)
  }
}

/** What `count` requests in turn get, byte by byte but for the time. @param {string} bytes @param {number} [count] */
async function sent(bytes, count = 3) {
  const connection = await openConnection({ port: /** @type {any} */ (server.address()).port })
  try {
    const answers = []
    for (let at = 0; at < count; at++) {
      connection.write(bytes)
      const { status, reason, headers, body } = await connection.read('GET')
      const timeless = headers.map(([name, value]) => [name, name === 'Date' ? new Date(value).getTime() > 0 : value])
      answers.push({ status, reason, headers: timeless, body: body.toString() })
    }
    return answers
  } finally {
    connection.close()
  }
}

const plain = requestBytes({}).toString()

/** What requests get until an answer went out as one piece, which the first of a second never does. */
async function sentUntilWhole() {
  const answers = []
  do answers.push(...(await sent(plain, 1)))
  while (!isWhole(/** @type {http.ServerResponse} */ (responses.at(-1))))
  return answers
}

it('has the bytes that Node writes', async () => {
  const [first, ...others] = await sentUntilWhole()
  expect(others).not.toHaveLength(0)
  expect(first?.headers).toContainEqual(['Keep-Alive', 'timeout=5'])
  expect(first?.headers.filter(([name]) => name === 'Set-Cookie')).toHaveLength(2)
  for (const other of others) expect(other).toEqual(first)
})

it('has the bytes that Node writes of a body that is too long to be copied', async () => {
  const headers = ['Content-Type', 'text/plain', 'Content-Length', '70000']
  answer = checkAnswer({ status: 200, headers, body: Buffer.alloc(70_000, 'long ') })
  const [first, ...others] = await sentUntilWhole()
  expect(others).not.toHaveLength(0)
  for (const other of others) expect(other).toEqual(first)
  expect(answer.whole?.piece?.bytes).toBeUndefined()
})

it('leaves a response that others can ask', async () => {
  /** @type {unknown[]} */
  const events = []
  before = (_, res) => {
    for (const name of ['prefinish', 'finish', 'close']) res.on(name, () => events.push(name))
  }
  await sentUntilWhole()
  const last = /** @type {http.ServerResponse} */ (responses.at(-1))
  expect([last.headersSent, last.writableEnded, last.writableFinished, last.finished]).toEqual([true, true, true, true])
  expect([last.statusCode, last.statusMessage]).toEqual([200, 'OK'])
  expect(last.getHeader('content-type')).toBe('text/html; charset=utf-8')
  expect(() => last.setHeader('X-Late', '1')).toThrow('Cannot set headers after they are sent')
  expect(events.slice(-3)).toEqual(['prefinish', 'finish', 'close'])
})

it.each([
  ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n'],
  ['HEAD', 'HEAD / HTTP/1.1\r\nHost: h\r\n\r\n'],
])('leaves %s to Node', async (_, bytes) => {
  await sent(plain, 3)
  responses = []
  const connection = await openConnection({ port: /** @type {any} */ (server.address()).port })
  for (let count = 0; count < 3; count++) {
    connection.write(bytes)
    expect((await connection.read(bytes.slice(0, 4).trim())).status).toBe(200)
  }
  connection.close()
  expect(responses.map(isWhole)).toEqual([false, false, false])
})

it('ends a connection that the client wants to end', async () => {
  await sent(plain, 3)
  const connection = await openConnection({ port: /** @type {any} */ (server.address()).port })
  connection.write(requestBytes({ headers: { Connection: 'close' } }))
  const { headers, closed } = await connection.read('GET')
  expect(headers).toContainEqual(['Connection', 'close'])
  expect(closed).toBe(true)
})

it('answers pipelined requests in their order', async () => {
  const connection = await openConnection({ port: /** @type {any} */ (server.address()).port })
  connection.write(plain.repeat(20))
  for (let count = 0; count < 20; count++) expect((await connection.read('GET')).body.toString()).toBe('hello')
  connection.close()
})

/** @type {[string, (req: http.IncomingMessage, res: http.ServerResponse) => void][]} */
const OTHERS = [
  ['has set a header', (_, res) => void res.setHeader('X-Own', '1')],
  ['has chosen a status', (_, res) => Object.assign(res, { statusCode: 201 })],
  ['has chosen a reason', (_, res) => Object.assign(res, { statusMessage: 'Fine' })],
  ['wants no date', (_, res) => Object.assign(res, { sendDate: false })],
  ['does not keep connections', (_, res) => Object.assign(res, { shouldKeepAlive: false })],
  ['puts something before end()', (_, res) => Object.assign(res, { end: res.end.bind(res) })],
  ['puts something before write()', (_, res) => Object.assign(res, { write: res.write.bind(res) })],
  ['puts something before writeHead()', (_, res) => Object.assign(res, { writeHead: res.writeHead.bind(res) })],
  ['holds writes back', (_, res) => res.cork()],
]

it.each(OTHERS)('leaves a response to Node when the server %s', async (_, prepare) => {
  await sent(plain, 3)
  before = prepare
  responses = []
  const answers = await sent(plain, 1)
  expect(responses.map(isWhole)).toEqual([false])
  expect(answers.map(({ body }) => body)).toEqual(['hello'])
})

it('says how long a connection is kept, as the server is told', async () => {
  await sent(plain, 3)
  server.keepAliveTimeout = 61_000
  for (const { headers } of await sent(plain, 4)) expect(headers).toContainEqual(['Keep-Alive', 'timeout=61'])
  server.keepAliveTimeout = 0
  for (const { headers } of await sent(plain, 4)) expect(headers.map(([name]) => name)).not.toContain('Keep-Alive')
})

/**
 * What is done to a response before it is ended, by Node and as one piece: both have the same bytes. Whether it becomes one.
 * @type {[string, boolean, string, (res: http.ServerResponse) => void][]}
 */
const ENDINGS = [
  ['a body of known length', true, plain, () => {}],
  ['a head that is ready', true, plain, res => void res.setHeader('X-Own', 'é').writeHead(404, 'Not Here')],
  ['HEAD', false, 'HEAD / HTTP/1.1\r\nHost: h\r\n\r\n', () => {}],
  ['HTTP/1.0', true, 'GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n', () => {}],
  ['a status without a body', false, plain, res => Object.assign(res, { statusCode: 204 })],
  ['a trailer', false, plain, res => res.writeHead(200, { Trailer: 'X-T' }).addTrailers({ 'X-T': '1' })],
  ['something that was sent before', false, plain, res => res.write('first ')],
  ['writes that are held back', false, plain, res => res.cork()],
]

it.each(ENDINGS)('ends a response with %s as Node does', async (_, isPiece, bytes, prepare) => {
  /** @param {(res: http.ServerResponse, body: Buffer) => void} end */
  const answerOf = async end => {
    const own = http.createServer((_req, res) => {
      res.sendDate = false
      prepare(res)
      end(res, Buffer.from('bödy'))
    })
    own.listen(0, '127.0.0.1')
    await once(own, 'listening')
    const connection = await openConnection({ port: /** @type {any} */ (own.address()).port })
    connection.write(bytes)
    const { status, reason, headers, body } = await connection.read(bytes.slice(0, 4).trim())
    connection.close()
    own.close()
    return { status, reason, headers, body: body.toString('latin1') }
  }
  const ofNode = await answerOf((res, body) => void res.end(body))
  /** @type {boolean | undefined} */
  let isEnded
  const ofPiece = await answerOf((res, body) => {
    isEnded = endWhole(res, res.end, body)
    if (!isEnded) res.end(body)
  })
  expect(ofPiece).toEqual(ofNode)
  expect(isEnded).toBe(isPiece)
})

it('leaves a response without a connection alone', async () => {
  const res = /** @type {any} */ (new http.ServerResponse(new http.IncomingMessage(/** @type {any} */ (null))))
  expect(endWhole(res, res.end, Buffer.from('x'))).toBe(false)
  expect(res.headersSent).toBe(false)
})

it.each([
  ['an empty body', { status: 200, headers: ['Content-Length', '0'], body: undefined }],
  ['no length', { status: 200, headers: ['Content-Type', 'a/b'], body: Buffer.from('hello') }],
  ['another length', { status: 200, headers: ['Content-Length', '4'], body: Buffer.from('hello') }],
  [
    'a connection header',
    { status: 200, headers: ['Content-Length', '5', 'Connection', 'close'], body: Buffer.from('hello') },
  ],
  ['a date', { status: 200, headers: ['Content-Length', '5', 'Date', 'x'], body: Buffer.from('hello') }],
  ['a status without a body', { status: 304, headers: ['Content-Length', '5'], body: Buffer.from('hello') }],
  ['a status without a name', { status: 299, headers: ['Content-Length', '5'], body: Buffer.from('hello') }],
])('does not prepare an answer with %s', (_, unusual) => {
  expect(checkAnswer(unusual).whole).toBeUndefined()
})
