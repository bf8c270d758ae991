// Paths that are something else than they look like: data of what is no page, targets that only become data, payload or segment paths
// once they are normalised, the client router's headers without the one that they belong to, and actions that nobody knows.
import { linesFrom } from '../../support/workspace.mjs'
import { each, get, post, sequence } from '../case.mjs'

/** @typedef {Record<string, string>} Headers */

/** @type {Headers} */
const NONE = {}
/** @type {Headers} */
const PREFETCH = { 'x-middleware-prefetch': '1' }
/** @type {Headers} */
const DATA = { 'x-nextjs-data': '1' }

/**
 * Data paths of status pages and of nothing, of this build and of another.
 *
 * @param {string} [base] path
 * @param {string[]} [locales] as they stand in a data path
 */
export const dataPaths = (base = '', locales = ['']) => [
  ...locales
    .flatMap(locale => ['404', '500', '_not-found', '_error', 'missing', 'index'].map(name => `${locale}/${name}.json`))
    .flatMap(path =>
      [NONE, DATA, { 'if-none-match': '*' }, { ...PREFETCH, ...DATA }].map(headers =>
        get(`${base}/_next/data/{buildId}${path}`, { headers }),
      ),
    ),
  ...['{buildId}', 'other']
    .flatMap(build =>
      ['x.json', 'x', '', '.json', 'x.json/', '404.json', '404', '../x.json'].map(path => `${build}/${path}`),
    )
    .flatMap(path => [NONE, DATA].map(headers => get(`${base}/_next/data/${path}`, { headers }))),
  ...['404', '500', 'missing'].flatMap(name =>
    each(['HEAD', 'POST', 'OPTIONS'], `${base}/_next/data/{buildId}${locales.at(-1)}/${name}.json`),
  ),
]

/** @param {string} page @param {string} data without the folder of the build */
export const normalised = (page, data) => [
  ...[
    `/_next//data/{buildId}${data}`,
    `/%5fnext/data/{buildId}${data}`,
    `/a/../_next/data/{buildId}${data}`,
    `/_next/./data/{buildId}${data}`,
    `//_next/data/{buildId}${data}`,
    `/_next/data/{buildId}/x/..${data}`,
    `/_next\\data\\{buildId}${data}`,
    `/_next/data/{buildId}${data.replace('.json', '.jso%6e')}`,
    `/_next/data/{buildId}${data}/../..${data}`,
  ].flatMap(target => [NONE, DATA].map(headers => get(target, { headers }))),
  ...[
    `${page}.rsc`,
    `${page}%2ersc`,
    `/x/..${page}.rsc`,
    `${page}.rsc?_rsc`,
    `${page}.prefetch.rsc`,
    `${page}.segments/_tree.segment.rsc`,
    `/x/..${page}.segments/_tree.segment.rsc`,
    `${page}/.rsc`,
  ].flatMap(target => [NONE, { rsc: '1' }].map(headers => get(target, { headers }))),
]

/** Headers of the client router that come without `rsc: 1`. @type {Headers[]} */
const WITHOUT_RSC = [
  { 'next-router-segment-prefetch': '/_tree' },
  { 'next-router-prefetch': '1', 'next-router-segment-prefetch': '/_tree' },
  { 'next-router-prefetch': '1' },
  { 'next-router-prefetch': '2' },
  { 'next-router-state-tree': 'x' },
  { 'next-router-segment-prefetch': '/_index', 'next-router-prefetch': '1', rsc: '0' },
]

/** @param {string[]} paths */
export const withoutRsc = paths => paths.flatMap(path => WITHOUT_RSC.map(headers => get(path, { headers })))

/** Payloads asked for without the `_rsc` that belongs to them. @param {string[]} targets */
export const withoutHash = targets => targets.map(target => get(target, { headers: { rsc: '1' } }))

/** @param {string[]} paths */
export const unknownActions = paths =>
  paths.flatMap(path => [
    post(path, '[]', { headers: { 'Next-Action': 'deadbeef', 'Content-Type': 'text/plain;charset=UTF-8' } }),
    post(path, '[]', {
      headers: { 'Next-Action': '0'.repeat(42), 'Content-Type': 'text/plain;charset=UTF-8', rsc: '1' },
    }),
    post(path, 'a=1', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
  ])

/**
 * What middleware says to a prefetch of the client router.
 *
 * @param {string[]} paths
 */
export const middlewarePrefetches = paths =>
  paths
    .flatMap(path =>
      ['next', 'status', 'headers', 'rewrite&to=/plain', 'rewriteStatus&to=/plain', 'redirect&to=/plain', 'throw'].map(
        effect => `${path}?mw=${effect}`,
      ),
    )
    .flatMap(target =>
      [{ ...PREFETCH, ...DATA }, PREFETCH, { ...DATA, purpose: 'prefetch' }].map(headers => get(target, { headers })),
    )

/** What middleware sees of data paths, and of paths that look like some. @param {string[]} paths @param {Record<string, string>} how it is asked */
export const seenByMiddleware = (paths, how) =>
  paths.flatMap(path =>
    [NONE, DATA, { Host: 'example.fr' }].flatMap(headers => get(path, { headers: { ...how, ...headers } })),
  )

const SEEN_PATHS = [
  ...['/', '/fr', '/fr/', '/ssr', '/fr/ssr/', '/FR/ssr', '/en/ssr', '/xx/ssr', '/fr/fr/ssr', '//fr/ssr', '/api/x'],
  ...['/fr/api/x', '/missing', '/_next/x', '/fr/_next/data/{buildId}/ssr.json', '/_next/data', '/_next/data/'],
  ...['{buildId}', 'other', ''].flatMap(build =>
    [
      ...['fr.json', 'fr/.json', 'fr/index.json', 'fr/ssr.json', 'ssr.json', 'xx/ssr.json', 'FR/ssr.json', '.json', ''],
      ...['de-CH/ssr.json?a=1', 'fr/en/ssr.json', 'fr/missing.json', 'fr/ssg/one.json', 'fr/ssr', 'fr/ssr/', 'fr'],
      ...['fr/404.json', 'api/x.json', 'fr/ssr.json/', '%.json', 'fr/%66.json', '/fr/ssr.json', 'fr//ssr.json'],
    ].map(rest => `/_next/data/${build}/${rest}`),
  ),
]

const ACTIONS = unknownActions(['/nope', '/nope.rsc', '/isr.rsc', '/isr', '/_not-found', '/closed/none', '/api/echo'])

/** A bare key, none, and such as a parser would change. @param {string} path */
const bareKeys = path =>
  withoutHash(['?x', '?x&y', '?x=', '?&&x', '?x=%20&y=+', '?a[]=1', '?%78', ''].map(at => path + at))

const rewritten = withoutHash(
  [
    '/x?mw=rewrite&to=/static',
    '/x?mw=rewrite&to=/static?q=1',
    '/x?mw=rewriteUrl&to=/isr',
    '/isr?mw=rewrite&to=/static&c',
  ].flatMap(target => [target, `${target}&_rsc`, `${target}&_rsc=wrong`]),
)

const DATA_PATHS = ['plain', 'ssr', 'ssg/one', 'missing'].map(name => `/_next/data/{buildId}/${name}.json`)

/** @type {import('./index.mjs').Suite[]} */
export const oddPaths = [
  {
    fixture: 'app-router',
    cases: [
      ...dataPaths(),
      ...normalised('/isr', '/isr.json'),
      ...withoutRsc(['/', '/isr', '/feed', '/feed/photo', '/none', '/api/static', '/closed/none']),
      ...bareKeys('/'),
      ...ACTIONS,
      ...['/closed/none', '/closed/one', '/blog/none', '/missing/static'].flatMap(path =>
        [`${path}.rsc`, `${path}.prefetch.rsc`].map(target => get(target)),
      ),
    ],
  },
  { fixture: 'pages-router', cases: [...dataPaths(), ...normalised('/ssg', '/ssg.json')] },
  {
    fixture: 'mixed',
    cases: [
      ...dataPaths(),
      ...normalised('/ssg', '/ssg.json'),
      ...unknownActions([
        ...['/', '/nope', '/nope.rsc', '/deep/nope', '/_not-found', '/404', '/500', '/_error', '/_next/static/none.js'],
        ...['/ssg', '/ssg.rsc', '/ssr', '/ssr.rsc', '/both/any', '/both/any.rsc', '/both/fixed', '/app-missing'],
        ...['/app-throws', '/app-handler', '/api/hello', '/api/none', '/_next/data/{buildId}/ssr.json'],
      ]),
      ...withoutRsc(['/', '/nope', '/ssg', '/ssr', '/both/any', '/app-missing', '/api/hello']),
    ],
  },
  {
    fixture: 'middleware',
    cases: [
      ...dataPaths(),
      ...normalised('/isr', '/plain.json'),
      ...rewritten,
      ...middlewarePrefetches([
        ...DATA_PATHS,
        '/plain',
        '/ssr',
        '/static',
        '/isr',
        '/api/seen',
        '/ssg/one',
        '/missing',
      ]),
    ],
  },
  {
    fixture: 'middleware-i18n',
    cases: [...dataPaths('', ['', '/fr', '/xx']), ...seenByMiddleware(SEEN_PATHS, { 'x-mode': 'seen' })],
  },
  { fixture: 'middleware-one-locale', cases: dataPaths('', ['', '/en']) },
  { fixture: 'locales', cases: dataPaths('', ['', '/fr']) },
  { fixture: 'locales-base', cases: dataPaths('/site', ['', '/fr']) },
  {
    fixture: 'versions',
    cases: [
      ...dataPaths('', ['', '/fr']),
      ...unknownActions([
        '/',
        '/fr',
        '/nope',
        '/fr/nope',
        '/nope.rsc',
        '/fr/nope.rsc',
        '/fr/ssr',
        '/fr/isr',
        '/fr/isr.rsc',
      ]),
    ],
    asEverywhere: true,
  },
  { fixture: 'slots', cases: withoutRsc(['/', '/feed', '/feed/photo/1', '/none']) },
  {
    fixture: 'cache-components',
    cases: [...withoutRsc(['/static', '/none']), ...unknownActions(['/nope', '/shop/index'])],
    lines: linesFrom('16.0.0'),
    asEverywhere: true,
  },
  {
    fixture: 'mixed',
    cases: ['/', '/ssg', '/ssg.rsc', '/both/fixed', '/both/any', '/nope', '/_next/data/{buildId}/ssg.json'].map(path =>
      sequence(`${path} in test mode`, [get(path), get(path), get(path, { headers: { rsc: '1' } })]),
    ),
    env: { TEST_PROXY: '1' },
  },
  { fixture: 'seen', cases: ['/api/seen', '/route/seen'].map(path => get(path, { headers: { 'next-url': '/feed' } })) },
]
