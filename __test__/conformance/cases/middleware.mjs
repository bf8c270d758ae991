// Middleware at the edge: what each of its answers does to pages, files and routes of both routers.
import { each, get, post, raw, rsc, segment, sequence } from '../case.mjs'

const PAGES = [
  '/',
  '/static',
  '/isr',
  '/dynamic',
  '/item/1',
  '/blog/a',
  '/blog/none',
  '/ssr',
  '/ssg/a',
  '/ssg/new',
  '/plain',
]
const ROUTES = ['/api/echo', '/api/cookie', '/api/seen', '/file.txt', '/nowhere', '/before', '/after/7', '/fall/a/b']
const DATA = ['ssr', 'ssg/a', 'ssg/new', 'ssg/index', 'plain', 'nowhere'].map(
  page => `/_next/data/{buildId}/${page}.json`,
)

/** @param {string} path @param {string} query */
const doing = (path, query) => `${path}${path.includes('?') ? '&' : '?'}mw=${query}`

/** @param {string[]} paths @param {string[]} queries @param {Record<string, string>} [headers] */
const matrix = (paths, queries, headers) =>
  paths.flatMap(path => queries.map(query => get(doing(path, query), { ...(headers && { headers }) })))

const REQUEST = { 'x-changed': 'original', 'x-removed': 'here', 'accept-language': 'en', cookie: 'sent=1; two=2' }

const passing = [
  ...matrix([...PAGES, ...ROUTES], ['next', 'headers', 'cookies']),
  ...matrix(
    ['/static', '/dynamic', '/ssr', '/ssg/a', '/plain', '/file.txt', '/api/echo', '/nowhere'],
    ['nothing', 'cache', 'type', 'cookieHeader'],
  ),
  ...matrix(
    ['/dynamic', '/ssr', '/api/echo', '/api/seen', '/api/cookie', '/static'],
    ['override', 'overrideAll', 'overrideCookie'],
    REQUEST,
  ),
  ...matrix([...PAGES, ...ROUTES], ['status']),
  ...matrix(
    ['/static'],
    ['/static', '/ssr', '/plain', '/ssg/a', '/file.txt', '/api/seen', '/api/echo', '/nowhere', '/blog/none'].map(
      to => `rewriteStatus&to=${to}`,
    ),
  ),
  get('/file.txt?mw=status', { headers: { 'if-none-match': '{etag:/file.txt}' } }),
  get('/static?mw=status', { headers: { 'if-none-match': '{etag:/static}' } }),
  get('/file.txt?mw=status', { headers: { range: 'bytes=0-1' } }),
  rsc('/static?mw=status'),
  get('/with-cookie?mw=cookies'),
  get('/redirected-first?mw=answer&to=text'),
  get('/static?mw=headers', { headers: { 'accept-encoding': 'gzip' } }),
  get('/static?mw=headers', { headers: { 'if-none-match': '{etag:/static}' } }),
  get('/file.txt?mw=headers', { headers: { range: 'bytes=0-1' } }),
  get('/open.txt?mw=throw'),
  get('/open?mw=throw'),
  post('/open/edge', 'a body'),
  get('/static?mw=wait', { log: /middleware waited/ }),
  ...each(['HEAD', 'POST', 'OPTIONS'], '/static?mw=headers'),
  ...each(['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'], '/api/echo?mw=headers'),
]

const rewrites = [
  ...matrix(
    ['/static', '/dynamic', '/ssr', '/nowhere', '/file.txt', '/api/echo'],
    [
      'rewrite&to=/item/1',
      'rewrite&to=/item/1%3Fa%3D1',
      'rewrite&to=/blog/b',
      'rewrite&to=/blog/none',
      'rewrite&to=/ssr%3Fx%3D1',
      'rewrite&to=/ssg/a',
      'rewrite&to=/file.txt',
      'rewrite&to=/api/seen%3Fq%3D2',
      'rewrite&to=/api/items/1%3Fq%3D2',
      'rewrite&to=/missing',
      'rewrite&to=/after/9',
      'rewrite&to=/before',
      'rewriteUrl&to=/dynamic',
    ],
  ),
  ...matrix(
    ['/static', '/api/echo', '/ssr'],
    [
      'rewriteWithHeaders&to=/dynamic',
      'rewriteStatus&to=/static',
      'rewrite&to=/item/%2525',
      'rewrite&to=/item/%25C3%25BC',
    ],
    REQUEST,
  ),
  post('/static?mw=rewrite&to=/api/echo', 'rewritten body', { headers: { 'content-type': 'text/plain' } }),
]

const redirects = matrix(
  ['/static', '/ssr', '/file.txt', '/api/echo'],
  [
    'redirect&to=/item/1',
    'redirect&to=/item/1%3Fa%3D1%23hash',
    'redirect&to=/item/1&status=301',
    'redirect&to=/item/1&status=302',
    'redirect&to=/item/1&status=303',
    'redirect&to=/item/1&status=308',
    'redirect&to=https://example.com/there%3Fx',
    'redirectUrl&to=/static',
    'location&to=/item/1',
    'location&to=/item/1&status=200',
    'location&to=https://example.com/&status=307',
  ],
)

const answers = matrix(
  ['/static', '/api/echo', '/nowhere'],
  [
    'answer&to=text',
    'answer&to=text&status=401',
    'answer&to=json&status=500',
    'answer&to=long',
    'answer',
    'answer&status=204',
    'answer&status=404',
    'html',
    'jsonAnswer',
    'stream',
    'raw&to=x-middleware-refresh',
    'raw&to=x-middleware-next',
    'raw&to=content-encoding',
    'raw&to=content-length',
    'seen',
  ],
)

const encoded = [
  get('/static?mw=answer&to=long', { headers: { 'accept-encoding': 'gzip' } }),
  get('/static?mw=stream', { headers: { 'accept-encoding': 'gzip' } }),
  ...each(['HEAD', 'POST', 'DELETE'], '/static?mw=answer&to=text'),
  ...each(['HEAD', 'POST'], '/static?mw=seen'),
]

const failures = [
  ...['/static', '/ssr', '/api/echo', '/file.txt'].flatMap(path => [
    get(doing(path, 'throw'), { log: /thrown by middleware/ }),
    get(doing(path, 'reject'), { log: /rejected by middleware/ }),
    get(doing(path, 'wrong'), { log: /Expected an instance of Response/ }),
  ]),
  ...matrix(['/static'], ['throw', 'answer&to=text&status=100']),
  post('/api/echo?mw=throw', 'body'),
]

/** @type {Record<string, string>[]} */
const REFLECTED = [
  { location: 'http://169.254.169.254/latest' },
  { 'x-middleware-rewrite': 'http://169.254.169.254/latest' },
  { 'content-length': '0', 'transfer-encoding': 'identity' },
  { 'set-cookie': 'a=1' },
]
const reflected = REFLECTED.map(headers => get('/dynamic?mw=reflect', { headers: { 'x-sent': 'yes', ...headers } }))

const OUTSIDE = 'http://127.0.0.1:{targetPort}'
const external = [
  ...['/static', '/ssr', '/api/echo', '/nowhere', '/_next/data/{buildId}/ssr.json'].flatMap(path => [
    get(doing(path, `rewrite&to=${OUTSIDE}/echo`)),
    get(doing(path, `rewriteWithHeaders&to=${OUTSIDE}/echo%3Fa%3D1`), { headers: REQUEST }),
    post(doing(path, `rewrite&to=${OUTSIDE}/echo`), 'a body for another server'),
  ]),
  ...['next', 'headers', 'cookies', 'override', 'overrideAll', 'status'].map(mode =>
    get(doing('/external/echo?own=1', mode), { headers: REQUEST }),
  ),
  ...['next', 'bodyThenNext', 'partOfBody'].flatMap(mode => [
    post(doing('/external/echo', mode), 'a body'),
    post(doing('/external/echo', mode), 'x'.repeat(60_000)),
  ]),
  rsc(doing('/static', `rewrite&to=${OUTSIDE}/echo`)),
  get(doing('/static', `rewrite&to=${OUTSIDE}/status/404`)),
  get(doing('/static', `rewrite&to=http://127.0.0.1:9/`), { log: /Failed to proxy/ }),
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port'].map(name =>
    get(doing('/external/echo', 'next'), { headers: { [name]: 'https' } }),
  ),
]

const seen = [
  ...[
    '/',
    '/a%20b',
    '/%C3%BC',
    '/a%2Fb',
    '/a/../b',
    '/a%zz',
    '/item/1?x=1&x=2&y',
    '/index',
    '/_next/data/{buildId}/index.json',
  ].map(path => get(doing(path, 'seen'))),
  get('/?mw=seen&nxtPid=9&nxtIid=8&id=7'),
  get('/seen/?mw=seen'),
  get('/SEEN?mw=seen'),
  get('/x?mw=seen', {
    headers: {
      host: 'other.example:81',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '99',
    },
  }),
  get('/x?mw=seen', { headers: { rsc: '1', 'next-router-prefetch': '1', 'next-url': '/y' } }),
  get('/x?mw=seen', { headers: { 'x-middleware-subrequest': Array(6).fill('middleware').join(':') } }),
  get('/x?mw=seen', { headers: { 'x-middleware-subrequest': Array(6).fill('src/middleware').join(':') } }),
  ...[
    'x-middleware-rewrite',
    'x-middleware-next',
    'x-middleware-override-headers',
    'x-middleware-set-cookie',
    'x-nextjs-data',
    'next-resume',
    'x-matched-path',
    'x-now-route-matches',
    'x-middleware-skip',
    'x-middleware-redirect',
  ].flatMap(name => [
    get('/x?mw=seen', { headers: { [name]: '/dynamic' } }),
    get('/dynamic?mw=next', { headers: { [name]: '/dynamic' } }),
  ]),
  get('/static?mw=answer&to=text', { headers: { 'x-prerender-revalidate': '{previewId}' } }),
  get('/static?mw=answer&to=text', { headers: { 'x-prerender-revalidate': 'wrong' } }),
]

const data = [
  ...DATA.flatMap(target =>
    [
      'next',
      'headers',
      'rewrite&to=/ssg/a',
      'rewrite&to=/ssr%3Fx%3D1',
      'rewrite&to=/item/1',
      'redirect&to=/ssr',
      'redirect&to=https://example.com/',
      'answer&to=json',
      'seen',
      'throw',
    ].map(query => get(doing(target, query))),
  ),
  ...[
    '/_next/data/wrong/ssr.json',
    '/_next/data/{buildId}/ssr',
    '/_next/data/{buildId}',
    '/_next/data/{buildId}/static.json',
    '/_next/data/{buildId}/item/1.json',
  ].flatMap(target => ['next', 'seen', 'rewrite&to=/ssg/a'].map(query => get(doing(target, query)))),
  ...DATA.map(target => get(target, { headers: { 'x-nextjs-data': '1' } })),
  ...DATA.map(target => get(target, { headers: { 'x-middleware-prefetch': '1' } })),
]

const payloads = [
  ...['/static', '/dynamic', '/item/1'].flatMap(path =>
    [
      'next',
      'headers',
      'rewrite&to=/item/2%3Fz%3D1',
      'redirect&to=/static',
      'redirect&to=https://example.com/',
      'answer&to=text',
      'seen',
    ].map(query => rsc(doing(path, query))),
  ),
  segment('/static?mw=headers', '/_tree'),
  segment('/static?mw=rewrite&to=/blog/a', '/_tree'),
  get('/static.rsc?mw=seen'),
  get('/static.rsc?mw=answer&to=text'),
  get('/static.segments/_tree.segment.rsc?mw=answer&to=text'),
  get('/index.rsc?mw=answer&to=text'),
  get('/static?mw=answer&to=text&_rsc=wrong', { headers: { rsc: '1' } }),
]

const KILOBYTE = 'x'.repeat(1024)
/** A picture is fetched by a request of the server's own, which middleware sees. */
const picture = '/_next/image?url=%2Ffile.txt&w=64&q=75'
const pictures = [...each(['GET', 'OPTIONS', 'PUT'], picture), post(picture, 'a=1')]

const bodies = [
  ...['next', 'body', 'bodyThenNext', 'partOfBody', 'override'].flatMap(query => [
    post(doing('/api/echo', query), ''),
    post(doing('/api/echo', query), 'small'),
    post(doing('/api/upload', query), KILOBYTE.repeat(48)),
    post(doing('/api/seen', query), JSON.stringify({ a: 1 }), { headers: { 'content-type': 'application/json' } }),
  ]),
  get('/api/echo?mw=bodyThenNext', { body: 'a body of GET', headers: { 'content-length': '13' } }),
  ...each(['PUT', 'PATCH', 'DELETE'], '/api/echo?mw=bodyThenNext', { body: 'a body' }),
  raw(
    'a chunked body reaches middleware and route',
    'POST /api/echo?mw=bodyThenNext HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
  ),
  raw(
    'a second request on the connection is not eaten',
    'POST /api/echo?mw=next HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /file.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    { pipelined: ['POST', 'GET'] },
  ),
  sequence('cookies of middleware and of the page', [
    get('/ssr?mw=cookies', {}),
    get('/api/seen?mw=cookies', {}),
    get('/api/cookie?mw=cookies', {}),
  ]),
]

export default [
  ...passing,
  ...rewrites,
  ...redirects,
  ...answers,
  ...encoded,
  ...failures,
  ...reflected,
  ...external,
  ...seen,
  ...data,
  ...payloads,
  ...bodies,
  ...pictures,
]
