// The data cache and everything that revalidates on demand. Pages and data count how often they were made, so every comparison
// also says how often that was. A name belongs to one sequence.
import { get, head, post, rsc, sequence } from '../case.mjs'

/** Longer than pages and data are fresh. */
const STALE = 2200

/** @param {string} target */
const later = target => get(target, { wait: STALE })

/** Waits until a name was asked so often. @param {string} name @param {number} count */
const askedFor = (name, count) => get(`/asked?of=${name}`, { until: new RegExp(`asked ${count} times`) })

/** Time to ask and to store the answer, in ms: an answer is stored after the source was asked, and nothing says when. */
const TIME_TO_STORE = 400

/** How often a name was asked when there was time to ask. @param {string} name */
const asks = name => get(`/asked?of=${name}`, { wait: TIME_TO_STORE })

/** What is answered when there was time to store it. @param {string} target */
const stored = target => get(target, { wait: TIME_TO_STORE })

/** Sets the switches of pages and data. @param {string} query */
const set = query => get(`/switch?${query}`)

/** Waits for an answer that is no longer stale. @param {string} target */
const fresh = target => get(target, { until: /x-nextjs-cache: HIT/i })

/** @param {string} query */
const onDemand = query => get(`/on-demand?${query}`)

/** Calls the one server action of the app. @param {unknown[]} args */
const action = (...args) =>
  post('/forms', JSON.stringify(args), {
    headers: { 'next-action': '{action}', 'content-type': 'text/plain;charset=UTF-8', accept: 'text/x-component' },
    // The page that comes along counts its renders for all actions, and they overlap.
    mask: [/"children":\d+/g],
  })

/** @param {string} path @param {string} [more] */
const byApi = (path, more = '') => get(`/api/revalidate?path=${path}${more}`)

const encode = (/** @type {unknown} */ value) => encodeURIComponent(JSON.stringify(value))

/** @type {import('../case.mjs').Case[]} */
export default [
  // The not-found page names, on older lines, whoever asked for it first. Here that is the same on both servers.
  get('/nobody/asked/before'),
  sequence('a page that lives as long as its data', [
    get('/fetched/page'),
    get('/fetched/page'),
    rsc('/fetched/page'),
    later('/fetched/page'),
    askedFor('render-page', 2),
    fresh('/fetched/page'),
    get('/fetched/page'),
    asks('page'),
  ]),
  sequence('data under a page that is rendered each time', [
    get('/dynamic/data'),
    get('/dynamic/data'),
    later('/dynamic/data'),
    askedFor('data', 2),
    stored('/dynamic/data'),
    asks('data'),
  ]),
  sequence('data whose source fails', [
    get('/dynamic/failing'),
    set('failing=fail'),
    later('/dynamic/failing'),
    asks('failing'),
    get('/dynamic/failing'),
    set('failing='),
    get('/dynamic/failing', { wait: 300 }),
    get('/dynamic/failing', { wait: 300 }),
  ]),
  sequence('data that is too large to be kept', [get('/large'), get('/large'), asks('large')]),
  sequence('unstable_cache: fresh, stale, fresh', [
    get('/stored/time'),
    get('/stored/time'),
    later('/stored/time'),
    askedFor('time', 2),
    stored('/stored/time'),
    asks('time'),
  ]),
  sequence('unstable_cache: a tag at once', [
    get('/stored/tag'),
    onDemand(`tag=tag-tag&profile=${encode({ expire: 0 })}`),
    get('/stored/tag'),
    get('/stored/tag'),
    asks('tag'),
  ]),
  sequence('unstable_cache: a tag in the background', [
    get('/stored/behind'),
    onDemand('tag=tag-behind&profile=max'),
    get('/stored/behind'),
    askedFor('behind', 2),
    stored('/stored/behind'),
    asks('behind'),
  ]),
  sequence('a tag of data: the page is stale, then it is new', [
    get('/fetched/soft'),
    onDemand('tag=tag-soft&profile=max'),
    get('/fetched/soft'),
    askedFor('render-soft', 2),
    fresh('/fetched/soft'),
    onDemand('tag=tag-nobody&profile=max'),
    get('/fetched/soft'),
  ]),
  sequence('a tag of data that expires at once', [
    get('/fetched/hard'),
    onDemand(`tag=tag-hard&profile=${encode({ expire: 0 })}`),
    get('/fetched/hard'),
    get('/fetched/hard'),
    asks('hard'),
  ]),
  sequence('a tag of data that expires a second later', [
    get('/fetched/second'),
    onDemand(`tag=tag-second&profile=${encode({ expire: 1 })}`),
    get('/fetched/second', { wait: 1200 }),
    get('/fetched/second'),
    asks('second'),
  ]),
  sequence('a tag without a profile', [
    get('/fetched/plain'),
    onDemand('tag=tag-plain'),
    get('/fetched/plain'),
    asks('plain'),
  ]),
  sequence('a tag that is revalidated again and again', [
    get('/stored/again'),
    onDemand(`tag=tag-again&profile=${encode({ expire: 0 })}`),
    get('/stored/again'),
    onDemand(`tag=tag-again&profile=${encode({ expire: 0 })}`),
    get('/stored/again'),
    onDemand(`tag=tag-again&profile=${encode({ expire: 0 })}`),
    get('/stored/again'),
    asks('again'),
  ]),
  sequence('a path', [
    get('/fetched/path'),
    onDemand('path=/fetched/path'),
    get('/fetched/path'),
    get('/fetched/path'),
    asks('render-path'),
  ]),
  sequence(
    'a path of a route with parameters, as a page',
    [get('/fetched/typed'), onDemand('path=/fetched/[name]&type=page'), get('/fetched/typed'), asks('render-typed')],
    { alone: true },
  ),
  sequence('a path of the Pages Router', [
    byApi('/list/path'),
    get('/list/path'),
    onDemand('path=/list/path'),
    get('/list/path'),
    asks('list-path'),
  ]),
  sequence('an action that updates a tag', [
    get('/stored/updated'),
    action('updateTag', 'tag-updated'),
    get('/stored/updated'),
    asks('updated'),
  ]),
  sequence('an action that revalidates a tag', [
    get('/fetched/acted'),
    action('revalidateTag', 'tag-acted', 'max'),
    get('/fetched/acted'),
    askedFor('render-acted', 2),
    fresh('/fetched/acted'),
  ]),
  sequence('an action that revalidates a path', [
    get('/fetched/action-path'),
    action('revalidatePath', '/fetched/action-path'),
    get('/fetched/action-path'),
    asks('render-action-path'),
  ]),
  sequence('an action that refreshes', [get('/stored/refresh'), action('refresh'), get('/stored/refresh')]),
  sequence('middleware that revalidates a tag', [
    get('/stored/middleware'),
    get('/middleware/x?tag=tag-middleware'),
    get('/stored/middleware'),
    asks('middleware'),
  ]),
  sequence('res.revalidate: a page', [
    get('/fetched/by-api'),
    byApi('/fetched/by-api'),
    get('/fetched/by-api'),
    asks('render-by-api'),
  ]),
  sequence('res.revalidate: a page of the Pages Router', [
    byApi('/list/by-api'),
    get('/list/by-api'),
    byApi('/list/by-api'),
    get('/list/by-api'),
    get('/_next/data/{buildId}/list/by-api.json'),
    asks('list-by-api'),
  ]),
  // Both render the not-found page again, and it names the path that they were asked for.
  sequence(
    'res.revalidate: only what was generated',
    [
      byApi('/fetched/generated', '&generated=1'),
      asks('render-generated'),
      get('/fetched/generated'),
      byApi('/fetched/generated', '&generated=1'),
      get('/fetched/generated'),
      asks('render-generated'),
      get('/nobody/is/here'),
    ],
    { alone: true },
  ),
  sequence(
    'res.revalidate: what does not exist',
    [byApi('/nowhere'), byApi('nowhere'), get('/nobody/is/here'), byApi('/closed/shut'), get('/nobody/is/here')],
    { alone: true },
  ),
  sequence('res.revalidate: a page that throws', [
    get('/outcome/broken'),
    set('broken=throw'),
    byApi('/outcome/broken'),
    get('/outcome/broken'),
    set('broken='),
    byApi('/outcome/broken'),
    get('/outcome/broken'),
  ]),
  sequence('dynamicParams = false', [
    get('/closed/open', { headers: { 'x-prerender-revalidate': '{previewId}' } }),
    get('/closed/shut'),
    later('/closed/open'),
    askedFor('closed-open', 2),
    fresh('/closed/open'),
    get('/closed/shut'),
    onDemand('path=/closed/shut'),
    get('/closed/shut'),
    onDemand('path=/closed/open'),
    get('/closed/open'),
    rsc('/closed/open'),
  ]),
  sequence('a page of the App Router that goes away and comes back', [
    get('/outcome/gone'),
    set('gone=notFound'),
    later('/outcome/gone'),
    askedFor('outcome-gone', 2),
    fresh('/outcome/gone'),
    get('/outcome/gone'),
    rsc('/outcome/gone'),
    set('gone='),
    later('/outcome/gone'),
    askedFor('outcome-gone', 3),
    get('/outcome/gone', { until: /gone<!-- -->: <!-- -->3/ }),
  ]),
  sequence('a page of the App Router that moves', [
    get('/outcome/moved'),
    set('moved=redirect'),
    later('/outcome/moved'),
    askedFor('outcome-moved', 2),
    fresh('/outcome/moved'),
    get('/outcome/moved'),
    rsc('/outcome/moved'),
    head('/outcome/moved'),
  ]),
  sequence('a page of the App Router that was never there', [
    set('never=notFound'),
    get('/outcome/never'),
    get('/outcome/never'),
    asks('outcome-never'),
  ]),
  sequence('a page of the App Router that throws when it is first asked for', [
    set('first=throw'),
    get('/outcome/first'),
    get('/outcome/first'),
    set('first='),
    get('/outcome/first'),
    get('/outcome/first'),
    asks('outcome-first'),
  ]),
  sequence('fallback: true', [
    get('/list/fallback'),
    asks('list-fallback'),
    get('/_next/data/{buildId}/list/fallback.json'),
    get('/list/fallback'),
    get('/_next/data/{buildId}/list/fallback.json'),
    later('/list/fallback'),
    askedFor('list-fallback', 2),
    fresh('/list/fallback'),
  ]),
  sequence('fallback: true, for a crawler', [
    get('/list/crawled', { headers: { 'user-agent': 'Googlebot' } }),
    get('/list/crawled'),
    asks('list-crawled'),
  ]),
  sequence('fallback: true, nothing there', [
    set('list-none=notFound'),
    get('/list/none'),
    get('/_next/data/{buildId}/list/none.json'),
    get('/list/none'),
    get('/_next/data/{buildId}/list/none.json'),
    head('/list/none'),
    rsc('/list/none'),
    later('/_next/data/{buildId}/list/none.json'),
    asks('list-none'),
    set('list-none='),
    later('/_next/data/{buildId}/list/none.json'),
    asks('list-none'),
    get('/_next/data/{buildId}/list/none.json', { until: /"count":/ }),
    get('/list/none'),
  ]),
  sequence('fallback: true, somewhere else', [
    set('list-there=redirect'),
    get('/list/there'),
    get('/_next/data/{buildId}/list/there.json'),
    get('/list/there'),
    get('/_next/data/{buildId}/list/there.json'),
    head('/list/there'),
    later('/list/there'),
    askedFor('list-there', 2),
    fresh('/list/there'),
    rsc('/list/there'),
  ]),
  sequence('preview mode', [
    byApi('/list/preview'),
    get('/list/preview'),
    get('/api/preview'),
    get('/list/preview', { cookies: { __prerender_bypass: '*', __next_preview_data: '*' } }),
    get('/_next/data/{buildId}/list/preview.json', { cookies: { __prerender_bypass: '*', __next_preview_data: '*' } }),
    get('/list/preview'),
    get('/api/preview?off=1'),
    get('/list/preview'),
    asks('list-preview'),
  ]),
  sequence('draft mode over data', [
    get('/fetched/draft'),
    get('/draft'),
    get('/fetched/draft', { cookies: { __prerender_bypass: '*' } }),
    get('/fetched/draft', { cookies: { __prerender_bypass: '*' } }),
    get('/fetched/draft'),
    get('/fetched/draft', { cookies: { __prerender_bypass: 'wrong' } }),
    asks('draft'),
  ]),
  // The last: upstream deadlocks when `unstable_onlyGenerated` comes to a not-found page whose tags have expired.
  sequence(
    'a path of a layout',
    [
      get('/fetched/layout'),
      get('/outcome/layout'),
      onDemand('path=/&type=layout'),
      get('/fetched/layout'),
      get('/outcome/layout'),
      asks('render-layout'),
      asks('outcome-layout'),
    ],
    { alone: true },
  ),
]
