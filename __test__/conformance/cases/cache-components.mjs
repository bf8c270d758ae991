// Partial prerendering and `'use cache'`. Pages count what they do, so every comparison also says how often that was.
import { get, head, post, rsc, segment, sequence, showing } from '../case.mjs'

/** Longer than what lives for a short time is fresh: that must be long enough for two slow servers to answer all that is asked meanwhile. */
const STALE = 6200

const GZIP = { 'accept-encoding': 'gzip' }

/** A client whose HTML must be complete before its head closes. */
const LIMITED_BOT = { 'user-agent': 'Twitterbot/1.0' }

/** With partial prefetching, what is rendered for one request only has the request's own number among its keys. */
const REQUEST_KEYS = /"[\w-]{21}[mv]\\"/g

/** @param {string} target */
const later = target => get(target, { wait: STALE })

/** Waits until a name was asked so often. @param {string} name @param {number} count */
const askedFor = (name, count) => get(`/asked?of=${name}`, { until: new RegExp(`asked ${count} times`) })

/** How often a name was asked when there was time to ask. @param {string} name */
const asks = name => get(`/asked?of=${encodeURIComponent(name)}`, { wait: 400 })

/** @param {string} query */
const onDemand = query => get(`/on-demand?${query}`)

/** Calls the one server action of the app. @param {unknown[]} args */
const action = (...args) =>
  post('/forms', JSON.stringify(args), {
    headers: { 'next-action': '{action}', 'content-type': 'text/plain;charset=UTF-8', accept: 'text/x-component' },
  })

/**
 * Every way to ask for a page. What only wants the head comes last: the page may count after that is out.
 *
 * @param {string} target
 * @param {string} page the segment of the page
 */
const ways = (target, page) => [
  get(target),
  get(target, { headers: GZIP }),
  get(target, { headers: { 'if-none-match': '*' } }),
  get(target, { headers: LIMITED_BOT }),
  get(target, { headers: { purpose: 'prefetch' } }),
  get(`${target}?query=of&the=client`),
  rsc(target),
  rsc(target, { 'next-router-prefetch': '1' }),
  rsc(target, { 'next-router-prefetch': '2' }),
  segment(target, '/_tree'),
  segment(target, '/_full'),
  segment(target, page),
  segment(target, '/nothing'),
  get(target, { method: 'OPTIONS' }),
  get(target, { method: 'POST' }),
  head(target),
]

/** The quick ones of them, after the page was rendered: all within the time for which it is fresh. @param {string} target @param {string} page */
const waysWhileFresh = (target, page) => [
  get(target, { headers: { 'x-prerender-revalidate': '{previewId}' } }),
  get(target),
  get(target, { headers: GZIP }),
  rsc(target, { 'next-router-prefetch': '1' }),
  segment(target, '/_tree'),
  segment(target, page),
  segment(target, '/nothing'),
]

/** @type {import('../case.mjs').Case[]} */
const common = [
  ...showing(['prefetchPayloads', 'wholePayloads', 'missingSegmentsAre404'], ways('/static', '/static/__PAGE__')),
  ...ways('/forms', '/forms/__PAGE__'),
  ...showing(
    ['resumable'],
    [
      ...ways('/shell', '/shell/__PAGE__'),
      ...ways('/open/any', '/open/$d$slug/__PAGE__'),
      ...ways('/open/other', '/open/$d$slug/__PAGE__'),
    ],
  ),
  ...ways('/open/a%20b%2Fc', '/open/$d$slug/__PAGE__'),
  ...showing(['placeholdersAreOpen'], ways('/open/%5Bslug%5D', '/open/$d$slug/__PAGE__')),
  sequence('a path that is spelt like its route', waysWhileFresh('/shop/%5Bitem%5D', '/shop/$d$item/__PAGE__')),
  ...ways('/private', '/private/__PAGE__'),
  ...ways('/nowhere', '/_not-found/__PAGE__'),
  ...ways('/_not-found', '/_not-found/__PAGE__'),
  get('/shell', { headers: { 'x-visitor': 'somebody' } }),
  get('/shell', { headers: { 'x-visitor': 'somebody', ...GZIP } }),
  get('/shell', { headers: { cookie: '__prerender_bypass=wrong' } }),
  get('/shell', { headers: { 'x-prerender-revalidate': '{previewId}' } }),
  get('/shell', { headers: { 'x-prerender-revalidate': 'wrong' } }),
  get('/shell', { headers: { 'next-resume': '1' }, method: 'POST', body: '4:null' }),
  get('/late', { headers: { 'x-delay': '300' } }),
  get('/late', { headers: { 'x-delay': '300', ...GZIP } }),
  sequence(
    'a part that throws after the shell is out',
    [get('/switch?late=throw'), get('/late'), get('/late', { headers: GZIP }), rsc('/late'), get('/switch?late=')],
    { log: /thrown on purpose by late/ },
  ),
  sequence('a shell that is prerendered for a path', [
    ...waysWhileFresh('/shop/lamp', '/shop/$d$item/__PAGE__'),
    later('/shop/lamp'),
    askedFor('price-lamp', 2),
    get('/shop/lamp', { until: /price <!-- -->2/ }),
    get('/shop/lamp', { headers: { cookie: 'who=me' } }),
    rsc('/shop/lamp'),
    segment('/shop/lamp', '/shop/$d$item/__PAGE__'),
    asks('price-lamp'),
  ]),
  sequence('a shell that is made when its path is first asked for', [
    get('/shop/stool'),
    get('/shop/stool'),
    ...waysWhileFresh('/shop/chair', '/shop/$d$item/__PAGE__'),
    get('/shop/chair', { headers: { cookie: 'who=me' } }),
    later('/shop/chair'),
    get('/shop/chair', { wait: 500 }),
    asks('price-chair'),
  ]),
  sequence('a shell whose tag is revalidated', [
    get('/shop/table'),
    get('/shop/table'),
    onDemand('tag=price-table&profile=max'),
    get('/shop/table'),
    askedFor('price-table', 2),
    get('/shop/table', { until: /price <!-- -->2/ }),
    get('/on-demand?tag=price-table&profile=%7B%22expire%22%3A0%7D'),
    get('/shop/table'),
    get('/shop/table'),
    asks('price-table'),
  ]),
  sequence('a shell whose path is revalidated', [
    get('/shop/bed'),
    get('/shop/bed'),
    onDemand('path=/shop/bed'),
    get('/shop/bed'),
    get('/shop/bed'),
    asks('price-bed'),
  ]),
  sequence('a shell that is revalidated with the secret', [
    get('/shop/sofa', { headers: { 'x-prerender-revalidate': '{previewId}' } }),
    get('/shop/sofa'),
    get('/shop/sofa', { headers: { 'x-prerender-revalidate': '{previewId}' } }),
    get('/shop/sofa'),
    asks('price-sofa'),
  ]),
  sequence('a page that is cached as a whole', [
    ...waysWhileFresh('/cached', '/cached/__PAGE__'),
    later('/cached'),
    askedFor('cached', 2),
    get('/cached', { until: /x-nextjs-cache: HIT/i }),
    rsc('/cached'),
    onDemand('tag=cached&profile=max'),
    get('/cached'),
    askedFor('cached', 3),
    get('/cached', { until: /x-nextjs-cache: HIT/i }),
  ]),
  sequence('paths that are cached as a whole', [
    ...waysWhileFresh('/blocking/known', '/blocking/$d$slug/__PAGE__'),
    ...waysWhileFresh('/blocking/new', '/blocking/$d$slug/__PAGE__'),
    later('/blocking/new'),
    askedFor('blocking-new', 2),
    get('/blocking/new', { until: /x-nextjs-cache: HIT/i }),
    later('/blocking/known'),
    askedFor('blocking-known', 2),
    get('/blocking/known', { until: /x-nextjs-cache: HIT/i }),
  ]),
  sequence('cached data in a route handler', [
    get('/data/one'),
    get('/data/one'),
    get('/data/two'),
    later('/data/one'),
    get('/data/one'),
    onDemand('tag=data-one&profile=max'),
    get('/data/one'),
    get('/data/one', { wait: 300 }),
    get('/on-demand?tag=data-one&profile=%7B%22expire%22%3A0%7D'),
    get('/data/one'),
    get('/data/one'),
    asks('data-one'),
    asks('remote-one'),
  ]),
  sequence('an action that updates a tag', [
    get('/data/updated'),
    action('updateTag', 'data-updated'),
    get('/data/updated'),
    get('/data/updated'),
    asks('data-updated'),
  ]),
  sequence('an action that refreshes', [get('/data/refreshed'), action('refresh'), get('/data/refreshed')]),
  sequence('private data', [
    get('/private', { headers: { cookie: 'who=a' } }),
    get('/private', { headers: { cookie: 'who=b' } }),
    get('/private', { headers: { cookie: 'who=a' } }),
    rsc('/private', { cookie: 'who=b' }),
    asks('private-a'),
  ]),
]

/**
 * How long the parts of a payload are, and where they begin: what a shell leaves open has a random name in it, one longer, one shorter each time.
 * 16.5 writes lengths in brackets.
 */
const EXTENTS = [/(?<=\n|\\n)[0-9a-f]+:\[?\d{4}\]?(?=\n|\\n)/g, /[0-9a-f]+:o[0-9a-f]+,/g]

/** @param {import('../case.mjs').Case[]} cases @param {RegExp[]} patterns */
const masked = (cases, patterns) =>
  cases.map(test => ({ ...test, steps: test.steps.map(step => ({ ...step, mask: patterns })) }))

export const cacheComponents = masked(common, EXTENTS)

/** @param {import('../case.mjs').Case[]} cases */
const perRequest = cases => masked(cases, [REQUEST_KEYS, ...EXTENTS])

/** Within this time the entry has stored what it completes behind an answer. */
const TO_COMPLETE = 1000

/**
 * Paths whose shells are completed: asked often enough for the entry to have stored what it completes, and for that to be served.
 *
 * @param {string} page the segment of the page
 * @param {Record<string, string>} paths the name that each counts under
 */
const completed = (page, paths) =>
  sequence(
    `every way to ${page}`,
    Object.entries(paths).flatMap(([target, name]) => [
      get(target),
      get(target, { wait: TO_COMPLETE }),
      ...ways(target, page),
      get(target, { headers: { 'x-prerender-revalidate': '{previewId}' }, wait: TO_COMPLETE }),
      get(target, { wait: TO_COMPLETE }),
      ...ways(target, page),
      asks(name),
    ]),
  )

/**
 * What `create-next-app` writes: one page, and what is missing.
 *
 * @type {import('../case.mjs').Case[]}
 */
export const newApp = perRequest(
  ['/', '/nowhere', '/favicon.ico', '/_next/static/nothing.js', '/deep/nowhere'].flatMap(target =>
    ways(target, '/__PAGE__'),
  ),
)

/** @type {import('../case.mjs').Case[]} */
export const partialPrefetching = perRequest([
  ...common,
  ...ways('/', '/__PAGE__'),
  ...ways('/whole', '/whole/__PAGE__'),
  completed('/both/$d$top/$d$sub/__PAGE__', {
    '/both/a/b': 'both-a-b',
    '/both/x/y': 'both-x-y',
    '/both/a%20b/c%40d': 'both-a b-c@d',
    '/both/a%20b/c@d': 'both-a b-c@d',
    '/both/%C3%A9/%252F': 'both-é-%2F',
    '/both/[top]/[sub]': 'both-[top]-[sub]',
  }),
  completed('/mixed/$d$top/$d$sub/__PAGE__', {
    '/mixed/known/any': 'mixed-known-any',
    '/mixed/new/any': 'mixed-new-any',
  }),
  completed('/optional/$oc$rest/__PAGE__', {
    '/optional': 'optional-nothing',
    '/optional/one/two': 'optional-one and two',
    '/optional/three': 'optional-three',
  }),
])
