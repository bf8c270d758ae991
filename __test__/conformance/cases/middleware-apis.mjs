// What middleware can do with its request, with `next/headers` and with `after()`, in both runtimes. The first request goes through upstream's
// adapter and later ones do not (runtime/entry/fast/middleware), so each is asked twice.
import { get, head, post, rsc, sequence, showing } from '../case.mjs'

const OWN = { 'x-own': 'mine', cookie: 'a=1; b=%20x; a=2' }

/** @param {string} what @param {string} [path] */
const doing = (what, path = '/') => `${path}?do=${what}`

/** @param {import('../case.mjs').Case} test */
const twice = test => sequence(`${test.name}, twice`, [test, test], { log: test.log })

const EFFECTS = [
  'headers',
  'cookies',
  'set-cookies',
  'set-cookies-and-go-on',
  'draft',
  'enable-draft',
  'disable-draft',
  'connection',
  'copies',
  'kind',
  'change',
  'change-and-go-on',
  'agent',
  'slow',
  'redirect-with-body',
  'override',
  'rewrite-and-override',
  'framing',
  'other-location&to=/target',
  'other-location&to=/target%3Fa',
  'other-location&to=/t%C3%BC/../x',
  'other-location&to=//other.example/x',
  'other-location&to=https://other.example:444/x%3Fa=b',
  'other-location&to=HTTP://OTHER.example:80/a//b',
  'other-location&to=/_next/data/x/target.json',
  'other-rewrite&to=/target',
  'other-rewrite&to=/target/',
  'other-rewrite&to=/target%3Fa%26b=%2520',
  'other-rewrite&to=/none',
]

const FAULTS = ['error-response', 'used-body', 'relative-location', 'relative-rewrite']

/** @type {Record<string, string>[]} */
const FLIGHT = [
  {},
  { 'next-router-prefetch': '1' },
  { 'next-router-prefetch': '1', 'next-router-segment-prefetch': '/_tree' },
  { 'next-url': '/' },
]

/** Headers that change what upstream does, or what the handler sees. @type {Record<string, string>[]} */
const SENT = [
  { 'x-nextjs-data': '1' },
  { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  { 'x-prerender-revalidate': 'wrong' },
  { 'x-nextjs-request-id': 'id' },
  { rsc: '2' },
  { Host: 'Other.Example:80' },
  { Host: '127.0.0.1:99' },
  { Host: '[::1]:99' },
  { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'other.example' },
  { 'accept-language': 'de', 'x-repeated': 'a, b' },
]

/** @type {import('../case.mjs').Case[]} */
export default [
  get('/'),
  ...EFFECTS.map(what => twice(get(doing(what), { headers: OWN }))),
  ...EFFECTS.map(what => head(doing(what), { headers: OWN })),
  ...['kind', 'cookies', 'draft', 'disable-draft'].map(what =>
    get(doing(what), { headers: { cookie: '__prerender_bypass={previewId}' } }),
  ),
  ...['after', 'slow'].map(what => get(doing(what), { headers: { 'x-own': `own-${what}` } })),
  get(doing('after'), { headers: { 'x-own': 'mine' }, log: /AFTER mine/ }),
  get(doing('after'), { headers: { 'x-own': 'mine' }, log: /AFTER nested/ }),
  get(doing('after'), { headers: { 'x-own': 'mine' }, log: /AFTER .*Error/ }),
  get(doing('event'), { log: /WAITED/ }),
  get(doing('event')),
  ...FAULTS.flatMap(what => [get(doing(what)), get(doing(what))]),
  ...showing(['relativeMiddlewareRedirects'], [get(doing('answer-with-location')), get(doing('answer-with-location'))]),
  ...['kind', 'headers', 'cookies'].map(what => post(doing(what), 'a body', { headers: OWN })),
  ...['', '&a', '&a=', '&=1', '&a=x%20y+z', '&a=%C3%BC', '&a=1&&b=2', '&nxtPa=1', '&nxtIa=1&b', '&a=~*!', '&a[]=1'].map(
    query => get(`/?do=kind${query}`),
  ),
  ...['/a/b.c', '/a%20b', '/a//b', '/%5Bx%5D', '/x/', '/index', '/a.rsc', '/_next/data/{buildId}/index.json', '/ü'].map(
    path => get(doing('kind', path)),
  ),
  ...SENT.flatMap(headers =>
    ['kind', 'headers', 'override', 'other-location&to=/target', 'other-rewrite&to=/target'].map(what =>
      get(doing(what), { headers }),
    ),
  ),
  ...FLIGHT.flatMap(headers =>
    [
      'none',
      'kind',
      'headers',
      'override',
      'other-rewrite&to=/target',
      'other-rewrite&to=/target%3Fx=1',
      'rewrite-and-override',
      'other-location&to=/target',
    ].map(what => rsc(doing(what), headers)),
  ),
]
