// App Router: route handlers, metadata files, draft mode, revalidation.
import { each, get, head, post, raw, rsc, sequence } from '../case.mjs'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']
const GZIP = { 'accept-encoding': 'gzip' }
const LONG = 'a long body '.repeat(20_000)

const bodies = [
  ...each(METHODS, '/api/echo?x=1'),
  post('/api/echo', '{"a":1}', { headers: { 'content-type': 'application/json' } }),
  post('/api/echo', LONG),
  post('/api/echo', LONG, { headers: { 'content-type': 'text/plain', ...GZIP } }),
  post('/api/echo', ''),
  raw('POST without a body or a length', 'POST /api/echo HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  raw(
    'chunked POST',
    'POST /api/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
  ),
  raw('GET with a body', 'GET /api/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello'),
  raw('DELETE with a body', 'DELETE /api/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello'),
  raw(
    'Expect: 100-continue',
    'POST /api/echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
  ),
  raw(
    'another expectation',
    'POST /api/echo HTTP/1.1\r\nHost: localhost\r\nExpect: magic\r\nContent-Length: 0\r\n\r\n',
  ),
  raw('HTTP/1.0', 'GET /api/echo HTTP/1.0\r\nHost: localhost\r\n\r\n'),
  raw('HTTP/1.0 stream', 'GET /api/stream HTTP/1.0\r\nHost: localhost\r\n\r\n'),
  raw('HTTP/1.0 keep-alive', 'GET /isr HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n'),
  raw('Connection: close', 'GET /api/echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
  raw(
    'pipelined: a page, a handler, a missing page',
    `${['/isr', '/api/echo', '/nowhere'].map(path => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join('')}`,
    { pipelined: ['GET', 'GET', 'GET'] },
  ),
  raw(
    'pipelined: a body that nobody reads, then a page',
    `POST /isr HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello worldGET /isr HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    { pipelined: ['POST', 'GET'] },
  ),
  raw(
    'pipelined: HEAD and OPTIONS',
    `HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\nOPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    { pipelined: ['HEAD', 'OPTIONS'] },
  ),
]

const answers = [
  ...[
    'static',
    'isr',
    'stream',
    'headers',
    'length',
    'encoded',
    'no-transform',
    'binary',
    'untyped',
    'empty',
    'options',
  ].flatMap(name => [get(`/api/${name}`), get(`/api/${name}`, { headers: GZIP }), head(`/api/${name}`)]),
  get('/api/stream?size=400', { headers: GZIP }),
  get('/api/length', { headers: { 'if-none-match': '"own"' } }),
  get('/api/length', { headers: { range: 'bytes=0-10' } }),
  get('/api/binary', { headers: { range: 'bytes=0-10' } }),
  post('/api/empty'),
  ...each(['POST', 'OPTIONS', 'PUT'], '/api/static'),
  ...each(['POST', 'OPTIONS'], '/api/isr'),
  ...each(['POST', 'OPTIONS', 'DELETE'], '/api/options'),
  ...each(['GET', 'HEAD'], '/api/throws', { log: /handler broke/ }),
  post('/api/throws', '', { note: 'returns no response' }),
  get('/api/broken-stream'),
  ...each(['GET', 'HEAD', 'POST', 'OPTIONS'], '/api/redirect'),
  get('/api/redirect?permanent=1'),
  ...each(['GET', 'HEAD'], '/api/not-found'),
  get('/api/items/7?x=1'),
  get('/api/items/a%20b'),
  get('/api/items/a%2Fb'),
  get('/api/items/%zz'),
  get('/api/items'),
  get('/api/items/7/'),
  get('/api/files/a/b%20c/d'),
  get('/api/files'),
  get('/api'),
  get('/api/url?x=1&x=2'),
  get('/api/url', { headers: { Host: 'example.com:81' } }),
  get('/api/url', { headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' } }),
  get('/api/url', { headers: { 'x-forwarded-proto': 'https,http' } }),
  post('/api/after', '', { log: /after the response/ }),
  get('/api/edge?x=1'),
  post('/api/edge', 'to the edge'),
  ...each(['OPTIONS', 'HEAD', 'DELETE'], '/api/edge'),
  rsc('/api/echo'),
  rsc('/api/static'),
]

const metadata = [
  ...['/favicon.ico', '/robots.txt', '/sitemap.xml', '/manifest.webmanifest', '/card/opengraph-image.png'].flatMap(
    path => [get(path), head(path), get(path, { headers: { 'accept-encoding': 'gzip' } })],
  ),
  get('/favicon.ico?x=1'),
  get('/card/opengraph-image'),
  ...each(['POST', 'OPTIONS'], '/robots.txt'),
]

const draft = [
  get('/draft/enable'),
  get('/draft/disable'),
  sequence('draft mode on', [
    get('/draft/enable'),
    get('/draft', { cookies: { __prerender_bypass: '*' } }),
    rsc('/draft', {}, { cookies: { __prerender_bypass: '*' } }),
    get('/isr', { cookies: { __prerender_bypass: '*' } }),
    get('/closed/unknown', { cookies: { __prerender_bypass: '*' } }),
    get('/draft/disable', { cookies: { __prerender_bypass: '*' } }),
    get('/draft'),
  ]),
  ...['/draft', '/isr', '/dynamic', '/nowhere', '/api/echo', '/api/static'].map(path =>
    get(path, { headers: { cookie: '__prerender_bypass=wrong' } }),
  ),
  get('/isr', { headers: { cookie: '__next_preview_data=rubbish' } }),
  get('/isr', { headers: { cookie: '__prerender_bypass=wrong; __next_preview_data=rubbish' } }),
]

const revalidation = [
  get('/isr', { headers: { 'x-prerender-revalidate': 'wrong' } }),
  get('/isr', { headers: { 'x-prerender-revalidate-if-generated': '1' } }),
  sequence('on-demand revalidation with the secret', [
    get('/isr', { headers: { 'x-prerender-revalidate': '{previewId}' } }),
    get('/isr'),
    rsc('/isr'),
    head('/isr', { headers: { 'x-prerender-revalidate': '{previewId}' } }),
    get('/blog/never', {
      headers: { 'x-prerender-revalidate': '{previewId}', 'x-prerender-revalidate-if-generated': '1' },
    }),
    get('/api/isr', { headers: { 'x-prerender-revalidate': '{previewId}' } }),
    get('/api/isr'),
  ]),
  sequence('revalidatePath renders again', [
    get('/counted'),
    post('/api/revalidate?path=/counted'),
    get('/counted'),
    get('/counted'),
    rsc('/counted'),
    post('/api/revalidate?tag=counted'),
    get('/counted'),
    get('/counted'),
    post('/api/revalidate?path=/&type=layout'),
    get('/counted'),
    rsc('/counted'),
    get('/nested'),
    get('/nested'),
  ]),
  sequence('a revalidated dynamic path', [
    get('/blog/six'),
    post('/api/revalidate?path=/blog/six'),
    get('/blog/six'),
    post('/api/revalidate?path=/blog/[slug]&type=page'),
    get('/blog/six'),
    get('/blog/one'),
  ]),
]

export default [...bodies, ...answers, ...metadata, ...draft, ...revalidation]
