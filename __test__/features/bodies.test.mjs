// What a client that is slow, or gone, costs: bodies wait for whoever reads them, in both directions, and nothing is left behind.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, openSync, readdirSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { openConnection, sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { until } from '../support/until.mjs'

const source = fileURLToPath(new URL('../fixtures/app-router', import.meta.url))
const MB = 1024 * 1024
/** Of each body. 200 of them are 10 GB. */
const SIZE = 50 * MB
/** The memory of a process in bytes. @param {number} pid */
const memory = pid => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
/** How many files and sockets a process has open. @param {number} pid */
const open = pid => readdirSync(`/proc/${pid}/fd`).length
const onLinux = process.platform === 'linux'

/** @type {string} */
let dir
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server

beforeAll(async () => {
  const { dir: built } = await buildFixture({ line: '16.4', source })
  dir = await copyApp(built, 'bodies')
  mkdirSync(path.join(dir, 'public'))
  // What compresses badly, so that what is compressed on its way is long enough to wait for somebody.
  const chunk = Buffer.from(randomBytes((MB / 4) * 3).toString('base64'))
  for (const name of ['large.bin', 'large.txt']) {
    const file = openSync(path.join(dir, 'public', name), 'w')
    for (let at = 0; at < SIZE; at += MB) writeSync(file, chunk)
  }
  writeFileSync(path.join(dir, 'public/small.txt'), 'small')
  server = await startServer({ dir, engine: 'ferronext' })
})

afterAll(async () => {
  await server?.stop()
  await removeApp(dir)
})

/**
 * A client that takes a kilobyte a second.
 * @param {string} target @param {string} accept
 */
async function slowClient(target, accept) {
  const socket = connect({ port: server.port, host: '127.0.0.1' })
  socket.on('error', () => {})
  await once(socket, 'connect')
  let taken = 0
  const read = () => {
    taken += socket.read(1024)?.length ?? 0
  }
  socket.on('readable', () => {}) // paused: what nobody reads stays in the kernel
  socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: ${accept}\r\n\r\n`)
  const timer = setInterval(read, 1000)
  await until(() => socket.readableLength > 0)
  read()
  return {
    taken: () => taken,
    leave() {
      clearInterval(timer)
      socket.destroy()
    },
  }
}

describe.runIf(onLinux)('clients that read slowly cost little, others are served, and all of it is given back', () => {
  // Measured: 78 to 120 MB, up to 120 MB, 200 to 263 MB. A compressor holds 0.3 MB for gzip and 2 MB for brotli, and the allocator as much again.
  it.each([
    [200, 1, 'of a file', '/large.bin', 'identity'],
    [40, 5, 'of a file that is compressed on its way', '/large.txt', 'gzip'],
    [40, 10, 'of a body that a route handler makes', '/api/sized?mb=50', 'br'],
  ])('%d, %d MB each: %s', async (count, room, _, target, accept) => {
    await sendRaw({ port: server.port, target: '/isr' })
    const [before, files] = [memory(server.pid), open(server.pid)]
    const clients = await Promise.all(Array.from({ length: count }, () => slowClient(target, accept)))
    let most = 0
    let slowest = 0
    for (let turn = 0; turn < 40; turn++) {
      const began = performance.now()
      for (const path of ['/isr', '/small.txt']) {
        expect((await sendRaw({ port: server.port, target: path })).status).toBe(200)
      }
      slowest = Math.max(slowest, performance.now() - began)
      most = Math.max(most, memory(server.pid))
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    if (process.env.FERRONEXT_TEST_FIGURES) {
      const cost = ((most - before) / MB).toFixed(0)
      console.log(`${target}: ${cost} MB for ${count} clients, others ${slowest.toFixed(0)} ms at most`)
    }
    expect(clients.every(client => client.taken() > 0)).toBe(true)
    expect(most - before).toBeLessThan(count * room * MB)
    expect(slowest).toBeLessThan(5000)
    for (const client of clients) client.leave()
    await until(() => open(server.pid) <= files + 2)
  })

  it('a file that is cut short while it is sent does not look like a whole one', async () => {
    const file = path.join(dir, 'public/large.bin')
    const files = open(server.pid)
    const connection = await openConnection({ port: server.port })
    connection.write('GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until(() => open(server.pid) > files + 1)
    const from = server.output().length
    truncateSync(file, 4 * MB)
    const response = await connection.read('GET')
    expect([response.status, response.truncated]).toEqual([200, true])
    expect(await server.printed(/ended \d+ bytes too early/, from)).toBe(true)
    connection.close()
    await until(() => open(server.pid) <= files)
  })

  it('who leaves a stream of events ends it', async () => {
    const client = await slowClient('/api/events?name=gone', 'br')
    const from = server.output().length
    client.leave()
    expect(await server.printed(/events gone cancelled/, from)).toBe(true)
  })
})

describe.runIf(onLinux)('bodies of requests', () => {
  it('wait for the handler, and arrive whole', async () => {
    const before = memory(server.pid)
    const from = server.output().length
    const request = httpRequest({
      port: server.port,
      path: '/api/sized?wait=upload',
      method: 'POST',
      headers: { 'Content-Length': SIZE },
    })
    const answer = new Promise((resolve, reject) => request.on('response', resolve).on('error', reject))
    let sent = 0
    const chunk = Buffer.alloc(MB / 4, 'b')
    const sending = (async () => {
      for (; sent < SIZE; sent += chunk.length) if (!request.write(chunk)) await once(request, 'drain')
      request.end()
    })()
    expect(await server.printed(/body upload waits/, from)).toBe(true)
    // Until nothing moves any more: what the kernel takes is its own.
    let last = -1
    await until(async () => {
      const moved = sent !== last
      last = sent
      await new Promise(resolve => setTimeout(resolve, 100))
      return !moved
    })
    expect(sent).toBeLessThan(SIZE)
    expect(memory(server.pid) - before).toBeLessThan(30 * MB)
    expect((await sendRaw({ port: server.port, target: '/api/sized?release=upload' })).body.toString()).toBe(
      '{"released":true}',
    )
    await sending
    const response = /** @type {import('node:http').IncomingMessage} */ (await answer)
    let text = ''
    for await (const part of response) text += part
    expect(JSON.parse(text)).toEqual({ size: SIZE })
  })
})
