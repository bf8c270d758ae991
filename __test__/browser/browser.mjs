// Chromium, and a page that remembers everything that went wrong on it.

import { chromium } from 'playwright-core'

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export function launchBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS })
}

/**
 * @typedef {object} Watched
 * @property {import('playwright-core').Page} page
 * @property {string[]} problems console errors, uncaught errors, failed requests, answers of 400 and above
 * @property {import('playwright-core').Response[]} responses
 */

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} origin
 * @returns {Promise<Watched>}
 */
export async function openPage(browser, origin) {
  const context = await browser.newContext({ baseURL: origin })
  const page = await context.newPage()
  /** @type {string[]} */
  const problems = []
  /** @type {import('playwright-core').Response[]} */
  const responses = []
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(`console: ${message.text()}`)
  })
  page.on('pageerror', error => problems.push(`uncaught: ${error.message}`))
  page.on('requestfailed', request => {
    const reason = request.failure()?.errorText ?? ''
    // A page that is left behind drops its prefetches; the server has no part in that.
    if (reason !== 'net::ERR_ABORTED') problems.push(`failed: ${request.url()} ${reason}`)
  })
  page.on('response', response => {
    responses.push(response)
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`)
  })
  return { page, problems, responses }
}

/** A full page load loses what was put on `window`; a client-side navigation keeps it. @param {import('playwright-core').Page} page */
export async function mark(page) {
  await page.evaluate(() => {
    Object.assign(window, { ferronextMark: 'here' })
  })
}

/** @param {import('playwright-core').Page} page @returns {Promise<boolean>} */
export function isMarked(page) {
  return page.evaluate(() => /** @type {any} */ (window).ferronextMark === 'here')
}

/** Waits until React has taken over the head of the page, which all pages share. @param {import('playwright-core').Page} page */
export async function hydrated(page) {
  await page.waitForFunction(() => {
    const link = document.querySelector('nav a')
    return link !== null && Object.keys(link).some(key => key.startsWith('__reactFiber'))
  })
}
