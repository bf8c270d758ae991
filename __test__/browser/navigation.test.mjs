// Clicks on links of both routers, through redirects and rewrites of middleware and to revalidated pages, on each Next.js line that
// FERRONEXT_LINES names. Out: where the browser stands after each click, what it shows, whether the document is still
// the first one, and what the server told it; the same behind upstream as behind ferronext.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveFixture } from '../support/serve-fixture.mjs'
import { linesFrom, NEWEST } from '../support/workspace.mjs'
import { hydrated, isMarked, launchBrowser, mark, openPage } from './browser.mjs'

const lines = (process.env.FERRONEXT_LINES ?? NEWEST).split(',')

/** Those that have `cacheComponents`. */
const partialLines = lines.filter(line => linesFrom('16.0.0').includes(line))

/** What middleware tells the client of the Pages Router, and the App Router's own. */
const TOLD = [
  'x-nextjs-redirect',
  'x-nextjs-rewrite',
  'x-nextjs-rewritten-path',
  'x-nextjs-matched-path',
  'x-middleware',
]

/** @typedef {{ at: string, shows: string, details: string, sameDocument: boolean }} Stop */

/** Clicks in the Pages Router: the name of a link, the heading behind it, where it leads and whether without a page load. */
const PAGES = /** @type {const} */ ([
  ['moved', 'arrived', '/arrived?by=middleware'],
  ['shown', 'hidden', '/shown'],
  ['isr/one', 'isr one', '/isr/one'],
  ['old-isr', 'isr two', '/old-isr'],
])

const APP = /** @type {const} */ ([
  ['app-moved', 'app-arrived', '/app-arrived?by=middleware'],
  ['app-shown', 'app-hidden', '/app-shown'],
  ['app-isr', 'app-isr', '/app-isr'],
  ['start', 'start', '/start'],
])

/** @typedef {Awaited<ReturnType<typeof begin>>} Tour */

/**
 * Serves a fixture from both servers, for tours that are to be the same.
 *
 * @param {import('../support/workspace.mjs').Line} line
 * @param {string} fixture
 */
function bothServers(line, fixture) {
  /** @type {import('playwright-core').Browser} */
  let browser
  /** @type {import('../support/serve-fixture.mjs').Served[]} */
  const servers = []

  beforeAll(async () => {
    for (const engine of /** @type {const} */ (['upstream', 'ferronext'])) {
      servers.push(await serveFixture({ fixture, name: engine, engine, line }))
    }
    browser = await launchBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    await Promise.all(servers.map(server => server.close()))
  })

  /**
   * The same tour behind both servers, at once.
   *
   * @param {string} from
   * @param {(tour: Tour) => Promise<void>} run
   */
  return async function compare(from, run) {
    const tours = await Promise.all(
      servers.map(async ({ port }) => {
        const tour = await begin(browser, `http://localhost:${port}`, from)
        await run(tour)
        await tour.close()
        return tour
      }),
    )
    const [expected, actual] = tours
    expect(actual?.problems()).toEqual(expected?.problems())
    expect(actual?.stops).toEqual(expected?.stops)
    expect(actual?.answers()).toEqual(expected?.answers())
    return { stops: /** @type {Stop[]} */ (actual?.stops), told: actual?.answers().join('\n') ?? '' }
  }
}

/** @param {ReturnType<typeof bothServers>} compare */
async function tourOfTheAppRouter(compare) {
  const { stops } = await compare('/start', async ({ follow, back }) => {
    for (const [name, title] of APP) await follow(name, title)
    await back('app-isr')
    await back('app-hidden')
  })
  expect(stops.map(({ at, shows, sameDocument }) => [at, shows, sameDocument])).toEqual([
    ...APP.map(([, title, target]) => [target, title, true]),
    ['/app-isr', 'app-isr', true],
    ['/app-shown', 'app-hidden', true],
  ])
  expect(JSON.parse(stops[1]?.details ?? '')).toMatchObject({ params: { id: '7' } })
}

describe.each(lines)('client-side navigation on %s', line => {
  const compare = bothServers(line, 'navigation')

  test.each([
    ['default', '', 'en'],
    ['other', '/fr', 'fr'],
  ])('the Pages Router in the %s locale', async (_, prefix, locale) => {
    const { stops, told } = await compare(`${prefix}/`, async ({ follow, back }) => {
      for (const [name, title] of PAGES) await follow(name, title)
      await back('isr one')
      await back('hidden')
    })
    const at = (/** @type {string} */ target) => `${prefix}${target}`
    const seen = stops.map(({ at, shows, sameDocument }) => [at, shows, sameDocument])
    expect(seen).toEqual([
      ...PAGES.map(([, title, target]) => [at(target), title, true]),
      [at('/isr/one'), 'isr one', true],
      [at('/shown'), 'hidden', true],
    ])
    for (const { details } of stops) expect(JSON.parse(details).locale).toBe(locale)
    // The client is told where to, and asks for that itself. What a document gets, 307 with `Location`, would send its `fetch` there.
    const answerTo = (/** @type {string} */ page) =>
      told.split('\n').find(answer => answer.startsWith(`/_next/data/{buildId}/${locale}/${page}.json`))
    expect(answerTo('moved')).toContain(`x-nextjs-redirect: ${at('/arrived?by=middleware')}`)
    expect(answerTo('moved')).not.toContain('location: ')
    expect(answerTo('shown')).toContain(' 200; x-nextjs-rewrite: ')
  })

  test('the App Router', () => tourOfTheAppRouter(compare))

  test('from one router to the other, through a redirect', async () => {
    const { stops } = await compare('/', async ({ follow }) => {
      await follow('away', 'app-arrived')
      await follow('app-away', 'arrived')
    })
    const seen = stops.map(({ at, shows, sameDocument }) => [at, shows, sameDocument])
    expect(seen).toEqual([
      ['/app-arrived?by=middleware', 'app-arrived', false],
      ['/arrived?by=middleware', 'arrived', false],
    ])
  })
})

describe.each(partialLines)('client-side navigation to shells and cached pages on %s', line => {
  const compare = bothServers(line, 'navigation-cached')

  test('the App Router', () => tourOfTheAppRouter(compare))
})

/**
 * Loads a page in full and begins to watch.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {string} origin
 * @param {string} from
 */
async function begin(browser, origin, from) {
  const { page, problems, responses } = await openPage(browser, origin)
  /** @type {Stop[]} */
  const stops = []
  /** @type {string[]} */
  let answers = []
  await page.goto(from)
  await hydrated(page)
  await mark(page)
  const before = responses.length

  /** @param {string} title @param {() => Promise<unknown>} act */
  async function stop(title, act) {
    await act()
    // With `cacheComponents` the page before stays in the document, hidden.
    await page
      .locator('h1', { hasText: new RegExp(`^${title}$`) })
      .filter({ visible: true })
      .waitFor()
    await hydrated(page)
    const details = page.locator('pre').filter({ visible: true })
    const { pathname, search } = new URL(page.url())
    stops.push({
      at: pathname + search,
      shows: title,
      details: (await details.count()) > 0 ? ((await details.textContent()) ?? '') : '',
      sameDocument: await isMarked(page),
    })
    await mark(page)
  }

  return {
    stops,
    /** The port is the server's own. */
    problems: () => problems.map(problem => problem.replaceAll(origin, '')),
    /** Not with the mouse, which would fetch what it passes over. @param {string} name @param {string} title */
    follow: (name, title) =>
      stop(title, () => page.locator('nav').getByRole('link', { name, exact: true }).dispatchEvent('click')),
    /** @param {string} title */
    back: title => stop(title, () => page.goBack()),
    /** A page that was shown from memory is fetched again behind it, so the order of the answers says nothing. */
    answers: () => answers,
    close: async () => {
      await page.waitForLoadState('networkidle')
      answers = responses.slice(before).filter(isFetched).map(described).sort()
      await page.context().close()
    },
  }
}

/** Data and payloads, and the redirects to them. @param {import('playwright-core').Response} response */
const isFetched = response => ['fetch', 'xhr', 'document'].includes(response.request().resourceType())

/** @param {import('playwright-core').Response} response */
function described(response) {
  const headers = response.headers()
  const { pathname, search, origin } = new URL(response.url())
  const target = `${pathname}${search}`.replace(/\/_next\/data\/[^/]+\//, '/_next/data/{buildId}/')
  const told = [...TOLD, 'location'].flatMap(name => (headers[name] ? [`${name}: ${headers[name]}`] : []))
  return [`${target} ${response.status()}`, ...told].join('; ').replaceAll(origin, '')
}
