// The methods and arguments of the custom-server API, called by `__test__/servers/custom.mjs` as a request asks.
import { get } from '../case.mjs'

/**
 * A request that makes the server call the app.
 *
 * @param {string} target
 * @param {Record<string, unknown>} what see `Call` in `__test__/servers/custom.mjs`
 * @param {import('../case.mjs').Options} [options]
 */
export function call(target, what, { headers, ...options } = {}) {
  const list = Array.isArray(headers) ? headers : Object.entries(headers ?? {})
  const test = get(target, { ...options, headers: [...list, ['x-call', encodeURIComponent(JSON.stringify(what))]] })
  return { ...test, name: `${options.method ?? 'GET'} ${target} ${JSON.stringify(what)}${nameOf(list)}` }
}

/** @param {[string, string][]} headers */
const nameOf = headers => headers.map(([name, value]) => ` | ${name}: ${value}`).join('')

/** One of every kind of answer. */
const KINDS = [
  '/',
  '/isr',
  '/dynamic?a=1',
  '/plain',
  '/server?b=2',
  '/item/one',
  '/item/two',
  '/item/missing',
  '/item/moved',
  '/api/echo',
  '/api/raw',
  '/route?c=3',
  '/edge',
  '/file.txt',
  '/{chunk}',
  '/old',
  '/plain/',
  '/rewritten',
  '/missing',
  '/_next/static/missing.js',
  '/throws',
  '/server-throws',
  '/a//b',
]

/** Those whose answer has a content type that one set before replaces. */
const TYPED = ['/', '/isr', '/dynamic?a=1', '/plain', '/server?b=2', '/item/one', '/file.txt', '/{chunk}', '/missing']

const before = [
  ...KINDS.map(target => call(target, { headers: { 'x-before': 'set', 'x-rule': 'mine' } })),
  ...KINDS.map(target => call(target, { headers: { 'Cache-Control': 'private, max-age=7', Vary: 'X-Mine' } })),
  ...KINDS.map(target => call(target, { headers: { 'Set-Cookie': ['a=1', 'b=2'], Link: '</x>; rel=preload' } })),
  ...TYPED.map(target => call(target, { headers: { 'Content-Type': 'text/x-mine' } })),
  ...KINDS.map(target => call(target, { status: 201 })),
  ...KINDS.map(target => call(target, { status: 404 })),
  ...KINDS.map(target => call(target, { status: 500 })),
  ...KINDS.map(target => call(target, { store: 'one request' })),
  ...KINDS.slice(0, 8).map(target => call(target, { headers: { ETag: '"mine"', 'X-Powered-By': 'me' } })),
]

const parsed = [
  call('/dynamic?a=1', { parsed: 'parsed' }),
  call('/dynamic?a=1&a=2&b', { parsed: { search: null } }),
  call('/dynamic?a=1', { parsed: { query: { c: '3' } } }),
  call('/dynamic?a=1', { parsed: { search: '', query: { c: '3', d: ['4', '5'] } } }),
  call('/dynamic', { parsed: { query: { c: '3', e: ['x y', 'ü&='] } } }),
  call('/dynamic', { parsed: { query: { n: 1, t: true, nothing: null } } }),
  call('/dynamic', { parsed: { query: 'a=from-text' } }),
  call('/dynamic', { parsed: { search: 'no-mark=1' } }),
  call('/dynamic', { parsed: { search: '?a#b#c' } }),
  call('/anything', { parsed: { pathname: '/dynamic' } }),
  call('/anything?q=1', { parsed: { pathname: '/server' } }),
  call('/anything?q=1', { parsed: { pathname: '/server', search: null, query: { other: '1' } } }),
  call('/anything', { parsed: { pathname: 'dynamic' } }),
  call('/anything', { parsed: { pathname: '/dynamic?x=1' } }),
  call('/anything', { parsed: { pathname: '/dynamic#x' } }),
  call('/dynamic?x=1', { parsed: { pathname: '/dynamic?x=1', search: '' } }),
  call('/dynamic?x=1', { parsed: { pathname: '/dynamic?x=1', search: '', query: {} } }),
  call('/dynamic?x=1?y', { parsed: { pathname: '/dynamic?x=1', search: '?y' } }),
  call('/dynamicx=1', { parsed: { pathname: '/dynamic', search: 'x=1', query: {} } }),
  call('/dynamic#x', { parsed: { pathname: '/dynamic#x', hash: null, query: {} } }),
  call('/anything', { parsed: { pathname: '/blog/first' } }),
  call('/anything', { parsed: { pathname: '/blog/ü b' } }),
  call('/dynamic', { parsed: { hash: 'frag' } }),
  call('/dynamic', { parsed: { hash: '#frag' } }),
  call('/server', { parsed: 'whatwg' }),
  call('/server', { parsed: { host: 'other.example', protocol: 'http' } }),
  call('/server', { parsed: { hostname: 'other.example', port: '81' } }),
  call('/server', { parsed: { slashes: true } }),
  call('/dynamic', { parsed: { auth: 'u:p' } }),
  call('/old', { parsed: { pathname: '/old/slug', query: { k: 'v' }, search: '' } }),
  call('/', { url: '/dynamic?set=url' }),
  call('/', { url: '/file.txt' }),
  call('/', { url: 'no-slash' }),
]

const render = [
  call('/x?y=1', { method: 'render', args: ['/dynamic', { a: '1' }] }),
  call('/x?y=1', { method: 'render', args: ['/dynamic'] }),
  call('/x', { method: 'render', args: ['/dynamic', null] }),
  call('/x', { method: 'render', args: ['/server', { a: ['1', '2'], b: 'ü &' }] }),
  call('/x', { method: 'render', args: ['/dynamic', { a: '1' }, { search: '?from=parsed' }] }),
  call('/x', { method: 'render', args: ['/dynamic', { a: '1' }, { query: { b: '2' }, pathname: '/plain' }] }),
  call('/x', { method: 'render', args: ['/item/one'] }),
  call('/x', { method: 'render', args: ['/item/[id]', { id: 'one' }] }),
  call('/x', { method: 'render', args: ['/blog/first'] }),
  call('/x', { method: 'render', args: ['/blog/[slug]', { slug: 'first' }] }),
  call('/x', { method: 'render', args: ['/index'] }),
  call('/x', { method: 'render', args: ['/'] }),
  call('/x', { method: 'render', args: ['dynamic', {}] }, { log: /Cannot render page with path "dynamic"/ }),
  call('/x', { method: 'render', args: [''] }),
  call('/x', { method: 'render', args: [null] }),
  call('/x', { method: 'render', args: [undefined] }),
  call('/x', { method: 'render', args: [7] }),
  call('/x', { method: 'render', args: ['/missing'] }),
  call('/x', { method: 'render', args: ['/old'] }),
  call('/x', { method: 'render', args: ['/rewritten'] }),
  call('/x', { method: 'render', args: ['/file.txt'] }),
  call('/x', { method: 'render', args: ['/api/echo', { q: '1' }] }),
  call('/x', { method: 'render', args: ['/_error'] }),
  call('/x', { method: 'render', args: ['/_next/static/nothing.js'] }),
  call('/x', { method: 'render', args: ['//evil.example/'] }),
  call('/x', { method: 'render', args: ['/../dynamic'] }),
  call('/x', { method: 'render', args: ['/dynamic?x=1#y', { q: '2' }] }),
  call('/x', { method: 'render', args: ['/%', {}] }),
  call('/x', { method: 'render', args: ['/throws'] }, { log: /thrown by the page/ }),
  call('/x', { method: 'render', args: ['/dynamic'], headers: { 'x-before': 'set' }, status: 201 }),
  call('/x', { method: 'render', args: ['/dynamic'], store: 'rendered' }),
  call('/x', { method: 'render', args: ['/plain'] }, { method: 'HEAD' }),
  call('/x', { method: 'render', args: ['/plain'] }, { method: 'POST', body: 'b' }),
]

export const toHTML = [
  call('/x', { method: 'renderToHTML', args: ['/plain'] }),
  call('/x', { method: 'renderToHTML', args: ['/', {}] }),
  call('/x', { method: 'renderToHTML', args: ['/isr'] }),
  call('/x', { method: 'renderToHTML', args: ['/dynamic', { a: '1' }] }),
  call('/x', { method: 'renderToHTML', args: ['/server', { a: '1' }] }),
  call('/x', { method: 'renderToHTML', args: ['/item/one'] }),
  call('/x', { method: 'renderToHTML', args: ['/item/three'] }),
  call('/x', { method: 'renderToHTML', args: ['/item/missing'] }),
  call('/x', { method: 'renderToHTML', args: ['/item/moved'] }),
  call('/x', { method: 'renderToHTML', args: ['/blog/first'] }),
  call('/x', { method: 'renderToHTML', args: ['/missing'] }),
  call('/x', { method: 'renderToHTML', args: ['/old'] }),
  call('/x', { method: 'renderToHTML', args: ['/rewritten'] }),
  call('/x', { method: 'renderToHTML', args: ['/file.txt'] }),
  call('/x', { method: 'renderToHTML', args: ['/api/echo'] }),
  call('/x', { method: 'renderToHTML', args: ['/_error'] }),
  call('/x', { method: 'renderToHTML', args: ['plain'] }),
  call('/x', { method: 'renderToHTML', args: ['/item/[id]', { id: 'one' }] }),
  call('/x', { method: 'renderToHTML', args: ['/blog/[slug]', { slug: 'first' }] }),
  call('/x', { method: 'renderToHTML', args: ['/404'] }),
  call('/x', { method: 'renderToHTML', args: ['/500'] }),
  call('/x', { method: 'renderToHTML', args: ['/_app'] }),
  call('/x', { method: 'renderToHTML', args: ['/_document'] }),
  call('/x', { method: 'renderToHTML', args: ['/_not-found'] }),
  call('/x', { method: 'renderToHTML', args: ['/plain/'] }),
  call('/x', { method: 'renderToHTML', args: ['/index'] }),
  call('/x', { method: 'renderToHTML', args: ['/server', { n: 1, t: true, list: ['a', 2] }] }),
  call('/x', { method: 'renderToHTML', args: [''] }),
  call('/x', { method: 'renderToHTML', args: [null] }),
  call('/x', { method: 'renderToHTML', args: ['/server-throws'] }),
  call('/x', { method: 'renderToHTML', args: ['/plain'], status: 201, headers: { 'x-before': 'set', Vary: 'X-Mine' } }),
  call('/x', { method: 'renderToHTML', args: ['/dynamic'], status: 404, headers: { 'Cache-Control': 'no-cache' } }),
  call('/x', { method: 'renderToHTML', args: ['/server'], store: 'rendered' }),
]

const errors = [
  ...['renderError', 'renderErrorToHTML'].flatMap(method => [
    call('/x', { method, args: ['broken', '/plain'], status: 500 }),
    call('/x?q=1', { method, args: [null, '/plain', { a: '1' }], status: 404 }),
    call('/x', { method, args: ['broken', '/plain', {}] }),
    call('/x', { method, args: ['broken', '/plain', {}], status: 400 }),
    call('/x', { method, args: ['broken', '/plain', {}], status: 403 }),
    call('/x', { method, args: ['broken', '/plain', {}], status: 503 }),
    call('/x', { method, args: ['broken', '/plain', {}], status: 418 }),
    call('/x', {
      method,
      args: [null, '/'],
      status: 500,
      headers: { 'x-before': 'set', 'Cache-Control': 'max-age=9' },
    }),
    call('/x', {
      method,
      args: [null, '/'],
      status: 404,
      headers: { 'x-before': 'set', 'Cache-Control': 'max-age=9' },
    }),
    call('/x', { method, args: ['broken', '/plain', {}, false], status: 500 }),
    call('/x', {
      method,
      args: ['broken', '/plain', {}, false],
      status: 404,
      headers: { 'Cache-Control': 'max-age=9' },
    }),
    call('/x', { method, args: ['broken', '/plain', {}], status: 500 }, { method: 'POST', body: 'b' }),
    call('/x', { method, args: ['broken', '/plain', {}], status: 404 }, { method: 'HEAD' }),
    call('/x', { method, args: ['broken', '/plain'], status: 404 }, { headers: { rsc: '1' } }),
  ]),
  call('/x', { method: 'render404', args: [] }),
  call('/x?q=1', { method: 'render404', args: [{ pathname: '/other', query: { a: '1' } }] }),
  call('/x', { method: 'render404', args: [null, false] }),
  call('/x', { method: 'render404', args: [null, false], headers: { 'Cache-Control': 'max-age=9' } }),
  call('/x', { method: 'render404', args: [null, true], headers: { 'Cache-Control': 'max-age=9', 'x-before': 'set' } }),
  call('/x', { method: 'render404', args: [], status: 500 }),
  call('/plain', { method: 'render404', args: [] }, { method: 'POST', body: 'b' }),
  call('/plain', { method: 'render404', args: [] }, { method: 'HEAD' }),
  call('/plain', { method: 'render404', args: [] }, { headers: { 'accept-encoding': 'gzip' } }),
  call('/_next/static/x', { method: 'render404', args: [] }),
]

const others = [
  call('/x', { method: 'logError', args: ['told to log'] }, { log: /told to log/ }),
  call('/x', { method: 'logErrorWithOriginalStack', args: ['never'] }),
  call('/x', { method: 'getUpgradeHandler' }),
  call('/x', { method: 'property', args: ['hostname'] }),
  call('/x', { method: 'property', args: ['port'] }),
  call('/x', { method: 'revalidate', args: [{ urlPath: '/item/one', headers: {}, revalidateHeaders: {}, opts: {} }] }),
  call('/x', { method: 'revalidate', args: [{ urlPath: '/missing', headers: {}, revalidateHeaders: {}, opts: {} }] }),
  call('/x', {
    method: 'revalidate',
    args: [{ urlPath: '/missing', headers: {}, revalidateHeaders: {}, opts: { unstable_onlyGenerated: true } }],
  }),
  call('/x', { method: 'prepare' }),
]

/** A suite of its own, last: the prefix stays. */
const assetPrefix = [
  call('/dynamic', {}),
  call('/x', { method: 'setAssetPrefix', args: ['https://cdn.example/assets/'] }),
  call('/dynamic', {}),
  call('/server', {}),
  call('/plain', {}),
  call('/{chunk}', {}),
  call('/missing', {}),
  call('/x', { method: 'setAssetPrefix', args: ['/assets'] }),
  call('/dynamic', {}),
  call('/server', {}),
  call('/assets/_next/static/missing.js', {}),
  call('/assets/{chunk}', {}),
  call('/x', { method: 'setAssetPrefix', args: [''] }),
  call('/dynamic', {}),
  call('/x', { method: 'setAssetPrefix', args: [null] }),
  call('/server', {}),
  call('/x', { method: 'setAssetPrefix', args: [7] }),
]

/** Where the server says that it is, and what a proxy says: what middleware and handlers see as their URL. */
const FORWARDED = [
  [],
  [['Host', 'public.example']],
  [['Host', 'public.example:8080']],
  [['X-Forwarded-Proto', 'https']],
  [['X-Forwarded-Proto', 'https,http']],
  [['X-Forwarded-Proto', 'http, https']],
  [['X-Forwarded-Proto', '']],
  [['X-Forwarded-Proto', 'wss']],
  [['X-Forwarded-Host', 'public.example']],
  [['X-Forwarded-Host', 'a.example, b.example']],
  [['X-Forwarded-Port', '8443']],
  [['X-Forwarded-For', '203.0.113.7']],
  [['X-Forwarded-For', '203.0.113.7, 10.0.0.1']],
  [
    ['X-Forwarded-For', '203.0.113.7'],
    ['X-Forwarded-For', '10.0.0.1'],
  ],
  [
    ['X-Forwarded-Host', 'public.example'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Port', '443'],
    ['X-Forwarded-For', '203.0.113.7'],
  ],
]
const SEEING = ['/route?c=3', '/edge?d=4', '/dynamic?a=1', '/api/echo', '/rewritten']
const addresses = FORWARDED.flatMap(headers =>
  SEEING.map(target => call(target, {}, { headers: /** @type {[string, string][]} */ (headers) })),
)
/** The same without the variants of each header, for further options. */
const fewAddresses = addresses.filter(({ name }) => /^GET \S+ \{\}$|public\.example$|https$|203\.0\.113\.7$/.test(name))

/**
 * A server action that redirects, as the browser sends it.
 *
 * @param {[string, string][]} headers
 * @param {Record<string, unknown>} [what]
 */
const action = (headers, what = {}) =>
  call('/action', what, {
    method: 'POST',
    body: '[]',
    headers: [['Next-Action', '{action}'], ['Content-Type', 'text/plain;charset=UTF-8'], ...headers],
    mask: [/"\d+:\{/g],
  })
const actions = [
  action([]),
  action([['Origin', 'http://localhost']]),
  action([['Origin', 'null']]),
  action([['Origin', 'not a url']]),
  action([['Origin', 'http://evil.example']]),
  action([
    ['Host', 'evil.example'],
    ['Origin', 'http://evil.example'],
  ]),
  action([
    ['X-Forwarded-Host', 'evil.example'],
    ['Origin', 'http://evil.example'],
  ]),
  action([
    ['X-Forwarded-Host', 'evil.example'],
    ['Origin', 'http://localhost'],
  ]),
  action([['Next-Action', 'unknown']]),
  action([], { requestHeaders: { host: 'own' } }),
]

/** A nonce that could break out of its attribute is none. */
const nonces = [
  "script-src 'nonce-good'",
  `script-src 'nonce-"><script>alert(1)</script>'`,
  "script-src 'nonce-a&b'",
  "script-src 'nonce-'",
  "script-src 'nonce-\u00e9'",
  "default-src 'nonce-<'; script-src 'nonce-fine'",
].map(value => call('/dynamic', {}, { headers: [['Content-Security-Policy', value]] }))

/** The same methods in an app of the Pages Router alone, with a base path, locales and error pages of its own. */
const localised = [
  ...[
    '/base',
    '/base/fr',
    '/base/server',
    '/base/fr/server?a=1',
    '/base/post/one',
    '/base/fr/post/two',
    '/base/api/echo',
  ],
  ...['/base/file.txt', '/base/missing', '/missing', '/base/throws', '/base/post/missing', '/base/', '/'],
].flatMap(target => [
  call(target, { headers: { 'x-before': 'set', Vary: 'X-Mine' } }),
  call(target, { status: 404 }),
  call(target, { parsed: 'parsed' }),
  call(target, { parsed: { search: '', query: { b: '2' } } }),
  call('/base/x', { method: 'render', args: [target, { c: '3' }] }),
])
const localisedMethods = [
  ...[
    '/server',
    '/fr/server',
    '/base/server',
    '/',
    '/fr',
    '/post/one',
    '/post/three',
    '/fr/post/one',
    '/post/one/',
    '/fr/post/one/',
    '/missing',
    '/throws',
  ].flatMap(target => [
    call('/base/x', { method: 'renderToHTML', args: [target, { d: '4' }] }),
    call('/base/x', { method: 'renderToHTML', args: [target] }, { headers: { 'x-nextjs-data': '1' } }),
    call('/base/x', { method: 'renderToHTML', args: [target] }, { method: 'POST' }),
  ]),
  ...[200, 404, 500, 503].flatMap(status => [
    call('/base/x?q=1', { method: 'renderError', args: ['told', '/server', { e: '5' }], status }),
    call('/base/fr/x', { method: 'renderError', args: [null, '/fr/server', {}, false], status }),
    call('/base/x', { method: 'renderErrorToHTML', args: ['told', '/server', { e: '5' }], status }),
    call('/base/x', { method: 'renderError', args: ['told', '/server', {}], status }, { method: 'HEAD' }),
  ]),
  call('/base/x', { method: 'render404', args: [] }),
  call('/base/fr/x', { method: 'render404', args: [null, false] }),
  call('/base/x', { method: 'render404', args: [] }, { headers: [['If-None-Match', '{etag:/base/missing}']] }),
  call('/x', { method: 'setAssetPrefix', args: ['/other'] }),
  call('/base/server', {}),
  call('/other/_next/static/missing.js', {}),
]

const fixture = 'custom-server'
const serverFile = 'custom.mjs'

/** @type {import('./index.mjs').Suite[]} */
export const customServer = [
  { fixture, serverFile, cases: [...before, ...parsed, ...render, ...toHTML, ...errors, ...others] },
  { fixture, serverFile, cases: assetPrefix },
  { fixture: 'custom-server-i18n', serverFile, cases: [...localised, ...localisedMethods] },
  { fixture, serverFile, cases: [...addresses, ...actions, ...nonces] },
  ...[
    { hostname: '127.0.0.1', port: 4321 },
    { hostname: '::1', port: 4321 },
    { hostname: '0.0.0.0', port: 80 },
    { hostname: 'my.example', port: '8080' },
    { hostname: '', port: 0 },
    { port: 4321, httpServer: true, quiet: true },
  ].map(options => ({
    fixture,
    serverFile,
    env: { SERVER_OPTIONS: JSON.stringify(options) },
    cases: [...fewAddresses, ...others.slice(0, 5)].map(test => ({
      ...test,
      log: undefined,
      name: `${test.name} with ${JSON.stringify(options)}`,
    })),
  })),
]
