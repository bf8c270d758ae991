// Which cases go to which fixture.
import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { linesFrom } from '../../support/workspace.mjs'
import { STEADY } from '../differences.mjs'
import app from './app.mjs'
import { readBefore } from './bodies.mjs'
import { cacheComponents, newApp, partialPrefetching } from './cache-components.mjs'
import * as conditional from './conditional.mjs'
import { conditions } from './conditions.mjs'
import { conf } from './conf.mjs'
import { customServer } from './custom-server.mjs'
import dataCache from './data-cache.mjs'
import { pastTheRouter } from './direct.mjs'
import { mixed, plain } from './errors.mjs'
import external from './external.mjs'
import files from './files.mjs'
import { frameworks } from './frameworks.mjs'
import handlers from './handlers.mjs'
import { aborts, hostile, injected, internalHeaders } from './hostile.mjs'
import { images } from './images.mjs'
import { localeSingle, locales } from './locales.mjs'
import { absolutesAsSent, localesBase } from './locales-base.mjs'
import middleware from './middleware.mjs'
import middlewareApis from './middleware-apis.mjs'
import { i18n, oneLocale, proxy } from './middleware-matchers.mjs'
import { oddPaths } from './odd-paths.mjs'
import pages from './pages.mjs'
import * as revalidation from './revalidation.mjs'
import { hidden, routes, slots } from './routes.mjs'
import { rules, trailingSlash } from './rules.mjs'
import { plainly, seen } from './seen.mjs'
import { setBefore } from './set-before.mjs'
import { versions } from './versions.mjs'

/** @typedef {import('../case.mjs').Case} Case */

/** @typedef {import('../../support/workspace.mjs').Line} Line */
/**
 * @typedef {object} Suite
 * @property {string} fixture
 * @property {Case[]} cases
 * @property {string} [serverFile] in `__test__/servers`; without it the documented server runs
 * @property {NodeJS.ProcessEnv} [env] of both servers
 * @property {Line[]} [lines] that can build it; without it all of them
 * @property {(dir: string) => void} [prepare] changes the build that both serve
 * @property {(dir: string) => void} [alter] changes the build that ferronext serves
 * @property {boolean} [target] whether the other server is asked for
 * @property {boolean} [asEverywhere] hardly anything in it depends on the Next.js line, so that a test run asks the newest one only;
 *   FERRONEXT_STRICT_LINES=1 and run.mjs ask all of them
 * @property {boolean} [overlapping] its sequences mostly wait, each for pages of its own: several run at once
 */

/**
 * Gives ferronext memory for two or three pages, so that it keeps compressed variants alone, and reads bodies again.
 *
 * @param {string} dir
 */
function withLittleMemory(dir) {
  renameSync(path.join(dir, 'next.config.mjs'), path.join(dir, 'own.config.mjs'))
  const config = `import config from './own.config.mjs'\nexport default { ...config, cacheMaxMemorySize: 100_000 }\n`
  writeFileSync(path.join(dir, 'next.config.mjs'), config)
}

/** @type {Suite[]} */
export const SUITES = [
  {
    fixture: 'app-router',
    cases: [
      ...app,
      ...handlers,
      ...conditional.app,
      ...hostile,
      ...internalHeaders('/isr'),
      ...internalHeaders('/dynamic'),
      ...injected(['/blog/one', '/docs/a/b', '/dynamic', '/isr', '/api/items/7', '/closed/one']),
      ...aborts('/large', '/isr'),
      ...aborts('/api/endless', '/isr').map(test => ({ ...test, log: /endless stream cancelled/ })),
    ],
  },
  {
    fixture: 'pages-router',
    cases: [
      ...pages,
      ...conditional.pages,
      ...hostile,
      ...internalHeaders('/ssg'),
      ...injected([
        '/ssr',
        '/user/7',
        '/user/me',
        '/fallback-blocking/one',
        '/fallback-false/one',
        '/auto/7',
        '/docs/a/b',
        '/shop',
        '/api/items/7',
      ]),
      ...aborts('/large', '/ssg'),
    ],
  },
  {
    fixture: 'static-files',
    cases: [...files, ...conditional.files, ...hostile, ...aborts('/large.txt', '/plain.txt')],
  },
  { fixture: 'app-router', cases: [...app, ...conditional.app], alter: withLittleMemory, asEverywhere: true },
  { fixture: 'pages-router', cases: [...pages, ...conditional.pages], alter: withLittleMemory, asEverywhere: true },
  {
    fixture: 'revalidation',
    // The page of these waits for data, which is read from disk then: in which chunk React sends a row depends on how long that takes.
    cases: revalidation.plain.filter(({ steps }) => !steps.some(({ target }) => target?.startsWith('/tagged'))),
    alter: withLittleMemory,
    asEverywhere: true,
    overlapping: true,
  },
  { fixture: 'rules', cases: rules },
  { fixture: 'trailing-slash', cases: trailingSlash },
  { fixture: 'pages-plain', cases: plain, asEverywhere: true },
  { fixture: 'revalidation', cases: revalidation.plain, overlapping: true },
  { fixture: 'revalidation-based', cases: revalidation.based, overlapping: true },
  // Before 15.5.14 upstream answers from a render until it is stored, so that two of its own servers differ in what a tag has revalidated.
  { fixture: 'data-cache', cases: dataCache, lines: STEADY, overlapping: true },
  // 15.5 has `cacheComponents` in its canary releases only.
  {
    fixture: 'cache-components',
    cases: cacheComponents,
    lines: linesFrom('16.0.0'),
    overlapping: true,
  },
  {
    fixture: 'partial-prefetching',
    cases: partialPrefetching,
    lines: linesFrom('16.4.0'),
    overlapping: true,
  },
  { fixture: 'default-app', cases: newApp, lines: linesFrom('16.4.0') },
  { fixture: 'mixed', cases: mixed },
  { fixture: 'seen', cases: seen },
  { fixture: 'seen', cases: plainly, env: { FERRONEXT_LEAN: '0' } },
  { fixture: 'middleware', cases: [...middleware, ...hostile, ...internalHeaders('/dynamic')] },
  { fixture: 'middleware-apis', cases: middlewareApis },
  { fixture: 'middleware-apis-node', cases: middlewareApis },
  { fixture: 'middleware-i18n', cases: i18n },
  { fixture: 'middleware-one-locale', cases: oneLocale, asEverywhere: true },
  // Before 16 there is no proxy.js.
  { fixture: 'proxy', cases: proxy, lines: linesFrom('16.0.0') },
  { fixture: 'conditions', cases: conditions, asEverywhere: true },
  { fixture: 'locales', cases: locales },
  { fixture: 'locales-base', cases: localesBase },
  // This server hands on no parsed URL, so that targets are routed as they were sent.
  { fixture: 'locales-base', cases: absolutesAsSent, serverFile: 'custom.mjs' },
  { fixture: 'locale-single', cases: localeSingle, asEverywhere: true },
  { fixture: 'routes', cases: [...routes, ...hostile] },
  { fixture: 'slots', cases: slots, asEverywhere: true },
  { fixture: 'hidden', cases: hidden, asEverywhere: true },
  { fixture: 'external', cases: external },
  ...versions,
  ...images,
  ...customServer,
  ...setBefore,
  ...oddPaths,
  ...pastTheRouter,
  ...readBefore,
  ...conf,
  ...frameworks,
].map(suite => ({ ...suite, cases: inOrder(suite, numbered(suite.cases)) }))

/** The suites that a line can build. @param {Line} line */
export const suitesOf = line => SUITES.filter(({ lines }) => lines?.includes(line) ?? true)

/**
 * Whether a case of a suite may run beside others.
 *
 * @param {Suite} suite
 * @param {Case} test
 */
export function overlaps({ overlapping }, test) {
  return overlapping === true && test.steps.length > 1 && !test.alone
}

/**
 * Those that run at once stand together: after single requests, before the cases that need the app for themselves.
 *
 * @param {Suite} suite
 * @param {Case[]} cases
 */
function inOrder(suite, cases) {
  const rank = (/** @type {Case} */ test) => (overlaps(suite, test) ? 1 : test.alone ? 2 : 0)
  return suite.overlapping ? cases.toSorted((a, b) => rank(a) - rank(b)) : cases
}

/**
 * Names are unique, so that one can be asked for.
 *
 * @param {Case[]} cases
 */
function numbered(cases) {
  /** @type {Map<string, number>} */
  const seen = new Map()
  return cases.map(test => {
    const count = (seen.get(test.name) ?? 0) + 1
    seen.set(test.name, count)
    return count === 1 ? test : { ...test, name: `${test.name} (${count})` }
  })
}
