// The oracle itself: the raw client reads what was sent, and the comparison sees what must be seen.
import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sendRaw } from '../support/raw.mjs'
import { compare } from './compare.mjs'

const CRLF = '\r\n'

/**
 * Sends the same bytes to whoever connects.
 *
 * @param {string | Buffer} bytes
 * @param {Parameters<typeof sendRaw>[0] extends infer R ? Partial<R> : never} [request]
 * @param {boolean} [end] closes the connection after the bytes
 */
async function receive(bytes, request = {}, end = true) {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => (end ? socket.end(bytes) : socket.write(bytes)))
  })
  await new Promise(resolve => server.listen(0, () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  try {
    return await sendRaw({ port, timeout: 300, ...request })
  } finally {
    server.close()
  }
}

/** @param {string[]} headers @param {string | Buffer} body */
const answer = (headers, body = '', status = '200 OK') =>
  Buffer.concat([Buffer.from([`HTTP/1.1 ${status}`, ...headers, '', ''].join(CRLF), 'latin1'), Buffer.from(body)])

describe('the raw client', () => {
  it('keeps the order, case and repeats of headers', async () => {
    const { headers } = await receive(answer(['B: 1', 'a: x', 'B: 2', 'Content-Length: 0']))
    expect(headers).toEqual([['B', '1'], ['a', 'x'], ['B', '2'], ['Content-Length', '0']]) // biome-ignore format: one line
  })

  it('reads chunks, with trailers', async () => {
    const body = ['3', 'abc', '2;x=y', 'de', '0', 'Trailer: 1', '', ''].join(CRLF)
    const response = await receive(answer(['Transfer-Encoding: chunked'], body), {}, false)
    expect(response).toMatchObject({ framing: 'chunked', chunks: 2, truncated: false, closed: false })
    expect(response.body.toString()).toBe('abcde')
  })

  it('tells a body that was cut off', async () => {
    const chunked = await receive(answer(['Transfer-Encoding: chunked'], ['3', 'abc', ''].join(CRLF)))
    expect(chunked).toMatchObject({ truncated: true })
    expect(await receive(answer(['Content-Length: 9'], 'abc'))).toMatchObject({ framing: 'length', truncated: true })
  })

  it('reads to the end of the connection without a length, and expects no body where none can be', async () => {
    expect(await receive(answer([], 'abc'))).toMatchObject({ framing: 'close', closed: true })
    const head = await receive(answer(['Content-Length: 9']), { method: 'HEAD' }, false)
    expect(head).toMatchObject({ framing: 'none', truncated: false })
    expect(await receive(answer([], '', '304 Not Modified'), {}, false)).toMatchObject({ status: 304, framing: 'none' })
  })

  it('passes over interim answers and decodes', async () => {
    const zipped = gzipSync('text')
    const final = answer(['Content-Encoding: gzip', `Content-Length: ${zipped.length}`], zipped)
    const response = await receive(Buffer.concat([answer([], '', '100 Continue'), final]))
    expect(response.interim).toEqual([100])
    expect(response.decoded.toString()).toBe('text')
  })

  it('fails when nothing comes', async () => {
    await expect(receive('', {}, false)).rejects.toThrow('nothing received')
    await expect(receive('')).rejects.toThrow('connection ended')
  })

  it('believes no announced close that does not come', async () => {
    const response = await receive(answer(['Connection: close', 'Content-Length: 0']), {}, false)
    expect(response.closed).toBe(false)
  })
})

describe('the comparison', () => {
  /** @type {import('../support/raw.mjs').RawResponse} */
  const base = {
    status: 200,
    reason: 'OK',
    headers: [['ETag', '"a"'], ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2'], ['Date', 'now'], ['X', 'http://localhost:4000/']], // biome-ignore format: one line
    body: Buffer.from('text'),
    decoded: Buffer.from('text'),
    framing: 'length',
    closed: false,
    truncated: false,
    chunks: 0,
    interim: [],
  }
  const ports = { expectedPort: 4000, actualPort: 5000 }
  /** @param {Partial<typeof base>} change */
  const kinds = change =>
    compare({ response: base }, { response: { ...base, ...change } }, ports).map(({ kind }) => kind)
  /** @type {[string, string][]} */
  const SAME = [...base.headers.slice(0, 4), ['X', 'http://localhost:5000/']]

  it('passes over the clock, the port, and the order of different headers', () => {
    expect(kinds({ headers: SAME })).toEqual([])
    // Repeated headers keep their order: Set-Cookie a, then b.
    const [etag, a, b, , x] = /** @type {[string, string][]} */ (SAME)
    expect(kinds({ headers: /** @type {[string, string][]} */ ([['Date', 'later'], x, a, etag, b]) })).toEqual([])
  })

  it.each([
    [{ headers: SAME, status: 201 }, 'status'],
    [{ headers: SAME, reason: 'Fine' }, 'status'],
    [{ headers: SAME, framing: /** @type {const} */ ('chunked') }, 'framing'],
    [{ headers: SAME, closed: true }, 'closed'],
    [{ headers: SAME, truncated: true }, 'truncated'],
    [{ headers: SAME, interim: [100] }, 'interim'],
    [{ headers: SAME, decoded: Buffer.from('Text') }, 'body'],
    [{ headers: SAME.slice(1) }, 'header etag'],
    [{ headers: SAME.filter(([name]) => name !== 'Date') }, 'header date'],
    [{ headers: SAME.map(([name, value]) => [name.toLowerCase(), value]) }, 'header case'],
    [{ headers: [SAME[0], SAME[2], SAME[1], ...SAME.slice(3)] }, 'header set-cookie'],
  ])('sees %o', (change, kind) => {
    expect(kinds(/** @type {Partial<typeof base>} */ (change))).toEqual([kind])
  })

  it('compares failures by their message', () => {
    expect(compare({ error: 'a' }, { error: 'a' }, ports)).toEqual([])
    expect(compare({ response: base }, { error: 'a' }, ports)).toMatchObject([{ kind: 'answer', actual: 'a' }])
  })
})
