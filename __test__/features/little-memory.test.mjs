// More pages than memory has room for: compressed variants stay where bodies do not (Page::trimmed of src/answer/page.rs). That answers are the
// same is asked by the conformance suite, with `withLittleMemory`.

import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { NEWEST } from '../support/workspace.mjs'

const SERVER = `import { createServer } from 'node:http'
import next from 'next'
const app = next({ dev: false, metrics: '/metrics' })
await app.prepare()
createServer(app.getRequestHandler()).listen(process.env.PORT, () => console.log('listening'))
`

/** Bytes for three of the pages with all that they consist of. */
const LIMIT = 150_000

/** @type {(() => Promise<unknown>)[]} */
const cleanUps = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function serve() {
  const source = fileURLToPath(new URL('../fixtures/app-router', import.meta.url))
  const { dir } = await buildFixture({ line: NEWEST, source })
  const app = await copyApp(dir, 'little-memory')
  cleanUps.push(() => removeApp(app))
  writeFileSync(path.join(app, 'metered.mjs'), SERVER)
  writeFileSync(path.join(app, 'next.config.mjs'), `export default { cacheMaxMemorySize: ${LIMIT} }\n`)
  const server = await startServer({ dir: app, engine: 'ferronext', serverFile: 'metered.mjs' })
  cleanUps.push(() => server.stop())
  const manifest = JSON.parse(readFileSync(path.join(app, '.next/prerender-manifest.json'), 'utf8'))
  const routes = Object.keys(manifest.routes).filter(
    route => manifest.routes[route].dataRoute?.endsWith('.rsc') && /^\/(?:[a-z][\w/-]*)?$/.test(route),
  )
  const get = (/** @type {string} */ target, /** @type {string} */ coding) =>
    sendRaw({ port: server.port, target, headers: { 'accept-encoding': coding } })
  /** What the metric says of pages in memory. @param {'entries' | 'bytes'} what */
  const metric = async what => {
    const text = (await get('/metrics', 'identity')).decoded.toString()
    return Number(text.match(new RegExp(`^ferronext_cache_${what}\\{kind="pages"\\} (\\d+)$`, 'm'))?.[1])
  }
  return { routes, get, metric }
}

it('keeps compressed variants of many more pages than bodies', async () => {
  const { routes, get, metric } = await serve()
  /** Those that are pages, and not redirects or missing. @type {string[]} */
  const pages = []
  for (const route of routes) if ((await get(route, 'identity')).status === 200) pages.push(route)
  expect(pages.length).toBeGreaterThan(8)
  const whole = await metric('entries')
  /** The bodies that clients see, by page. */
  const seen = new Map()
  for (let turn = 0; turn < 3; turn++) {
    for (const page of pages) {
      const { status, decoded, headers } = await get(page, 'gzip')
      expect([page, status, headers.find(([name]) => name === 'Content-Encoding')?.[1]]).toEqual([page, 200, 'gzip'])
      expect(decoded.equals(seen.get(page) ?? decoded), page).toBe(true)
      seen.set(page, decoded)
    }
  }
  const trimmed = await metric('entries')
  expect(trimmed).toBeGreaterThan(2 * whole)
  expect(await metric('bytes')).toBeLessThanOrEqual(LIMIT)
  for (const coding of ['identity', 'br', 'deflate', 'gzip']) {
    for (const page of pages)
      expect((await get(page, coding)).decoded.equals(seen.get(page)), `${coding} ${page}`).toBe(true)
  }
})
