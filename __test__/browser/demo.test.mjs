// The example in a real browser, served by the engine that FERRONEXT_ENGINE names. What is asserted is what upstream does:
// the same file passes with FERRONEXT_ENGINE=upstream.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { prepareExample } from '../support/example.mjs'
import { startServer } from '../support/server.mjs'
import { hydrated, isMarked, launchBrowser, mark, openPage } from './browser.mjs'

const engine = /** @type {import('../support/server.mjs').Engine} */ (process.env.FERRONEXT_ENGINE ?? 'ferronext')
const ISO_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/

describe(`the example on ${engine}`, () => {
  /** @type {{ dir: string, remove: () => void }} */
  let example
  /** @type {import('../support/server.mjs').Server} */
  let server
  /** @type {import('playwright-core').Browser} */
  let browser
  /** @type {import('./browser.mjs').Watched} */
  let watched
  /** @type {import('playwright-core').Page} */
  let page
  let origin = ''

  beforeAll(async () => {
    example = await prepareExample(engine, 'custom-server')
    server = await startServer({ dir: example.dir, engine, serverFile: 'dist/server.js' })
    origin = `http://localhost:${server.port}`
    browser = await launchBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    await server?.stop()
    example?.remove()
  })

  beforeEach(async () => {
    watched = await openPage(browser, origin)
    page = watched.page
  })

  afterEach(async () => {
    await page.context().close()
  })

  const heading = () => page.locator('h1').textContent()
  const text = (/** @type {string} */ testId) => page.getByTestId(testId).textContent()

  /**
   * Loads a page in full and waits until React has taken it over. Not until the network is idle: that never comes, because
   * upstream's client lets the answer lie when it prefetches a page of the pages router and gets HTML.
   *
   * @param {string} path
   */
  async function load(path) {
    const response = await page.goto(path)
    await hydrated(page)
    return response?.status()
  }

  /** Clicks a link of the navigation bar and waits for the page behind it. @param {string} name @param {string} title */
  async function follow(name, title) {
    await page.locator('nav').getByRole('link', { name, exact: true }).click()
    await page.locator('h1', { hasText: title }).waitFor()
  }

  test('the static page comes with its style and is hydrated', async () => {
    expect(await load('/')).toBe(200)
    expect(await heading()).toBe('A custom server')
    expect(await page.title()).toBe('A custom server')
    expect(await page.locator('.frame').evaluate(frame => getComputedStyle(frame).maxWidth)).toBe('736px')
    expect(await page.locator('nav img').evaluate(image => /** @type {any} */ (image).naturalWidth)).toBe(64)
    await page.getByRole('button', { name: 'Count' }).click()
    await page.getByRole('button', { name: 'Count' }).click()
    expect(await text('count')).toBe('2')
    expect(watched.problems).toEqual([])
  })

  test('the revalidated page shows when it was rendered', async () => {
    expect(await load('/revalidated')).toBe(200)
    expect(await text('rendered')).toMatch(ISO_TIME)
    expect(watched.problems).toEqual([])
  })

  test('a revalidated page that is too old is renewed behind the answer', async () => {
    await load('/revalidated')
    const first = await text('rendered')
    // Stale after 10 s; that request still gets the old page and starts the render of the new one.
    await expect
      .poll(
        async () => {
          await load('/revalidated')
          return text('rendered')
        },
        { timeout: 30_000, interval: 1000 },
      )
      .not.toBe(first)
    expect(watched.problems).toEqual([])
  })

  test('the dynamic page sees the query and the headers', async () => {
    expect(await load('/dynamic?name=Ferris%20%26%20co')).toBe(200)
    expect(await text('name')).toBe('Ferris & co')
    expect(await text('user-agent')).toContain('Chrome/')
    expect(watched.problems).toEqual([])
  })

  test.each(['first', 'unlisted'])('the page of a slug: %s', async slug => {
    expect(await load(`/posts/${slug}`)).toBe(200)
    expect(await heading()).toBe(`Post: ${slug}`)
    expect(await page.title()).toBe(`Post ${slug} · A custom server`)
    expect(watched.problems).toEqual([])
  })

  test('pages of the pages router, dynamic and static', async () => {
    expect(await load('/legacy?a=1')).toBe(200)
    expect(await heading()).toBe('Legacy')
    expect(await text('rendered')).toMatch(ISO_TIME)
    expect(await text('url')).toBe('/legacy?a=1')
    expect(await load('/about')).toBe(200)
    expect(await heading()).toBe('About')
    expect(await page.title()).toBe('About')
    expect(watched.problems).toEqual([])
  })

  test('the route handler and the API route, called by the page', async () => {
    await load('/')
    const answers = await page.evaluate(async () => {
      const post = { method: 'POST', body: JSON.stringify({ a: [1, 'ü'] }) }
      const [hello, posted, time] = await Promise.all([
        fetch('/api/hello?name=Ferris'),
        fetch('/api/hello', post),
        fetch('/api/time', { method: 'PUT' }),
      ])
      return {
        hello: await hello.json(),
        posted: [posted.status, await posted.json()],
        time: [time.status, time.headers.get('cache-control'), await time.json()],
      }
    })
    expect(answers).toEqual({
      hello: { hello: 'Ferris' },
      posted: [201, { received: { a: [1, 'ü'] } }],
      time: [200, 'no-store', { method: 'PUT', now: expect.stringMatching(ISO_TIME) }],
    })
    expect(watched.problems).toEqual([])
  })

  test('the public files', async () => {
    const robots = await page.goto('/robots.txt')
    expect(robots?.status()).toBe(200)
    expect(await robots?.text()).toBe('User-agent: *\nAllow: /\n')
    expect((await page.goto('/ferris.svg'))?.status()).toBe(200)
    expect(await page.locator('svg').getAttribute('aria-label')).toBe('A crab')
  })

  test('an unknown page is the 404 page of the app', async () => {
    expect(await load('/nothing')).toBe(404)
    expect(await heading()).toBe('Nothing here')
    // The document itself, and the line that Chromium writes about it.
    expect(watched.problems.filter(problem => !/404/.test(problem))).toEqual([])
  })

  test('links in sight are prefetched', async () => {
    await load('/')
    const prefetches = () => watched.responses.filter(response => response.request().headers()['next-router-prefetch'])
    const typeOf = (/** @type {string} */ path) =>
      prefetches()
        .find(response => new URL(response.url()).pathname === path)
        ?.headers()['content-type']
    for (const path of ['/revalidated', '/dynamic', '/posts/first', '/posts/unlisted']) {
      await expect.poll(() => typeOf(path), { message: path }).toBe('text/x-component')
    }
    // The client cannot know that these belong to the other router; it learns it from the HTML.
    for (const path of ['/legacy', '/about']) await expect.poll(() => typeOf(path)).toContain('text/html')
    expect(prefetches().filter(response => response.status() !== 200)).toEqual([])
    expect(watched.problems).toEqual([])
  })

  test('app pages are reached without a page load, forth and back', async () => {
    await load('/')
    await page.getByRole('button', { name: 'Count' }).click()
    await mark(page)
    await follow('Revalidated', 'Revalidated')
    await follow('Dynamic', 'Dynamic')
    expect(await text('name')).toBe('Ferris')
    await follow('Posts', 'Post: first')
    await page.getByRole('link', { name: 'unlisted' }).click()
    await page.locator('h1', { hasText: 'Post: unlisted' }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/posts/unlisted')
    await page.goBack()
    await page.locator('h1', { hasText: 'Post: first' }).waitFor()
    await follow('Home', 'A custom server')
    expect(await isMarked(page)).toBe(true)
    expect(watched.problems).toEqual([])
  })

  test('from an app page to the pages router is a page load', async () => {
    await load('/')
    await mark(page)
    await follow('Legacy', 'Legacy')
    await hydrated(page)
    expect(await isMarked(page)).toBe(false)
    await mark(page)
    await follow('About', 'About')
    expect(await isMarked(page)).toBe(true) // Within the pages router it is not.
    await follow('Legacy', 'Legacy')
    expect(await text('url')).toMatch(/^\/_next\/data\/[^/]+\/legacy\.json$|^\/legacy$/)
    expect(await isMarked(page)).toBe(true)
    expect(watched.problems).toEqual([])
  })

  test('from the pages router to an app page is a page load', async () => {
    await load('/about')
    await mark(page)
    await follow('Dynamic', 'Dynamic')
    await hydrated(page)
    expect(await text('name')).toBe('Ferris')
    expect(await isMarked(page)).toBe(false)
    expect(watched.problems).toEqual([])
  })
})
