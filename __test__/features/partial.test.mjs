// A page whose shell is prerendered: the shell goes out while the rest is still being made.

import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { startServer } from '../support/server.mjs'

const source = fileURLToPath(new URL('../fixtures/cache-components', import.meta.url))

/** How long the late part takes, in ms: longer than any machine needs for a page. */
const DELAY = 2000

/** @type {string} */
let app
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server

beforeAll(async () => {
  const { dir } = await buildFixture({ line: '16.4', source })
  app = await copyApp(dir, 'partial')
  server = await startServer({ dir: app, engine: 'ferronext' })
})

afterAll(async () => {
  await server?.stop()
  await removeApp(app)
})

/** The page, chunk by chunk, with the time at which each arrived. @param {Record<string, string>} headers */
async function chunksOf(headers) {
  const began = performance.now()
  const response = await fetch(`http://127.0.0.1:${server.port}/late`, { headers })
  /** @type {{ ms: number, text: string }[]} */
  const chunks = []
  const decoder = new TextDecoder()
  for await (const chunk of /** @type {any} */ (response.body)) {
    chunks.push({ ms: performance.now() - began, text: decoder.decode(chunk, { stream: true }) })
  }
  return chunks
}

describe.each(['identity', 'gzip'])('in %s', encoding => {
  it('the shell is there long before what it waits for', async () => {
    const chunks = await chunksOf({ 'accept-encoding': encoding, 'x-delay': String(DELAY) })
    const shell = chunks.filter(({ ms }) => ms < DELAY / 2)
    expect(shell.map(({ text }) => text).join('')).toMatch(/<h1>early<\/h1>.*<p>soon<\/p>/)
    expect(shell.map(({ text }) => text).join('')).not.toContain('<p>late</p>')
    expect(chunks.map(({ text }) => text).join('')).toContain('<p>late</p>')
    expect(chunks.at(-1)?.ms).toBeGreaterThan(DELAY - 50)
  })
})

it('the shell is a complete page for a client that stops there', async () => {
  const response = await fetch(`http://127.0.0.1:${server.port}/late`, { headers: { 'x-delay': String(DELAY) } })
  const reader = /** @type {any} */ (response.body).getReader()
  const { value } = await reader.read()
  await reader.cancel()
  expect(Buffer.from(value).toString()).toMatch(/^<!DOCTYPE html>.*<h1>early<\/h1>/)
  // The one who went away does not disturb the next.
  expect((await chunksOf({})).map(({ text }) => text).join('')).toContain('<p>late</p>')
})
