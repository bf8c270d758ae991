// Prerendered answers over time. Each sequence has a page of its own and begins by rendering it on demand, so that both
// servers know the same. The pages count their renders, so every comparison also says how often a page was rendered.
import { get, head, rsc, segment, sequence } from '../case.mjs'

const GZIP = { 'accept-encoding': 'gzip' }

/** Longer than the pages are fresh, shorter than they live. */
const STALE = 2200
const EXPIRED = 12_300

/** @param {string} target */
const onDemand = target => get(target, { headers: { 'x-prerender-revalidate': '{previewId}' } })

/** Waits until a page has been rendered so often. @param {string} name @param {number} count */
const rendered = (name, count) => get(`/renders?of=${name}`, { until: new RegExp(`: ${count} renders`) })

/** @param {string} target @param {import('../case.mjs').Options} [options] */
const afterwards = (target, options) => get(target, { ...options, wait: STALE })

/** How often a page has been rendered when a render had the time to begin. @param {string} name */
const renders = name => get(`/renders?of=${name}`, { wait: 500 })

/** Sets the switches of the pages. @param {string} query */
const set = query => get(`/switch?${query}`)

/** Waits for an answer that is no longer stale. @param {string} target @param {import('../case.mjs').Options} [options] */
const fresh = (target, options) => get(target, { ...options, until: /x-nextjs-cache: HIT/i })

/** @type {import('../case.mjs').Case[]} */
export const plain = [
  // The first, while what the build left has not expired.
  sequence('a page that the build rendered', [
    afterwards('/blog/built'),
    rendered('built', 1),
    fresh('/blog/built'),
    get('/blog/built', { headers: GZIP }),
  ]),
  sequence('a page: fresh, stale, fresh', [
    onDemand('/blog/page'),
    get('/blog/page'),
    get('/blog/page', { headers: GZIP }),
    afterwards('/blog/page'),
    rendered('page', 2),
    fresh('/blog/page'),
    get('/blog/page', { headers: GZIP }),
    renders('page'),
  ]),
  sequence('a page: the other ways to ask for it', [
    onDemand('/blog/ways'),
    { ...head('/blog/ways'), steps: [{ ...head('/blog/ways').steps[0], wait: STALE }] },
    rendered('ways', 2),
    fresh('/blog/ways'),
    get('/blog/ways?query=of&the=client'),
    get('/blog/ways', { headers: { 'if-none-match': '*' } }),
    afterwards('/blog/ways', { headers: { 'if-none-match': '*' } }),
    rendered('ways', 3),
    fresh('/blog/ways'),
  ]),
  sequence('a page: rendered for a foreign URL, with a query', [
    onDemand('/blog/query'),
    afterwards('/blog/query?query=of&the=client'),
    rendered('query', 2),
    fresh('/blog/query'),
  ]),
  sequence('a page: rendered for a foreign URL, its rewritten path', [
    onDemand('/blog/rewritten'),
    afterwards('/rewritten'),
    rendered('rewritten', 2),
    fresh('/blog/rewritten'),
  ]),
  sequence('a page: payloads', [
    onDemand('/blog/payload'),
    rsc('/blog/payload'),
    afterwards('/blog/payload'),
    rendered('payload', 2),
    fresh('/blog/payload'),
    rsc('/blog/payload'),
    segment('/blog/payload', '/_tree'),
  ]),
  sequence(
    'a page: rendered for a foreign URL, that of its payload',
    [
      onDemand('/blog/payload'),
      rsc('/blog/payload', {}, { wait: STALE }),
      rendered('payload', 4),
      fresh('/blog/payload'),
      rsc('/blog/payload'),
    ],
    { alone: true },
  ),
  sequence('a page: prefetches render nothing', [
    onDemand('/blog/prefetch'),
    get('/blog/prefetch', { headers: { purpose: 'prefetch' }, wait: STALE }),
    rsc('/blog/prefetch', { purpose: 'prefetch' }),
    renders('prefetch'),
  ]),
  // Before 16.1 these were not taken for prefetches.
  sequence('a page: prefetches of the client router', [
    onDemand('/blog/router'),
    rsc('/blog/router', { 'next-router-prefetch': '1', 'next-router-segment-prefetch': '/_tree' }, { wait: STALE }),
    renders('router'),
    segment('/blog/router', '/nothing'),
    rsc('/blog/router', { 'next-router-prefetch': '1' }),
    renders('router'),
  ]),
  sequence('a page: rendered when it is first asked for', [
    get('/blog/new'),
    get('/blog/new'),
    rsc('/blog/new'),
    afterwards('/blog/new'),
    rendered('new', 2),
    fresh('/blog/new'),
  ]),
  sequence('a page: a path that needs encoding', [
    get('/blog/a%20b%2Fc%3Fd'),
    get('/blog/a%20b%2Fc%3Fd'),
    afterwards('/blog/a%20b%2Fc%3Fd'),
    rendered('a%2520b%252Fc%253Fd', 2),
    fresh('/blog/a%20b%2Fc%3Fd'),
    rsc('/blog/a%20b%2Fc%3Fd'),
  ]),
  sequence('a page: expired', [
    onDemand('/blog/expired'),
    get('/blog/expired', { wait: EXPIRED }),
    rendered('expired', 2),
    fresh('/blog/expired'),
  ]),
  sequence('a page: renders that fail', [
    onDemand('/blog/failing'),
    set('failing=throw'),
    afterwards('/blog/failing'),
    rendered('failing', 2),
    fresh('/blog/failing'),
    get('/blog/failing', { wait: 500 }),
    renders('failing'),
    set('failing='),
    get('/blog/failing', { wait: 2500 }),
    rendered('failing', 3),
    fresh('/blog/failing'),
  ]),
  sequence(
    'a page: a render that fails is reported',
    [onDemand('/blog/reported'), set('reported=throw'), afterwards('/blog/reported'), fresh('/blog/reported')],
    { log: /instrumentation saw thrown on purpose by reported of render \/blog\/\[slug\](\/page)?: stale/ },
  ),
  sequence('a page: draft mode while it is stale', [
    get('/draft'),
    onDemand('/blog/drafted'),
    afterwards('/blog/drafted', { cookies: { __prerender_bypass: '*' } }),
    renders('drafted'),
    get('/blog/drafted'),
    rendered('drafted', 3),
    fresh('/blog/drafted'),
    get('/blog/drafted', { cookies: { __prerender_bypass: '*' } }),
  ]),
  sequence('a page: other methods while it is stale', [
    onDemand('/blog/posted'),
    get('/blog/posted', { method: 'POST', wait: STALE }),
    get('/blog/posted', { method: 'OPTIONS' }),
    renders('posted'),
  ]),
  sequence(
    'a tag that is revalidated at once',
    [
      onDemand('/tagged'),
      get('/tagged'),
      get('/tag?profile=now'),
      get('/tagged'),
      get('/tagged'),
      renders('tagged'),
      get('/tag?path=/tagged'),
      get('/tagged'),
      get('/tagged'),
      renders('tagged'),
    ],
    { alone: true },
  ),
  sequence(
    'a tag that is revalidated in the background',
    [onDemand('/tagged'), get('/tagged'), get('/tag?profile=max'), get('/tagged'), fresh('/tagged'), renders('tagged')],
    { alone: true },
  ),
  sequence('a route handler: fresh, stale, fresh', [
    onDemand('/handler'),
    get('/handler'),
    get('/handler', { headers: GZIP }),
    afterwards('/handler'),
    rendered('handler', 2),
    fresh('/handler'),
    set('handler=throw'),
    afterwards('/handler'),
    rendered('handler', 3),
    fresh('/handler'),
    set('handler='),
    { ...head('/handler'), steps: [{ ...head('/handler').steps[0], wait: 3200 }] },
    rendered('handler', 4),
    fresh('/handler'),
  ]),
  sequence('the Pages Router: fresh, stale, fresh', [
    onDemand('/posts/page'),
    get('/posts/page'),
    get('/_next/data/{buildId}/posts/page.json'),
    afterwards('/posts/page'),
    rendered('posts/page', 2),
    fresh('/posts/page', { headers: GZIP }),
    get('/_next/data/{buildId}/posts/page.json'),
    afterwards('/_next/data/{buildId}/posts/page.json'),
    rendered('posts/page', 3),
    fresh('/_next/data/{buildId}/posts/page.json'),
    get('/posts/page?a=b'),
  ]),
  sequence('the Pages Router: rendered when it is first asked for', [
    get('/posts/new'),
    get('/_next/data/{buildId}/posts/new.json'),
    afterwards('/posts/new'),
    rendered('posts/new', 2),
    fresh('/posts/new'),
  ]),
  sequence('the Pages Router: renders that fail', [
    onDemand('/posts/failing'),
    set('posts/failing=throw'),
    afterwards('/posts/failing'),
    rendered('posts/failing', 2),
    fresh('/posts/failing'),
    set('posts/failing='),
    get('/posts/failing', { wait: 3200 }),
    rendered('posts/failing', 3),
    fresh('/posts/failing'),
  ]),
  sequence('the Pages Router: a page that goes away and comes back', [
    onDemand('/posts/gone'),
    set('posts/gone=notFound'),
    afterwards('/posts/gone'),
    rendered('posts/gone', 2),
    get('/posts/gone', { wait: 300 }),
    get('/_next/data/{buildId}/posts/gone.json'),
    set('posts/gone='),
    afterwards('/posts/gone'),
    rendered('posts/gone', 3),
    get('/posts/gone', { until: /render <!-- -->3|: render 3/ }),
  ]),
  sequence('the Pages Router: a page that moves', [
    onDemand('/posts/moved'),
    set('posts/moved=redirect'),
    afterwards('/posts/moved'),
    rendered('posts/moved', 2),
    get('/posts/moved', { wait: 300 }),
    get('/_next/data/{buildId}/posts/moved.json'),
  ]),
  sequence('the Pages Router: expired', [
    onDemand('/posts/expired'),
    get('/posts/expired', { wait: EXPIRED }),
    rendered('posts/expired', 2),
    fresh('/posts/expired'),
  ]),
]

/** Waits until a page below the basePath has been rendered so often. @param {string} name @param {number} count */
const renderedThere = (name, count) => get(`/docs/renders/?of=${name}`, { until: new RegExp(`: ${count} renders`) })

/** The same below a basePath, with trailing slashes and locales: the URL of a page is more than its path. @type {import('../case.mjs').Case[]} */
export const based = [
  sequence('a page of the App Router', [
    get('/docs/blog/page/'),
    afterwards('/docs/blog/page/'),
    renderedThere('page', 2),
    fresh('/docs/blog/page/'),
    rsc('/docs/blog/page/'),
  ]),
  sequence('a page of the Pages Router in the default locale', [
    get('/docs/posts/page/'),
    afterwards('/docs/posts/page/'),
    renderedThere('en/page', 2),
    fresh('/docs/posts/page/'),
    get('/docs/_next/data/{buildId}/en/posts/page.json'),
  ]),
  sequence(
    'a page of the Pages Router in another locale',
    [
      get('/docs/de/posts/page/'),
      afterwards('/docs/de/posts/page/'),
      renderedThere('de/page', 2),
      fresh('/docs/de/posts/page/'),
      get('/docs/posts/page/'),
      renderedThere('en/page', 3),
    ],
    { alone: true },
  ),
  sequence('a page rendered for a foreign URL, that of its data', [
    get('/docs/de/posts/data/'),
    afterwards('/docs/_next/data/{buildId}/de/posts/data.json'),
    renderedThere('de/data', 2),
    fresh('/docs/de/posts/data/'),
    get('/docs/_next/data/{buildId}/de/posts/data.json'),
  ]),
  sequence('the first page, in both locales', [
    afterwards('/docs/'),
    renderedThere('index/en', 1),
    fresh('/docs/'),
    afterwards('/docs/de/'),
    renderedThere('index/de', 1),
    fresh('/docs/de/'),
  ]),
]
