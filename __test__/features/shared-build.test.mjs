// Processes that share one build: each reads what another has rendered, while a third writes it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveFixture } from '../support/serve-fixture.mjs'

const WORKERS = 8

/** Pages of both routers that are fresh for two seconds, so that they are rendered several times while they are asked for. */
const PAGES = ['/posts/built', '/blog/built', '/posts/new', '/blog/new']
const DURATION = 10_000

describe('a cluster on one build', () => {
  /** @type {import('../support/serve-fixture.mjs').Served} */
  let served

  beforeAll(async () => {
    const env = { WORKERS: String(WORKERS) }
    served = await serveFixture({ fixture: 'revalidation', name: 'cluster', serverFile: 'cluster.mjs', env })
  }, 300_000)
  afterAll(() => served?.close())

  it('answers whole pages and has nothing to complain of while others write them', async () => {
    const until = Date.now() + DURATION
    const begun = served.output().length
    /** @type {Map<string, Set<string>>} the renders that were seen of each page */
    const seen = new Map(PAGES.map(page => [page, new Set()]))
    const client = async (/** @type {number} */ number) => {
      for (let turn = number; Date.now() < until; turn++) {
        const page = PAGES[turn % PAGES.length] ?? ''
        // A connection of its own each time, so that every process has its turn.
        const response = await served.ask(page, { headers: { connection: 'close' } })
        expect(response.status).toBe(200)
        const text = response.decoded.toString()
        expect(text).toMatch(/<\/html>/)
        seen.get(page)?.add(/render (?:<!-- -->)?\d+/.exec(text)?.[0] ?? text)
      }
    }
    await Promise.all(Array.from({ length: WORKERS }, (_, number) => client(number)))
    for (const [page, renders] of seen) expect(renders.size, page).toBeGreaterThan(1)
    expect(served.output().slice(begun)).not.toMatch(/FERRONEXT|different renders|⚠|⨯/)
  }, 60_000)
})
