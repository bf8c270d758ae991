// The apps of `decisions.mjs`: for a number of routes or rules, a build and the requests that are asked of it.

/** @typedef {import('../__test__/support/upstream-router.mjs').Synthetic} Synthetic */
/** @typedef {{ app: Synthetic, requests: Record<string, string> }} Made */

const range = (/** @type {number} */ size) => Array.from({ length: size }, (_, i) => i)
const ROUTES = [10, 100, 1000, 10_000]
const RULES = [10, 100, 1000, 5000]

/** Half of the pages without parameters, the others with one, in sections of ten. @param {number} size @returns {Made} */
function makeRoutes(size) {
  const sections = size / 10
  const appPages = range(sections).flatMap(i => [
    ...range(6).map(j => `/section-${i}/page-${j}/page`),
    `/section-${i}/page`,
    `/section-${i}/items/[id]/page`,
    `/section-${i}/items/[id]/edit/page`,
    `/section-${i}/docs/[...path]/page`,
  ])
  const middle = sections >> 1
  return {
    app: { appPages },
    requests: {
      'static page': `/section-${middle}/page-3`,
      'first dynamic': '/section-0/items/7',
      'middle dynamic': `/section-${middle}/items/7/edit`,
      'last dynamic': `/section-${sections - 1}/items/7`,
      'catch-all': `/section-${middle}/docs/a/b/c`,
      miss: '/nowhere/at/all',
    },
  }
}

/**
 * @param {number} size
 * @param {(i: number) => string} source
 * @param {(i: number) => string} target
 * @param {(source: string, i: number) => Synthetic['rules']} rules
 * @param {string} miss
 * @param {Synthetic} [app]
 * @returns {Made}
 */
function makeRules(size, source, target, rules, miss, app = {}) {
  /** @type {any} */
  const all = { redirects: [], headers: [], rewrites: { beforeFiles: [], afterFiles: [], fallback: [] } }
  for (const i of range(size)) {
    const { redirects = [], headers = [], rewrites = {} } = rules(source(i), i) ?? {}
    all.redirects.push(...redirects)
    all.headers.push(...headers)
    all.rewrites.fallback.push(...(rewrites.fallback ?? []))
  }
  return {
    app: { appPages: ['/page', '/to/[id]/page'], ...app, rules: all },
    requests: { first: target(0), middle: target(size >> 1), last: target(size - 1), miss },
  }
}

const redirects = (/** @type {string} */ source) => ({
  redirects: [{ source, destination: '/to/:slug', permanent: true }],
})
const rewrites = (/** @type {string} */ source) => ({ rewrites: { fallback: [{ source, destination: '/to/:slug' }] } })
const headers = (/** @type {string} */ source, /** @type {number} */ i) => ({
  headers: [{ source, headers: [{ key: 'x-rule', value: `${i}-:slug` }] }],
})

/** @type {{ name: string, title: string, linear: boolean, sizes: number[], make: (size: number) => Made }[]} */
export const SETS = [
  { name: 'routes', title: 'Routes', linear: false, sizes: ROUTES, make: makeRoutes },
  ...Object.entries({ redirects, rewrites, headers }).map(([name, rules]) => ({
    name,
    title: `${name[0].toUpperCase()}${name.slice(1)}: \`/old-1/:slug\``,
    linear: false,
    sizes: RULES,
    make: (/** @type {number} */ size) =>
      makeRules(
        size,
        i => `/old-${i}/:slug`,
        i => `/old-${i}/x`,
        rules,
        '/nowhere/x',
      ),
  })),
  {
    name: 'same-first-segment',
    title: 'Redirects: `/blog/old-1/:slug*`',
    linear: false,
    sizes: RULES,
    make: size =>
      makeRules(
        size,
        i => `/blog/old-${i}/:slug*`,
        i => `/blog/old-${i}/x/y`,
        source => ({
          redirects: [{ source, destination: '/to/:slug*', permanent: true }],
        }),
        '/blog/x/y',
      ),
  },
  {
    name: 'param-first',
    title: 'Redirects: `/:locale/old-1/:slug`',
    linear: false,
    sizes: RULES,
    make: size =>
      makeRules(
        size,
        i => `/:locale/old-${i}/:slug`,
        i => `/en/old-${i}/x`,
        redirects,
        '/en/nowhere/x',
      ),
  },
  {
    name: 'choice-first',
    title: 'Redirects: `/:locale(en|fr)/old-1/:slug`',
    linear: false,
    sizes: RULES,
    make: size =>
      makeRules(
        size,
        i => `/:locale(en|fr)/old-${i}/:slug`,
        i => `/en/old-${i}/x`,
        redirects,
        '/en/nowhere/x',
      ),
  },
  {
    name: 'i18n',
    title: 'Redirects with `i18n`: `/old-1/:slug`',
    linear: false,
    sizes: RULES,
    make: size =>
      makeRules(
        size,
        i => `/old-${i}/:slug`,
        i => `/fr/old-${i}/x`,
        redirects,
        '/fr/nowhere/x',
        {
          config: { i18n: { locales: ['en', 'fr', 'nl-NL'], defaultLocale: 'en', localeDetection: false } },
        },
      ),
  },
  {
    name: 'affixed',
    title: 'Redirects: `/post-1-:slug`',
    linear: false,
    sizes: RULES,
    make: size =>
      makeRules(
        size,
        i => `/post-${i}-:slug`,
        i => `/post-${i}-x`,
        redirects,
        '/post-x',
      ),
  },
  {
    name: 'conditions',
    title: 'Redirects: one source, `has` query',
    linear: true,
    sizes: RULES,
    make: size =>
      makeRules(
        size,
        () => '/old/:slug',
        i => `/old/x?id=${i}`,
        (source, i) => ({
          redirects: [
            { source, has: [{ type: 'query', key: 'id', value: `${i}` }], destination: '/to/:slug', permanent: true },
          ],
        }),
        '/old/x?id=none',
      ),
  },
  {
    name: 'all-match',
    title: 'Headers: `/(.*)`, all of which apply',
    linear: true,
    sizes: RULES,
    make: size =>
      makeRules(
        size,
        () => '/(.*)',
        () => '/to/x',
        (source, i) => ({
          headers: [{ source, headers: [{ key: `x-rule-${i % 20}`, value: 'on' }] }],
        }),
        '/nowhere',
      ),
  },
]
