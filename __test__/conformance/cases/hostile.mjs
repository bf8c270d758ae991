// Targets and headers that no browser sends. They go to a fixture of each router and to the one full of files, because
// each has other ways to be led astray.
import { get, head, raw, sequence } from '../case.mjs'

const TARGETS = [
  ...[
    '//',
    '///',
    '//nowhere',
    '//example.com',
    '//example.com/x?y=1',
    '/nowhere//x',
    '/a//b?c=//d',
    '/?x=//y',
    '/x?\\y',
  ],
  ...['/\\', '/\\example.com', '\\', '/a\\b', '/a\\..\\b', '/%5c', '/%5C%5Cexample.com', '/a%5c..%5cb'],
  ...[
    '/.',
    '/..',
    '/../',
    '/./',
    '/../..',
    '/a/..',
    '/a/../..',
    '/%2e',
    '/%2e%2e',
    '/%2e%2e/',
    '/%2E%2E%2F',
    '/.%2e/x',
  ],
  ...['/..%2f', '/..%2fx', '/%2e%2e%2fetc%2fpasswd', '/../../../../etc/passwd', '/..;/x', '/a/%2e%2e/nowhere', '/...'],
  ...[
    '/%',
    '/%z',
    '/%zz',
    '/%f',
    '/%ff',
    '/%c3',
    '/%c3%28',
    '/%ed%a0%80',
    '/%00',
    '/x%00y',
    '/%u0041',
    '/%2',
    '/a%',
    '/%25',
    '/%2525',
  ],
  ...[
    '/%2f',
    '/%2F%2F',
    '/a%2fb',
    '/%252f',
    '/%252e%252e%252f',
    '/%0a',
    '/%0d%0a',
    '/x%0d%0aset-cookie:a=1',
    '/%09',
    '/%20',
    '/%7f',
  ],
  ...[
    '/?',
    '/?%',
    '/?%zz',
    '/?%ff',
    '/?a=%',
    '/??',
    '/?a=1?b=2',
    '/?&',
    '/?&&a',
    '/?=',
    '/?a=b=c',
    '/?a=1#b',
    '/?[]=1',
    '/?%00',
  ],
  ...[
    '/nowhere?%',
    '/nowhere?a=%zz',
    '/nowhere?#',
    '/nowhere#fragment',
    '/#',
    '/#/x',
    '/x#?y',
    '/;',
    '/;x=1',
    '/nowhere;x=1',
    '/&',
    '/=',
  ],
  ...[
    '/nowhere/',
    '/nowhere/?x=1',
    '/nowhere/x/',
    '/nowhere.html',
    '/nowhere.html/',
    '/.',
    '/.git/config',
    '/.env',
    '/~',
    '/*',
    '/!',
    '/$',
  ],
  ...[
    '/@x',
    '/:x',
    '/(x)',
    '/[x]',
    '/[slug]',
    '/[...all]',
    '/{x}',
    '/|',
    '/^',
    '/`',
    '/"',
    "/'",
    '/<script>',
    '/x,y',
    '/x+y',
  ],
  ...['/\xc3\xbc', '/\xfc', '/\xff\xfe', '/\xe4\xbd\xa0', '/nowhere?\xc3\xbc=\xff', '/\x80', '/\xa0', '/\xed\xa0\x80'],
  ...[
    'http://localhost/',
    'http://localhost/nowhere',
    'http://example.com/',
    'https://example.com/x?y=1',
    'http://',
    'http:/nowhere',
  ],
  ...[
    'HTTP://LOCALHOST/',
    'ftp://x/y',
    'http://user:pw@x/y',

    'javascript:alert(1)',
    'nowhere',
    'nowhere/x',
    '*',
    '?',
    '?x=1',
  ],
  ...[
    '/http://x/y',
    '/https:/x',
    '/nowhere:80',
    '/nowhere@x',
    '/__proto__',
    '/constructor',
    '/toString',
    '/hasOwnProperty',
    '/__proto__/x',
  ],
  ...[
    '/_next',
    '/_next/',
    '/_next/image',
    '/_next/image/',
    '/_next/webpack-hmr',
    '/_next/data/{buildId}',
    '/_next/../nowhere',
    '/_next//x',
  ],
  ...[
    '/_next/flight',
    '/_next/postponed/resume/x',
    '/__nextjs_original-stack-frame',
    '/_next/static/chunks/../../BUILD_ID',
    '/_vercel/x',
  ],
  ...[
    '/index',
    '/index/',
    '/index.html',
    '/index.json',
    '/index.rsc',
    '/page',
    '/route',
    '/_document',
    '/_app',
    '/_error',
    '/_middleware',
  ],
  ...[
    '/404',
    '/404/',
    '/404.html',
    '/500',
    '/500.html',
    '/405',
    '/400',
    '/_not-found',
    '/_not-found/',
    '/_global-error',
    '/_error/',
  ],
  ...[
    '/404?x=1',
    '/_not-found?x=1',
    '/_offline',
    '/middleware',
    '/proxy',
    '/instrumentation',
    '/.rsc',
    '/.segments/_tree.segment.rsc',
  ],
]

const LONG = [
  get(`/${'a'.repeat(200)}`),
  get(`/${'a'.repeat(300)}`, { note: 'longer than a file name' }),
  get(`/${'a'.repeat(5000)}`),
  get(`/${'a'.repeat(10_000)}`),
  get(`/${'a'.repeat(20_000)}`),
  get(`/${'a/'.repeat(2000)}b`),
  get(`/${'../'.repeat(2000)}b`),
  get(`/${'%2e%2e%2f'.repeat(500)}b`),
  get(`/${'%41'.repeat(3000)}`),
  get(`/?x=${'a'.repeat(10_000)}`),
  get(`/?${'a=1&'.repeat(2000)}`),
  get(`/nowhere?${'a&'.repeat(3000)}`),
  get('/nowhere', { headers: { 'x-long': 'a'.repeat(10_000) } }),
  get('/nowhere', { headers: { 'x-long': 'a'.repeat(20_000) } }),
  get('/nowhere', {
    headers: Array.from({ length: 100 }, (_, i) => /** @type {[string, string]} */ ([`x-${i}`, 'a'])),
    note: '100 headers',
  }),
]

const INTERNAL_HEADERS = {
  'x-middleware-rewrite': '/nowhere',
  'x-middleware-redirect': '/nowhere',
  'x-middleware-set-cookie': 'a=1',
  'x-middleware-skip': '1',
  'x-middleware-override-headers': 'x',
  'x-middleware-next': '1',
  'x-middleware-prefetch': '1',
  'x-middleware-subrequest': 'middleware:middleware:middleware:middleware:middleware',
  'x-middleware-invoke': '1',
  'x-now-route-matches': '1=a',
  'x-matched-path': '/nowhere',
  'x-nextjs-data': '1',
  'x-next-resume-state-length': '5',
  'next-resume': '1',
  'next-url': '/nowhere',
  'x-prerender-revalidate': 'wrong',
  'x-prerender-revalidate-if-generated': '1',
  'x-invoke-path': '/nowhere',
  'x-invoke-status': '404',
  'x-invoke-error': '{}',
  'x-invoke-output': '/nowhere',
  'x-nextjs-rewritten-path': '/nowhere',
  'x-nextjs-postponed': '1',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-forwarded-port': '99999',
  'x-forwarded-for': '1.2.3.4, 5.6.7.8',
  'x-original-url': '/nowhere',
  'x-rewrite-url': '/nowhere',
  'x-http-method-override': 'DELETE',
  'content-security-policy': "script-src 'nonce-<x>'",
  te: 'trailers',
  upgrade: 'h2c',
  'accept-language': 'fr',
  'save-data': 'on',
  purpose: 'prefetch',
}

/** @param {string} path */
const withInternalHeaders = path =>
  Object.entries(INTERNAL_HEADERS).map(([name, value]) => get(path, { headers: { [name]: value } }))

const METHODS = ['OPTIONS', 'TRACE', 'PROPFIND', 'LINK', 'PURGE', 'M-SEARCH', 'QUERY', 'get', 'Get', 'FOO', 'CONNECT']

const bytes = [
  raw('OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  raw('GET *', 'GET * HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  raw('no Host', 'GET / HTTP/1.1\r\n\r\n'),
  raw('empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'),
  raw('two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'),
  raw('a strange Host', 'GET /nowhere HTTP/1.1\r\nHost: a b"<c>\r\n\r\n'),
  raw('HTTP/1.0 without a Host', 'GET / HTTP/1.0\r\n\r\n'),
  raw('HTTP/0.9', 'GET /\r\n\r\n'),
  raw('HTTP/2.0', 'GET / HTTP/2.0\r\nHost: localhost\r\n\r\n'),
  raw('a bad version', 'GET / HTP/1.1\r\nHost: localhost\r\n\r\n'),
  raw('a space in the target', 'GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  raw('a tab in the target', 'GET /a\tb HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  raw('a null byte in the target', 'GET /a\0b HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  raw('a bare newline', 'GET / HTTP/1.1\nHost: localhost\n\n'),
  raw('two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
  raw(
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ),
  raw('an unknown transfer encoding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: magic\r\n\r\n'),
  raw('a broken chunk', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
  raw('a negative length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'),
  raw('a folded header', 'GET /nowhere HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n 2\r\n\r\n'),
  raw('a header without a colon', 'GET / HTTP/1.1\r\nHost: a\r\nrubbish\r\n\r\n'),
  raw('repeated headers', 'GET /nowhere HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: b=2\r\nRSC: 1\r\nRSC: 1\r\n\r\n'),
]

export const hostile = [
  ...new Map(TARGETS.map(target => [target, get(target)])).values(),
  ...['//example.com', '/%zz', '/%2e%2e%2f', '/nowhere', 'http://example.com/'].map(target => head(target)),
  ...['//x', '/%zz', '/\\x'].map(target => get(target, { headers: { rsc: '1' } })),
  ...['//x', '/%zz', '*'].map(target => get(target, { method: 'POST', body: 'x=1' })),
  // The documented server's own url.parse throws here, outside of next: no answer, and the process goes on.
  sequence('a target that url.parse refuses', [get('http://[::1/', { timeout: 1000 }), get('/nowhere')]),
  ...LONG,
  ...withInternalHeaders('/'),
  ...withInternalHeaders('/nowhere'),
  ...METHODS.map(method => get('/nowhere', { method })),
  ...METHODS.map(method => get('/', { method })),
  ...bytes,
]

/** @param {string} path of a prerendered page */
export const internalHeaders = path => [
  ...withInternalHeaders(path),
  get(path, { headers: Object.entries(INTERNAL_HEADERS), note: 'all at once' }),
]

/** @param {string} path a large answer @param {string} after what must still work */
export const aborts = (path, after) => [
  sequence(`${path} abandoned, then ${after}`, [get(path, { abort: true }), get(after), get(after)]),
]

/**
 * Parameters that only a platform in front of the server may give never become the page's own.
 *
 * @param {string[]} paths
 */
export const injected = paths =>
  paths.flatMap(path => [
    get(`${path}?nxtPid=evil&nxtPall=evil&nxtPopt=evil&nxtProot=evil&nxtPslug=evil&nxtPrest=evil`, {
      note: 'no route parameters from the query',
    }),
    get(`${path}?nxtIid=evil&nxtIroot=evil&__nextLocale=fr&__nextDefaultLocale=fr&__nextInferredLocaleFromDefault=1`, {
      note: 'no route parameters from the query',
    }),
    get(`${path}?__nextDataReq=1`, { note: 'no data request by query' }),
    get(path, {
      headers: { 'x-now-route-matches': '1=evil&nxtPid=evil&nxtProot=evil', 'x-matched-path': '/shop/[id]' },
    }),
    get(path, { headers: { 'next-resume': '1', 'x-next-resume-state-length': '2' } }),
  ])

/** Servers that a target in absolute form can name: in either case, with a user, with and without a port, and what is no server. */
const ORIGINS = [
  'http://localhost',
  'HTTP://LOCALHOST',
  'Http://Example.COM',
  'https://example.com:8443',
  'HTTP://example.com:80',
  'http://user:pw@example.com',
  'HTTP://USER:PW@LOCALHOST:3000',
  'HTTP://[::1]:3000',
  'HTTP://EXAMPLE.FR',
  'FTP://X',
  'HTTP:/localhost',
  'HTTP:localhost',
]

/**
 * Targets in absolute form, of which redirects make a `Location`.
 *
 * @param {string[]} paths
 * @param {import('../case.mjs').Options} [options]
 */
export const absolute = (paths, options) => ORIGINS.flatMap(origin => paths.map(path => get(origin + path, options)))
