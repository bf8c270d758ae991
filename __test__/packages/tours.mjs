// What a person does in each app of `__test__/apps`. A tour fails when the page is not what it should be, or when the browser
// has anything to complain about: console, uncaught errors, failed requests, answers of 400 and above.

import { expect } from 'vitest'
import { isMarked, mark, openPage } from '../browser/browser.mjs'

/** @typedef {import('playwright-core').Browser} Browser */

/**
 * @param {Browser} browser
 * @param {string} origin
 * @param {(page: import('playwright-core').Page, watched: import('../browser/browser.mjs').Watched) => Promise<void>} walk
 */
async function tour(browser, origin, walk) {
  const watched = await openPage(browser, origin)
  try {
    await walk(watched.page, watched)
    expect(watched.problems).toEqual([])
  } finally {
    await watched.page.context().close()
  }
}

/** @param {import('playwright-core').Page} page @param {string} text */
const heading = (page, text) => page.locator('h1', { hasText: text }).waitFor()

/**
 * Waits until React has taken an element over, so that a click or a form is its, and not a page load.
 * @param {import('playwright-core').Page} page
 * @param {string} selector
 */
const alive = (page, selector) =>
  page.waitForFunction(query => {
    const element = document.querySelector(query)
    return element !== null && Object.keys(element).some(key => key.startsWith('__reactProps'))
  }, selector)

/** @type {Record<string, (browser: Browser, origin: string) => Promise<void>>} */
export const TOURS = {
  notes: (browser, origin) =>
    tour(browser, origin, async page => {
      const button = (/** @type {string} */ name) => page.getByRole('button', { name, exact: true })
      await page.goto('/')
      await alive(page, 'nav a')
      await mark(page)
      await page.getByRole('link', { name: 'Notes' }).click()
      await heading(page, 'Sign in') // the page redirects whoever is not signed in
      await page.getByLabel('Name').fill('ann')
      await page.getByLabel('Password').fill('wrong')
      await button('Sign in').click()
      await page.getByRole('alert').filter({ hasText: 'That is not right.' }).waitFor()
      await page.getByLabel('Name').fill('ann')
      await page.getByLabel('Password').fill('secret')
      await button('Sign in').click()
      await heading(page, 'Notes of ann')
      for (const text of ['milk', 'bread']) {
        await page.getByLabel('Text').fill(text)
        await button('Add').click()
        await page.getByRole('listitem').filter({ hasText: text }).waitFor()
      }
      await button('Add').click()
      await page.getByRole('alert').filter({ hasText: 'A note needs a text.' }).waitFor()
      await button('Remove milk').click()
      await page.getByRole('listitem').filter({ hasText: 'milk' }).waitFor({ state: 'detached' })
      expect(await page.getByRole('listitem').count()).toBe(1)
      await button('Sign out').click()
      await heading(page, 'Sign in')
      expect(await isMarked(page)).toBe(true)
    }),

  gallery: (browser, origin) =>
    tour(browser, origin, async (page, { responses }) => {
      const width = (/** @type {string} */ alt) =>
        expect
          .poll(() =>
            page
              .getByAltText(alt)
              .evaluate(image => (/** @type {any} */ (image).complete ? /** @type {any} */ (image).naturalWidth : 0)),
          )
          .toBeGreaterThan(0)
      await page.goto('/')
      for (const alt of ['Cover', 'The sea', 'A hill']) await width(alt)
      const optimised = responses.filter(response => response.url().includes('/_next/image'))
      expect(optimised.length).toBeGreaterThan(2)
      for (const response of optimised) expect(response.headers()['content-type']).toBe('image/webp')
      await alive(page, 'a')
      await page.getByAltText('The sea').first().click()
      await page.getByRole('dialog', { name: 'The sea' }).waitFor()
      await page.getByRole('button', { name: 'Close' }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await page.goto('/photo/hill')
      await heading(page, 'A hill')
      expect(await page.title()).toBe('A hill')
      await width('A hill')
    }),

  travel: (browser, origin) =>
    tour(browser, origin, async page => {
      await page.goto('/')
      await heading(page, 'Where to?')
      expect(new URL(page.url()).pathname).toBe('/en')
      await alive(page, 'nav a')
      await mark(page)
      await page.getByRole('link', { name: 'Places' }).click()
      await heading(page, '3 places')
      await page.getByRole('button').click()
      await page.getByRole('button', { name: 'Visited: 1' }).waitFor()
      await page.getByRole('link', { name: 'de' }).click()
      await heading(page, '3 Orte')
      expect(new URL(page.url()).pathname).toBe('/de/places')
      // The cookie remembers the language.
      await page.goto('/')
      await heading(page, 'Wohin?')
      expect(await page.locator('html').getAttribute('lang')).toBe('de')
    }),

  dashboard: (browser, origin) =>
    tour(browser, origin, async page => {
      const text = (/** @type {string} */ id, /** @type {string} */ expected) =>
        page.getByTestId(id).filter({ hasText: expected }).waitFor()
      await page.goto('/', { waitUntil: 'commit' })
      await text('sales', 'sales: 140')
      await text('visitors', 'visitors: 224')
      await heading(page, 'The last 7 days')
      expect(await page.locator('section').evaluate(section => getComputedStyle(section).borderTopWidth)).toBe('2px')
      await alive(page, 'main button')
      await mark(page)
      await page.getByRole('button', { name: 'Live' }).click()
      await page.getByRole('button', { name: 'Live: 4 8 12' }).waitFor()
      await page.getByRole('link', { name: 'Month' }).click()
      await heading(page, 'The last 30 days')
      await text('sales', 'sales: 2325')
      await page.getByRole('link', { name: 'Broken' }).click()
      await heading(page, 'Broken')
      await page.getByRole('button', { name: 'Repair' }).click()
      await heading(page, 'Repaired')
      await page.goBack()
      await heading(page, 'The last 30 days')
      expect(await isMarked(page)).toBe(true)
    }),

  blog: (browser, origin) =>
    tour(browser, origin, async (page, { problems }) => {
      await page.goto('/')
      await alive(page, 'nav a')
      await mark(page)
      await page.getByRole('link', { name: 'First steps' }).click()
      await heading(page, 'First steps')
      await expect.poll(() => page.title()).toBe('First steps · Blog')
      await page.getByRole('button', { name: 'Liked 0 times' }).click()
      await page.getByRole('button', { name: 'Liked 1 times' }).waitFor()
      await page.getByRole('link', { name: '#start' }).click()
      await heading(page, '2 about start')
      await page.getByRole('link', { name: 'Search' }).click()
      await page.getByLabel('Words').fill('second')
      await page.getByRole('button', { name: 'Find' }).click()
      await page.getByText('Found: Second thoughts').waitFor()
      expect(await isMarked(page)).toBe(true)
      const [feed, sitemap] = await Promise.all(['/feed.xml', '/sitemap.xml'].map(file => page.request.get(file)))
      expect([feed.status(), feed.headers()['content-type']]).toEqual([200, 'application/rss+xml'])
      expect(await sitemap.text()).toContain('https://blog.example/posts/first-steps')
      expect(problems).toEqual([])
      const missing = await page.goto('/posts/none')
      await heading(page, 'No such post')
      expect(missing?.status()).toBe(404)
      problems.length = 0 // the document, and what Chromium writes about it
    }),

  shop: (browser, origin) =>
    tour(browser, origin, async (page, { problems }) => {
      await page.goto('/')
      expect(await page.locator('h1').evaluate(title => getComputedStyle(title).color)).toBe('rgb(1, 2, 3)')
      await alive(page, 'nav a')
      await mark(page)
      await page.getByRole('button', { name: 'By price' }).click()
      await expect.poll(() => page.getByRole('listitem').first().textContent()).toBe('A spoon')
      expect(new URL(page.url()).search).toBe('?sort=price')
      // Not listed in getStaticPaths: rendered when it is asked for.
      await page.getByRole('link', { name: 'A plate' }).click()
      await heading(page, 'A plate')
      await page.getByRole('button', { name: 'Buy for 20' }).click()
      await page.getByRole('link', { name: 'Cart (1)' }).click()
      await heading(page, 'In the cart: A plate')
      expect(await isMarked(page)).toBe(true)
      await page.goto('/products/cup')
      await heading(page, 'A cup')
      expect(problems).toEqual([])
      const missing = await page.goto('/products/none')
      await heading(page, 'Sold out')
      expect(missing?.status()).toBe(200) // the fallback page, which finds out later
      problems.length = 0
    }),
}
