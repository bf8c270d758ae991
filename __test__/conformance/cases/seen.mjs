// What the user's code sees of a request, and what becomes of what it says: API routes, route handlers and pages, each asked
// again and again, because an entry that has been asked before is called in another way (runtime/entry/fast/paths.js).
import { each, get, head, post, raw, sequence } from '../case.mjs'

const JSON_TYPE = { 'content-type': 'application/json' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const GZIP = { 'accept-encoding': 'gzip' }

/** Queries that mean the same in several ways, and such as upstream keeps for itself. */
const QUERIES = [
  '',
  '?',
  '?a=1',
  '?a=1&b=2',
  '?a=1&a=2&b=3',
  '?b=1&a=2&1=3',
  '?a',
  '?a=',
  '?=1',
  '?a=x%20y+z',
  '?a=%C3%BC&%C3%BC=1',
  '?a=%zz',
  '?a=1&&b=2',
  '?a=~*!',
  '?nxtPa=1&a=2',
  '?nxtIa=1',
  '?nextInternalLocale=fr',
  '?a[]=1&a[b]=2',
  '?id=9',
  '?path=a&rest=b',
]

/** @param {string} path */
const asked = path => QUERIES.map(query => get(`${path}${query}`))

/** The same twice: the first request to an entry is upstream's own affair. @param {import('../case.mjs').Case} test */
const twice = test => sequence(`${test.name}, twice`, [test, test], { log: test.log })

/** @param {string} path */
const withHeaders = path => [
  get(path, { headers: { 'x-own': 'mine', cookie: 'a=1; b=%20x; a=2' } }),
  get(path, { headers: { cookie: '__prerender_bypass=wrong' } }),
  get(path, { headers: { cookie: '__prerender_bypass={previewId}' } }),
  get(path, { headers: { cookie: '__next_preview_data=wrong' } }),
  get(path, { headers: { 'x-prerender-revalidate': 'wrong' } }),
  get(path, { headers: { 'x-prerender-revalidate': '{previewId}' } }),
  get(path, { headers: { 'x-nextjs-data': '1' } }),
  get(path, { headers: { 'x-forwarded-host': 'other.example', 'x-forwarded-proto': 'https' } }),
  get(path, { headers: { Host: 'other.example:99' } }),
]

const apiRoutes = [
  ...asked('/api/seen'),
  ...asked('/api/items/7'),
  ...asked('/api/files/a/b'),
  ...asked('/api/rest'),
  ...asked('/api/rest/x/y'),
  ...withHeaders('/api/seen'),
  ...withHeaders('/api/items/7'),
  ...['/api/items/a%20b', '/api/items/%5Bid%5D', '/api/items/[id]', '/api/items/a%2Fb', '/api/items/index'].map(path =>
    get(path),
  ),
  ...['/into/7', '/into/7?a=1', '/api/files/a?path=a', '/api//seen', '/api/seen/', '/api/./seen'].map(path =>
    get(path),
  ),
  ...each(['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'], '/api/seen?a=1'),
  post('/api/seen', '{"a":[1]}', { headers: JSON_TYPE }),
  post('/api/seen', '{broken', { headers: JSON_TYPE }),
  post('/api/seen', '', { headers: JSON_TYPE }),
  post('/api/seen', 'a=1&a=2&b=%20', { headers: FORM }),
  post('/api/seen', 'text', { headers: { 'content-type': 'no/such; charset=nonsense' } }),
  raw('GET with a body', 'GET /api/seen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello'),
  ...['status', 'none', 'redirect', 'wrong-redirect', 'cookies', 'revalidate', 'pieces', 'throws-text'].map(kind =>
    twice(get(`/api/kinds?kind=${kind}`)),
  ),
  twice(get('/api/kinds?kind=draft')),
  twice(get('/api/kinds?kind=draft&off=1')),
  get('/api/kinds?kind=large', { log: /API response for \/api\/kinds\?kind=large exceeds 1KB/ }),
  get('/api/kinds?kind=large', { headers: GZIP }),
  get('/api/kinds?kind=throws', {
    log: /told of an api route broke: GET \/api\/kinds\?kind=throws Pages Router \/api\/kinds route/,
  }),
  get('/api/kinds?kind=late', { timeout: 2000 }),
  post('/api/kinds', 'x'.repeat(900)),
  post('/api/kinds', 'x'.repeat(1100)),
  post('/api/stream', 'x'.repeat(70_000)),
  get('/api/stream?kind=1'),
  sequence('draft mode of an API route', [
    get('/api/kinds?kind=draft'),
    get('/api/seen', { cookies: { __prerender_bypass: '*' } }),
    get('/shown', { cookies: { __prerender_bypass: '*' } }),
    get('/route/state', { cookies: { __prerender_bypass: '*' } }),
  ]),
]

const routeHandlers = [
  ...asked('/route/seen'),
  ...asked('/route/by/7'),
  ...withHeaders('/route/seen'),
  ...withHeaders('/route/state'),
  ...['/route/by/a%20b', '/route/by/%5Bid%5D', '/route/by/a%2Fb', '/elsewhere/7?a=1'].map(path => get(path)),
  ...each(['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'], '/route/seen?a=1'),
  post('/route/seen', 'a body', { headers: { 'content-type': 'text/plain' } }),
  post('/route/seen', 'x'.repeat(100_000), { headers: GZIP }),
  raw('DELETE with a body', 'DELETE /route/seen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello'),
  ...['', '?change=set', '?change=delete', '?change=draft', '?change=end'].map(query =>
    twice(get(`/route/state${query}`, { headers: { cookie: 'chosen=before', 'x-own': 'mine' } })),
  ),
  sequence('draft mode of a route handler', [
    get('/route/state?change=draft'),
    get('/route/state', { cookies: { __prerender_bypass: '*' } }),
    get('/route/state'),
  ]),
  twice(get('/route/headers')),
  twice(get('/route/headers', { headers: GZIP })),
  twice(head('/route/headers')),
  ...[
    'text',
    'nothing',
    'next',
    'rewrite',
    'redirect',
    'permanent',
    'missing',
    'forbidden',
    'early',
    'broken',
    'second',
    'wrong',
  ].map(kind => twice(get(`/route/fails?kind=${kind}`))),
  post('/route/fails?kind=redirect'),
  head('/route/fails?kind=error'),
  get('/route/fails?kind=error', {
    log: /told of a route broke: GET \/route\/fails\?kind=error App Router \/route\/fails route/,
  }),
  get('/route/fails?kind=broken', { log: /told of failed to pipe response: GET/ }),
  post('/route/after', 'one', { headers: { cookie: 'who=me' }, log: /after one, with me/ }),
  post('/route/after', 'two', { headers: { cookie: 'who=you' }, log: /after two, with you/ }),
  twice(get('/route/stream')),
  get('/route/stream?pieces=0'),
  get('/route/stream?pieces=40'),
  get('/route/stream?pieces=40', { headers: GZIP }),
  ...[/the body is not wanted/, /the signal says ResponseAborted/].flatMap((log, at) => [
    sequence(`a client that goes away, ${at}`, [get('/route/gone', { abort: true }), get('/route/seen')], { log }),
  ]),
]

const PAGES = ['/shown', '/item/7', '/page/7', '/item/%C3%BC', '/page/a%20b']

const pages = [
  ...PAGES.slice(0, 3).flatMap(asked),
  ...PAGES.slice(0, 3).flatMap(withHeaders),
  ...PAGES.slice(3).map(path => twice(get(path))),
  ...['/shown', '/item/7', '/page/7'].flatMap(path => each(['HEAD', 'POST', 'OPTIONS'], path)),
  ...['?go=/x', '?missing=1', '?own=1', '?answer=1'].map(query => twice(get(`/shown${query}`))),
  ...['?go=/x', '?missing=1'].map(query => twice(get(`/page/7${query}`))),
  get('/shown?throw=1', { log: /told of a page broke: GET \/shown\?throw=1 Pages Router \/shown render/ }),
  get('/shown?throw=1'),
  get('/page/7?broken=1', {
    log: /told of an app page broke: GET \/page\/7\?broken=1 App Router \/page\/\[id\] render/,
  }),
  get('/shown', { headers: GZIP }),
  get('/shown', { headers: { 'if-none-match': '*' } }),
  get('/_next/data/{buildId}/shown.json?a=1'),
  get('/_next/data/{buildId}/item/7.json?id=9', { headers: { 'x-nextjs-data': '1' } }),
]

/** Which of these come one after the other matters: a document is rendered again where it differs from the one before. */
const DOCUMENTS = [
  '',
  '?a=1',
  '?title=A',
  '?title=A&a=2',
  '?title=%3C%2Ftitle%3E',
  '',
  '?meta=x',
  '?link=1',
  '?script=first',
  '?script=first&a=3',
  '?script=second',
  '?chosen=1',
  '?chosen=1&a=4',
  '?a=%3Cscript%3E%E2%80%A8%26',
  '?title=A&meta=x&chosen=1',
]

const nonce = (/** @type {string} */ value) => ({ 'content-security-policy': `script-src 'nonce-${value}'` })

const documents = [
  sequence(
    'documents of one page',
    DOCUMENTS.map(query => get(`/documented${query}`)),
  ),
  sequence('documents with a nonce', [
    ...['one', 'one', 'two'].map(value => get('/documented', { headers: nonce(value) })),
    get('/documented'),
    get('/documented', { headers: nonce('a"b') }),
  ]),
  sequence(
    'a document that never stays the same',
    Array.from({ length: 24 }, (_, at) => get(`/documented?title=${at % 22}`)),
  ),
  twice(get('/documented?large=1', { log: /data for page "\/documented".* exceeds the threshold of 128 kB/ })),
  get('/documented?large=1&a=5'),
]

export const seen = [...apiRoutes, ...routeHandlers, ...pages, ...documents]

/** A part of them, for the ways that all entries document. */
export const plainly = [...apiRoutes.slice(0, 12), ...routeHandlers.slice(0, 12), ...pages.slice(0, 12)]
