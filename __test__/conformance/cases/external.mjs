// Requests that a rewrite sends to another server: what it is told, and what of its answer comes back.
import { each, get, head, post, raw, rsc, sequence } from '../case.mjs'

/** @param {string} path @param {import('../case.mjs').Options} [options] */
const any = (path, options) => get(`/base/any/${path}`, options)

const LARGE = 'a body that is larger than one chunk. '.repeat(20_000)

/** @param {string} request with `\n` for line ends; the body after a blank line */
const lines = request => request.replaceAll('\n', '\r\n')

/** @type {import('../case.mjs').Case[]} */
const where = [
  // Before files: over pages and files.
  get('/base/covered'),
  get('/base/covered.txt'),
  get('/base/before/one/two'),
  get('/base/before'),
  get('/base/chain/x'),
  get('/base/chained/x?own=2'),
  get('/base/by-header', { headers: { 'x-kind': 'a b' } }),
  get('/base/by-header', { headers: { 'x-kind': '../up' } }),
  get('/base/by-header', { headers: { 'x-kind': '?x=1#y' } }),
  get('/base/by-header'),
  get('/base/by-cookie', { headers: { Cookie: 'to=there; other=1' } }),
  get('/base/by-cookie', { headers: { Cookie: 'other=1' } }),
  get('/base/by-query?q=value&more=1'),
  get('/base/by-query?q='),
  get('/base/by-query?q=%2Fetc%2Fpasswd'),
  get('/base/by-host', { headers: { Host: 'shop.example' } }),
  get('/base/by-host', { headers: { Host: 'shop.elsewhere' } }),
  get('/base/unless'),
  get('/base/unless', { headers: { 'x-stay': '1' } }),
  // After files, below pages.
  get('/base/page-and-rule'),
  get('/base/plain.txt'),
  get('/base/blog/known'),
  get('/outside/one'),
  get('/outside'),
  get('/outside/one?x=1'),
  get('/base/outside/one'),
  get('/base/query/1/2'),
  get('/base/query/1/2?fixed=2&a=3&own=4'),
  get('/base/query/a%26b/2'),
  get('/base/query/a%20b/c%2Fd'),
  get('/base/unused/1/2'),
  get('/base/unused/1/2?x=y'),
  get('/base/fragment/part'),
  get('/base/root'),
  get('/base/root?x=1'),
  get('/base/slash'),
  get('/base/auth'),
  get('/base/encoded/more'),
  get('/base/encoded/%C3%BC/%20?y=%C3%BC'),
  // Fallback, when nothing else is there.
  get('/base/nowhere'),
  get('/base/nowhere/else?x=1&x=2'),
  get('/base/_next/static/missing.js'),
  get('/elsewhere'),
  get('/base/nowhere/'),
  // Queries in the form in which they arrive.
  any('echo?a=1&b=2&a=3'),
  any('echo?a'),
  any('echo?a=&=b&&c'),
  any('echo?a=%20+%2B%26'),
  any('echo?quotes=\'"&angle=%3C%3E'),
  any('echo?ü=%C3%BC'),
  any('echo?%zz=1'),
  any('echo?a[b]=1&c[]=2'),
  any('echo?'),
  // Paths in the form in which they arrive.
  any('a%2Fb/c'),
  any('a%20b'),
  any('a/./b/../c'),
  any('a%5Cb'),
  any('a;b=c/d@e:f'),
  any('%7Etilde/~tilde'),
  any('a^b|c'),
  any("it's(good)*!"),
  any('caf%C3%A9'),
  any('%E0%A4%A'),
  any('a//b'),
  any('a%00b'),
]

/** @type {import('../case.mjs').Case[]} */
const requestHeaders = [
  any('echo', { headers: { Accept: 'a', 'X-One': '1', 'User-Agent': 'raw', Referer: 'r' } }),
  any('echo', {
    headers: [
      ['X-Two', 'a'],
      ['x-two', 'b'],
      ['Cookie', 'a=1'],
      ['cookie', 'b=2'],
      ['User-Agent', 'a'],
      ['User-Agent', 'b'],
    ],
  }),
  any('echo', { headers: { Host: 'own.example:8080' } }),
  any('echo', { headers: { 'X-Forwarded-Host': 'fake.example' } }),
  any('echo', {
    headers: {
      'X-Forwarded-For': '1.2.3.4',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Port': '99',
      Forwarded: 'for=1.2.3.4',
    },
  }),
  any('echo', { headers: { Authorization: 'Basic dTpw', 'Proxy-Authorization': 'Basic eDp5' } }),
  any('echo', { headers: { 'X-Latin': '\xfc\xff', 'X-Empty': '' } }),
  any('echo', { headers: { Range: 'bytes=0-3', 'If-None-Match': '"x"' } }),
  any('echo', { headers: { Connection: 'close' } }),
  any('echo', { headers: { Connection: 'keep-alive' } }),
  any('echo', { headers: { Connection: 'close, X-Hop', 'X-Hop': 'named by Connection' } }),
  any('echo', {
    headers: { 'Keep-Alive': 'timeout=5', 'Proxy-Connection': 'keep-alive', TE: 'trailers', Trailer: 'x-checksum' },
  }),
  any('echo', { headers: { 'Accept-Encoding': 'gzip, br' } }),
  any('echo', { headers: { Expect: '100-continue' } }),
  any('echo', {
    headers: { 'x-middleware-rewrite': '/x', 'x-nextjs-data': '1', 'next-resume': '1', 'x-matched-path': '/y' },
  }),
  any('echo', {
    headers: { 'x-middleware-subrequest': 'middleware', 'x-now-route-matches': '1=x', 'Next-Url': '/from' },
  }),
  any('echo', { headers: { Origin: 'null', 'Sec-Fetch-Dest': 'script' } }),
  rsc('/base/any/echo'),
  rsc('/base/any/echo?x=1'),
  get('/base/any/echo', { headers: { rsc: '1' } }),
  raw('HTTP/1.0 without a host', 'GET /base/any/echo HTTP/1.0\r\n\r\n'),
  raw('HTTP/1.0 with chunks from the target', 'GET /base/any/large HTTP/1.0\r\nHost: h\r\n\r\n'),
]

/** @type {import('../case.mjs').Case[]} */
const bodies = [
  ...each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE'], '/base/any/echo'),
  ...each(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'], '/base/any/echo', { body: 'small body' }),
  post('/base/any/echo', ''),
  post('/base/any/echo', LARGE),
  post('/base/any/echo', LARGE, { headers: { Expect: '100-continue' } }),
  post('/base/any/echo', '{"a":1}', { headers: { 'Content-Type': 'application/json' } }),
  post('/base/any/echo', Buffer.from([0, 1, 2, 255, 254])),
  post('/base/any/echo', '', { headers: { 'Content-Length': '0' } }),
  ...['GET', 'POST', 'DELETE', 'OPTIONS', 'PUT', 'HEAD'].map(method =>
    raw(
      `${method} in chunks`,
      lines(`${method} /base/any/echo HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n5\nhello\n6\n world\n0\n\n`),
    ),
  ),
  raw('no chunk but the last', lines('POST /base/any/echo HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n0\n\n')),
  raw(
    'chunks with a trailer',
    lines(
      'POST /base/any/echo HTTP/1.1\nHost: h\nTrailer: x-sum\nTransfer-Encoding: chunked\n\n2\nhi\n0\nx-sum: 1\n\n',
    ),
  ),
  raw('two codings', lines('POST /base/any/echo HTTP/1.1\nHost: h\nTransfer-Encoding: gzip, chunked\n\n2\nhi\n0\n\n')),
  raw(
    'Content-Length and Transfer-Encoding',
    lines(
      'POST /base/any/echo HTTP/1.1\nHost: h\nContent-Length: 6\nTransfer-Encoding: chunked\n\n0\n\nGET /base/any/smuggled HTTP/1.1\nHost: h\n\n',
    ),
  ),
  ...['DELETE', 'OPTIONS'].map(method =>
    raw(
      `${method} in chunks that hold a request`,
      lines(
        `${method} /base/any/echo HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n2f\nGET /base/any/smuggled HTTP/1.1\nHost: internal\n\n\n0\n\n`,
      ),
    ),
  ),
  raw(
    'two requests in one go',
    lines('POST /base/any/echo HTTP/1.1\nHost: h\nContent-Length: 2\n\nhiGET /base/any/two HTTP/1.1\nHost: h\n\n'),
    {
      pipelined: ['POST', 'GET'],
    },
  ),
]

/** @type {import('../case.mjs').Case[]} */
const answers = [
  ...[200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 405, 410, 429, 500, 502, 503, 511].map(status =>
    any(`status/${status}`),
  ),
  ...[200, 204, 304, 404].map(status => head(`/base/any/status/${status}`)),
  post('/base/any/status/204', 'body'),
  any('reason'),
  any('teapot'),
  any('odd-status'),
  any('interim'),
  any('trailers'),
  any('cookies'),
  any('repeated'),
  any('old'),
  any('closing'),
  any('closing', { headers: { Connection: 'close' } }),
  any('slow'),
  any('empty'),
  any('headers'),
  head('/base/any/headers'),
  any('headers', { headers: { 'If-None-Match': '"target"' } }),
  any('upgrade-required'),
  any('redirect'),
  any('redirect?status=301&to=http://127.0.0.1/elsewhere'),
  any('redirect?status=307&to=//other/x'),
  any('redirect?status=308&to=https://example.com/a%20b'),
  any('encoded'),
  any('encoded', { headers: { 'Accept-Encoding': 'gzip, br' } }),
  .../** @type {Record<string, string>[]} */ ([
    {},
    { 'Accept-Encoding': 'gzip' },
    { 'Accept-Encoding': 'deflate' },
    { 'Accept-Encoding': 'br' },
    { 'Accept-Encoding': 'gzip;q=0' },
  ]).flatMap(headers => [
    any('large', { headers }),
    any('large?length=1', { headers }),
    head('/base/any/large?length=1', { headers }),
    any('large?type=image/png', { headers }),
  ]),
  any('large?cache=no-transform', { headers: { 'Accept-Encoding': 'gzip' } }),
  any('large?vary=Accept', { headers: { 'Accept-Encoding': 'gzip' } }),
  any('large?vary=*', { headers: { 'Accept-Encoding': 'gzip' } }),
  any('large?etag=1', { headers: { 'Accept-Encoding': 'gzip' } }),
  any('status/200', { headers: { 'Accept-Encoding': 'gzip' } }),
  sequence('several in a row', [any('echo'), any('echo?2'), post('/base/any/echo', 'three'), any('status/204')]),
]

/** @type {import('../case.mjs').Case[]} */
const faults = [
  get('/base/refused/x', { log: /Failed to proxy http:\/\/127\.0\.0\.1:9\/x/ }),
  post('/base/refused/x', 'body', { log: /Failed to proxy http:\/\/127\.0\.0\.1:9\/x/ }),
  head('/base/refused/x', { log: /Failed to proxy/ }),
  get('/base/refused/x?a=1', { headers: { 'Accept-Encoding': 'gzip' }, log: /Failed to proxy/ }),
  get('/base/unknown-host', { log: /Failed to proxy http:\/\/nowhere\.invalid\/x/ }),
  any('reset', { log: /Failed to proxy/ }),
  post('/base/any/reset', 'body', { log: /Failed to proxy/ }),
  any('not-http', { log: /Failed to proxy/ }),
  any('two-framings', { log: /Failed to proxy/ }),
  any('two-lengths', { log: /Failed to proxy/ }),
  any('switching', { log: /Failed to proxy/ }),
  any('hang', { log: /Failed to proxy/ }),
  post('/base/any/hang', 'body', { log: /Failed to proxy/ }),
  any('reset-later'),
  any('reset-length'),
  any('hang-later'),
  sequence('after a fault', [any('reset'), any('echo'), any('reset-later'), any('echo?again')]),
]

/** Parameters that try to become another host. */
const HOSTS = [
  '127.0.0.1',
  'localhost',
  'evil.example%2F',
  'evil.example%23',
  'evil.example%3F',
  'evil.example%40',
  'user%40127.0.0.1',
  '127.0.0.1%3A9%2F',
  '127.0.0.1%5C',
  '%5B%3A%3A1%5D',
  'evil.example%252F',
  '%09127.0.0.1',
  'a%20b',
  '127.0.0.1%2F..%2F',
]

/** @type {import('../case.mjs').Case[]} */
const hosts = HOSTS.flatMap(host => [
  get(`/base/host/${host}`),
  get(`/base/tenant/${host}`),
  get(`/base/redirect-tenant/${host}`),
])

/** The headers of a browser that opens a web socket. */
const WEB_SOCKET = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/**
 * Upgrades are only seen after a first request.
 * @param {string} path
 * @param {import('../case.mjs').Options} [options]
 */
const upgrade = (path, { headers, log, ...options } = {}) =>
  sequence(
    `upgrade ${options.method ?? 'GET'} ${path} ${Object.keys(headers ?? {})}`,
    [any('echo'), get(path, { timeout: 700, headers: { ...WEB_SOCKET, ...headers }, ...options })],
    { log },
  )

/** @type {import('../case.mjs').Case[]} */
const upgrades = [
  upgrade('/base/any/socket'),
  upgrade('/base/any/socket?x=1'),
  upgrade('/base/any/socket', { headers: { 'Sec-WebSocket-Protocol': 'chat', Origin: 'http://o', Cookie: 'a=1' } }),
  upgrade('/base/covered'),
  upgrade('/outside/socket'),
  upgrade('/base/any/refuses-upgrade'),
  upgrade('/base/any/chunked-refusal'),
  upgrade('/base/any/headers'),
  upgrade('/base/any/headers?q=1', {
    headers: { 'X-Forwarded-Host': 'fake', 'Keep-Alive': 'timeout=1', Connection: 'keep-alive, Upgrade' },
  }),
  upgrade('/base/any/reset', { log: /Failed to proxy/ }),
  upgrade('/base/refused/x', { log: /Failed to proxy/ }),
  upgrade('/base/any/socket', { method: 'POST' }),
  upgrade('/base/any/socket', { headers: { Upgrade: 'h2c' } }),
  upgrade('/base/page-and-rule'),
  upgrade('/base/plain.txt'),
  upgrade('/base/redirect-out'),
  upgrade('/elsewhere'),
  upgrade('http://169.254.169.254/latest/meta-data'),
  upgrade('http://127.0.0.1:9/'),
  upgrade('//127.0.0.1:9/'),
]

export default [
  ...where,
  ...upgrades,
  ...requestHeaders,
  ...bodies,
  ...answers,
  ...faults,
  ...hosts,
  get('/base/prefix-host/1'),
  get('/base/prefix-host/1%3A9%2F'),
  get('/base/redirect-out'),
  raw('an absolute target', 'GET http://169.254.169.254/base/any/echo HTTP/1.1\r\nHost: h\r\n\r\n'),
  raw('an absolute target elsewhere', 'GET http://169.254.169.254/latest/meta-data HTTP/1.1\r\nHost: h\r\n\r\n'),
]
