// What differs between versions of Next.js, in one small app: each case names the capabilities (src/build/capabilities.rs) that it shows.
// Asked on every line, so that both sides of each boundary are compared with upstream; `versions.test.mjs` says when one has no case.
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { all, each, get, head, post, rsc, segment, sequence, showing } from '../case.mjs'
import { call } from './custom-server.mjs'
import { handled, pictures, remote } from './versions-pictures.mjs'

/** @typedef {import('../case.mjs').Case} Case */
/** @typedef {import('../case.mjs').Options} Options */

const GZIP = { 'accept-encoding': 'gzip' }

/** Waits until a name has been counted so often. @param {string} name @param {number} count */
const counted = (name, count) => get(`/counted?of=${name}`, { until: new RegExp(`counted ${count} times`) })

/** The state of a router that shows a page with these parameters. @param {[name: string, value: string][]} params */
const state = params => {
  /** @type {any} */
  const leaf = ['__PAGE__', {}]
  const tree = params.reduceRight((child, param) => [[...param, 'd'], { children: child }], leaf)
  return { 'next-router-state-tree': encodeURIComponent(JSON.stringify(['', { children: tree }])) }
}

const DATA = '/_next/data/{buildId}'
const FOREIGN = '/_next/data/another'

/** How paths are read, and which page answers. */
const routing = [
  ...all([
    '/',
    '/isr',
    '/still',
    '/live?a=1',
    '/plain',
    '/ssr?x=1',
    '/posts/built',
    '/file.txt',
    '/nowhere',
    '/closed/one',
    '/closed/two',
  ]),
  ...all([
    '/fr/plain',
    '/fr/ssr',
    '/fr/posts/built',
    '/fr/nowhere',
    '/en/plain',
    '/fr/isr/',
    '/isr/',
    '/_not-found',
    '/404',
    '/index',
    '/_error',
  ]),
  ...showing(['whatwgTargets'], all(['/./isr', '/posts/../isr', '/%69sr', '/isr/.', '/fr/../ssr', '/a\\b'])),
  ...showing(
    ['plain404ForSubresources'],
    ['image', 'script', 'document'].map(kind => get('/nowhere.png', { headers: { 'sec-fetch-dest': kind } })),
  ),
  ...showing(
    ['sortedDynamicRoutes', 'lookupDecidesPage'],
    all(['/shop/7', '/shop/a/b', '/shop/%5Bid%5D', '/fr/shop/7', '/fr/shop/a/b', '/shop/%zz']),
  ),
  ...showing(['affixedSegments'], all(['/users/u/(.)pics/p', '/users/u/%28.%29pics/p', '/users/u/pics/p', '/users/u'])),
  ...showing(['lastAppEntry'], [...all(['/feed', '/feed/deep']), rsc('/feed/deep'), ...all(['/offers'])]),
  ...showing(
    ['stateTreeParams'],
    ['/users/u', '/users/v'].flatMap(url => [
      rsc('/users/u/pics/p', { 'next-url': url }),
      rsc('/users/u/pics/p', { 'next-url': url, ...state([['user', 'other']]) }),
      rsc('/users/u/pics/p', {
        'next-url': url,
        ...state([
          ['user', 'other'],
          ['pic', 'another'],
        ]),
      }),
    ]),
  ),
  ...showing(
    ['appOwnsLocales'],
    all([
      '/en/isr',
      '/en/live',
      '/fr/live',
      '/en/blog/built',
      '/fr/handler/live',
      '/en/handler/live',
      '/en/closed/one',
      // A locale that was added on the way is none that somebody wrote.
      ...['/ssr', '/fr/ssr', '/en/ssr', '/still', '/fr/still'].flatMap(path =>
        ['/still', '/en/still', '/fr/still', '/live', '/users/u', '/en/users/u', '/closed/one'].map(
          to => `${path}?mw=rewrite&to=${to}`,
        ),
      ),
      ...['', '/en', '/fr'].flatMap(locale => ['/to-isr', '/to-dynamic'].map(path => `${locale}${path}`)),
      ...['', '/en', '/fr'].flatMap(locale =>
        ['/still', '/live', '/closed/one', '/users/u'].map(page => `${DATA}${locale}${page}.json`),
      ),
    ]),
  ),
  ...showing(
    ['exactRscHeader'],
    ['0', '1', 'true', ''].flatMap(value => all(['/isr', '/live'], { headers: { rsc: value } })),
  ),
  ...showing(
    ['validateRscByDefault'],
    [
      get('/live', { headers: { rsc: '1' }, note: 'without its hash' }),
      get('/isr?_rsc=wrong', { headers: { rsc: '1' } }),
      get('/isr?_rsc', { headers: { rsc: '1', 'next-router-prefetch': '1' } }),
    ],
  ),
  ...showing(['configNamesCompileMode'], all(['/edge/7', '/fr/edge/7?x=1'])),
  ...showing(
    ['supportsNavigationPrefetch'],
    ['1', '2', '3', '4'].map(value => rsc('/live', { 'next-router-prefetch': value })),
  ),
]

/** What middleware is told of data requests, and what is made of its answer. */
const middleware = [
  ...showing(
    ['foreignDataPaths', 'dataRequestHeader', 'dataPathDefaultLocale'],
    [DATA, FOREIGN].flatMap(base => [
      ...[
        '/ssr.json',
        '/fr/ssr.json',
        '/en/ssr.json',
        '/index.json',
        '/nowhere.json',
        '/posts/built.json',
        '/api/query/7.json',
      ].flatMap(page => [
        get(`${base}${page}?mw=seen`),
        get(`${base}${page}?mw=seen`, { headers: { 'x-nextjs-data': '1' } }),
      ]),
      ...['redirect', 'rewrite'].flatMap(effect => [
        get(`${base}/ssr.json?mw=${effect}&to=/posts/built`),
        get(`${base}/ssr.json?mw=${effect}&to=/posts/built`, { headers: { 'x-nextjs-data': '1' } }),
        get(`${base}/fr/ssr.json?mw=${effect}&to=/fr/posts/built`, { headers: { 'x-nextjs-data': '1' } }),
      ]),
    ]),
  ),
  ...showing(
    ['dataRequestHeader'],
    ['redirect', 'rewrite', 'seen', 'cookie'].map(effect =>
      get(`/ssr?mw=${effect}&to=/posts/built`, { headers: { 'x-nextjs-data': '1' } }),
    ),
  ),
  ...showing(
    ['trimmedMatchedPaths', 'dataEtags', 'namesDeployment', 'onMatchHeaders'],
    [
      ...all([
        `${DATA}/en/ssr.json`,
        `${DATA}/fr/ssr.json?x=1`,
        `${DATA}/en/posts/built.json`,
        `${DATA}/en/posts/none.json`,
        `${DATA}/en/nowhere.json`,
        `${DATA}/ssr.json`,
      ]),
      ...all([`${DATA}/en/ssr.json`, `${DATA}/en/posts/built.json`], { headers: { 'x-nextjs-data': '1' } }),
      get(`${DATA}/en/ssr.json`, { headers: { 'if-none-match': '*' } }),
      head(`${DATA}/en/posts/built.json`),
    ],
  ),
  ...['cookie', 'seen', 'redirect', 'rewrite'].flatMap(effect => [
    get(`/live?mw=${effect}&to=/ssr`),
    get(`/isr?mw=${effect}&to=/live`),
    rsc(`/isr?mw=${effect}&to=/live`),
  ]),
  ...showing(
    ['rewrittenPathOverrides'],
    [
      rsc('/isr?mw=rewrite-headers&to=/live?x=1'),
      rsc('/to-dynamic?mw=rewrite-headers&to=/to-isr'),
      rsc('/to-dynamic'),
      rsc('/to-isr'),
    ],
  ),
  ...showing(
    ['clientParamParsingOrigins'],
    [
      rsc('/isr?mw=rewrite-headers&to=http://127.0.0.1:{targetPort}/echo'),
      rsc('/external/echo'),
      rsc('/external/echo?x=1'),
    ],
  ),
]

/** Rules, and rewrites to another server. */
const rules = [
  ...showing(
    ['apiQueryFromUrl'],
    [
      ...all(['/before/7?x=1', '/to-query/7?x=1', '/fr/to-query/7', '/api/query/7?x=1&id=8', '/api/query/a%20b']),
      get('/ssr?mw=rewrite&to=/api/query/7%3Fy=1'),
      get('/ssr?mw=rewrite&to=/to-query/8%3Fy=1'),
    ],
  ),
  ...showing(
    ['keptByRewrittenPath'],
    [
      sequence('an answer that is kept under its page, or under the path of the rewrite', [
        get('/to-isr'),
        get('/isr'),
        get('/to-post/first'),
        get('/posts/first'),
        get('/to-post/first'),
        get('/fr/to-post/built'),
      ]),
    ],
  ),
  ...showing(
    ['stripsSeparators'],
    all([
      '/joined/x-y',
      '/joined/x-y-z',
      '/adjacent/x-y',
      '/adjacent/x-y-z',
      '/named-a.b',
      '/file-a.b',
      '/pair/a-b',
      '/pair/_NEXTSEP_a-b',
      '/joined/a-_NEXTSEP_b',
    ]),
  ),
  ...all(['/parts/a/b%2Fc', '/parts/%C3%BC/b']),
  ...showing(['destinationAuth'], all(['/external/auth', '/away-auth'])),
  ...showing(
    ['encodedDestinationHosts'],
    all([
      '/away/evil.org%2F',
      '/away/a%20b',
      '/away/evil.org%23',
      '/away/plain',
      '/external/host/127.0.0.1',
      '/external/host/127.0.0.1%2F',
    ]),
  ),
  ...showing(
    ['legacyProxyTargets'],
    all(['/external/a/%2e%2e/echo', '/external/echo/%2E%2E/there', '/external/echo?x=%5C', '/external/a%5Cb']),
  ),
  ...showing(['collapsedProxySlashes'], all(['/external/echo//x', '/external//echo'])),
  ...all(['/external/echo?x=1&y=2', '/external/echo/a%20b']),
]

/** Prerendered answers. */
const kept = [
  ...showing(
    ['scopedCachePaths', 'entriesExpectIncrementalCache'],
    [
      ...all(['/isr', '/blog/built', '/handler/kept']),
      sequence('a page that is rendered when it is first asked for', [
        get('/blog/first'),
        counted('first', 1),
        rsc('/blog/first'),
      ]),
    ],
  ),
  ...showing(
    ['scopedCachePaths', 'pagesMeta'],
    [
      ...all(['/posts/built', '/fr/posts/built', `${DATA}/en/posts/built.json`]),
      sequence('a page of the Pages Router that is rendered when it is first asked for', [
        get('/posts/second'),
        get(`${DATA}/en/posts/second.json`),
      ]),
    ],
  ),
  ...showing(
    ['missingSegmentsAre404'],
    ['/_tree', '/_full', '/nothing', '/isr/__PAGE__'].map(name => segment('/isr', name)),
  ),
  ...showing(
    ['namesDeployment'],
    [rsc('/isr'), rsc('/still'), rsc('/live'), rsc('/nowhere'), rsc('/isr', { 'next-router-prefetch': '1' })],
  ),
  ...showing(
    ['compressedRouteHandlers'],
    all(['/handler/kept', '/handler/live', '/handler/edge', '/file.txt', '/api/query/7'], { headers: GZIP }),
  ),
  ...showing(
    ['routeFramingIsDropped'],
    [
      ...all(['/handler/kept', '/handler/framed']),
      head('/handler/kept'),
      head('/handler/framed'),
      get('/handler/framed', { headers: GZIP }),
    ],
  ),
  ...showing(
    ['staleTags'],
    [
      sequence('a tag that is revalidated', [
        get('/tagged/a'),
        get('/tag?tag=tag-a'),
        get('/tagged/a'),
        counted('data-a', 2),
        get('/tagged/a', { until: /data <!-- -->2|data 2/ }),
      ]),
      sequence('a path that is revalidated', [
        get('/tagged/b'),
        get('/tag?path=/tagged/b'),
        get('/tagged/b'),
        get('/tagged/b', { until: /x-nextjs-cache: HIT/i }),
      ]),
    ],
  ),
  ...showing(
    ['expireBlocks', 'storedLifetimes'],
    [
      sequence('a page past its expiry', [
        get('/blog/expired'),
        get('/blog/expired', { wait: 3400 }),
        counted('expired', 2),
      ]),
      sequence('a page that is stale', [
        get('/blog/stale'),
        get('/blog/stale', { wait: 1300 }),
        counted('stale', 2),
        get('/blog/stale', { until: /render <!-- -->2/ }),
      ]),
    ],
  ),
  ...showing(
    ['routeHandlersExpire'],
    [
      sequence('a route handler past its expiry', [
        get('/handler/aged/a'),
        get('/handler/aged/a', { wait: 3400 }),
        counted('aged-a', 2),
      ]),
    ],
  ),
  ...showing(
    ['routerPrefetchSparesRender'],
    [
      sequence('a prefetch of a stale page', [
        get('/blog/spared'),
        rsc('/blog/spared', { 'next-router-prefetch': '1' }, { wait: 1300 }),
        get('/counted?of=spared', { wait: 400 }),
      ]),
    ],
  ),
  ...showing(
    ['revalidationsThrow'],
    [
      sequence('a page that throws while it is revalidated', [
        get('/posts/broken'),
        get('/api/revalidate?path=/posts/broken&broken', { log: /thrown on purpose by broken/ }),
        get('/api/revalidate?path=/posts/broken'),
        get('/posts/broken'),
      ]),
    ],
  ),
  ...showing(
    ['serviceWorkers'],
    all(['/_next/static/service-worker/worker.js', '/_next/static/service-worker/none.js']),
  ),
  ...each(['POST', 'OPTIONS'], '/isr'),
  ...each(['POST', 'OPTIONS'], '/posts/built'),
  ...all(['/isr', '/posts/built', '/live'], { headers: { cookie: '__prerender_bypass=wrong' } }),
]

/** Server actions. */
const actions = showing(
  ['actionsFetchFromHost'],
  [
    post('/action', '[]', {
      headers: {
        host: 'localhost',
        'next-action': '{action}',
        'content-type': 'text/plain;charset=UTF-8',
        accept: 'text/x-component',
      },
    }),
  ],
)

/** What the server file does to the app. */
const custom = [
  ...showing(
    ['capturedHtml'],
    [
      call('/x', { method: 'renderToHTML', args: ['/ssr', { a: '1' }] }),
      call('/x', { method: 'renderToHTML', args: ['/plain'] }),
      call('/x', { method: 'renderToHTML', args: ['/isr'] }),
      call('/x', { method: 'renderErrorToHTML', args: ['broken', '/x'] }),
    ],
  ),
  call('/x', { method: 'render', args: ['/ssr', { a: '1' }] }),
  call('/x', { method: 'render404', args: [] }),
]

/** A worker below the static files, which only an experimental bundler writes. @param {string} dir */
function withServiceWorker(dir) {
  const folder = path.join(dir, '.next/static/service-worker')
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, 'worker.js')
  writeFileSync(file, 'self.addEventListener("fetch", () => {})\n')
  utimesSync(file, new Date(0), new Date(0))
}

/** @param {string} suffix @param {Case[]} cases */
const named = (suffix, cases) => cases.map(test => ({ ...test, name: `${test.name} | ${suffix}` }))

/** @type {import('./index.mjs').Suite[]} */
export const versions = [
  {
    fixture: 'versions',
    target: true,
    prepare: withServiceWorker,
    cases: [...routing, ...middleware, ...rules, ...kept, ...actions, ...pictures],
  },
  {
    fixture: 'versions',
    target: true,
    env: { VERSIONS: 'local' },
    cases: named('allowing local addresses', [
      ...showing(
        [
          'reportsEmptyRemoteImages',
          'reportsAbsentRemoteImages',
          'supportsImageRedirectLimit',
          'supportsPrivateImages',
        ],
        remote,
      ),
    ]),
  },
  { fixture: 'versions', env: { VERSIONS: 'handler' }, cases: named('a cache handler', handled) },
  { fixture: 'versions', serverFile: 'custom.mjs', cases: named('a server file', custom) },
]
