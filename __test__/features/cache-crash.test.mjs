// A process that is killed at any moment leaves no answer behind that is torn, empty or made of two renders.
// FERRONEXT_CRASH_RUNS sets how often it is killed.

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ask } from '../support/ask.mjs'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { startServer } from '../support/server.mjs'

const source = fileURLToPath(new URL('../fixtures/persistent', import.meta.url))

const RUNS = Number(process.env.FERRONEXT_CRASH_RUNS ?? 25)
/** At most so long, in ms, a process lives after its first render: some hundred renders. */
const LIFE = 400

const PAGES = ['/large/a', '/large/b', '/page/c', '/list/d', '/handler/e']

/** @type {string} */
let dir
/** @type {string} */
let previewId
/** @type {string} */
let buildId

beforeAll(async () => {
  const { dir: built } = await buildFixture({ line: '16.4', source })
  dir = await copyApp(built, 'crash')
  previewId = JSON.parse(readFileSync(path.join(dir, '.next/prerender-manifest.json'), 'utf8')).preview.previewModeId
  buildId = readFileSync(path.join(dir, '.next/BUILD_ID'), 'utf8').trim()
})
afterAll(() => removeApp(dir))

/** Every representation of a page. @param {string} page @returns {[string, Record<string, string>][]} */
function representations(page) {
  if (page.startsWith('/handler')) return [[page, {}]]
  if (page.startsWith('/list'))
    return [
      [page, {}],
      [`/_next/data/${buildId}${page}.json`, {}],
    ]
  return [
    [page, {}],
    [`${page}?_rsc`, { rsc: '1' }],
  ]
}

/** @param {string} text the names of the renders in it; React writes a text in parts */
const rendersIn = text => new Set(text.match(/[\da-f]{8}-[\da-f]{4}-[\da-f-]{22}/g))

/** Looks at what the process before has left. @param {number} port */
async function inspect(port) {
  let rendered = 0
  for (const page of PAGES) {
    /** Names of renders by what the cache said: a page that is stale after a restart may be new a moment later. */
    const names = new Map()
    for (const [target, headers] of representations(page)) {
      const { status, text, response, cache } = await ask(port, target, headers)
      expect([status, response.truncated], target).toEqual([200, false])
      const found = rendersIn(text)
      expect(found.size, `${target} shows ${[...found]}`).toBe(1)
      names.set(cache, new Set([...(names.get(cache) ?? []), ...found]))
      if (cache === 'MISS') rendered++
      if (page.startsWith('/large')) expect(text.match(/999/g)?.length, target).toBeGreaterThan(0)
    }
    for (const shown of names.values()) expect(shown.size, `${page} shows ${[...shown]}`).toBe(1)
  }
  return rendered
}

it(`leaves whole answers when it is killed at ${RUNS} random moments`, { timeout: RUNS * 10_000 }, async () => {
  let rendered = 0
  let lost = 0
  for (let run = 0; run < RUNS; run++) {
    const server = await startServer({ dir, engine: 'ferronext' })
    const again = await inspect(server.port)
    if (run > 0) rendered += again
    let isAlive = true
    /** @param {string} page */
    const revalidate = async page => {
      while (isAlive) {
        await ask(server.port, page, { 'x-prerender-revalidate': previewId }).catch(() => lost++)
      }
    }
    const clients = PAGES.map(revalidate)
    await new Promise(resolve => setTimeout(resolve, Math.random() * LIFE))
    process.kill(server.pid, 'SIGKILL')
    isAlive = false
    await server.stop()
    await Promise.all(clients)
  }
  // Killed while it worked, not between two pieces of work.
  expect(lost).toBeGreaterThan(RUNS)
  // An answer that was torn is rendered again; that is rare, because files are replaced within microseconds.
  expect(rendered).toBeLessThan(RUNS)
  console.log(
    `${RUNS} processes killed, ${lost} requests cut off, ${rendered} of ${RUNS * PAGES.length} answers torn and rendered again`,
  )
  const left = readdirSync(path.join(dir, '.next/server/.ferronext-tmp'))
  expect(left.length).toBeLessThan(RUNS * PAGES.length)
})
