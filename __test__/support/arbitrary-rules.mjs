// Random rules, page sets and requests for the routing property tests: everything that upstream's syntax has, from small
// pools of names and values, so that rules and paths meet often.

import { createRequire } from 'node:module'
import fc from 'fast-check'
import { isAccepted } from './upstream-router.mjs'

const require = createRequire(import.meta.url)
const { parse } = require('next/dist/compiled/path-to-regexp')
const { getSortedRoutes } = require('next/dist/shared/lib/router/utils')
const { normalizeAppPath } = require('next/dist/shared/lib/router/utils/app-paths')

const NAMES = ['a', 'b', 'id', 'slug', 'path', 'path2', 'A_b']
const TEXTS = ['old', 'New', 'blog', 'docs', 'en', 'b-c', 'a.b', 'x', '_next', 'ü', '%20', 'a b', 'café', '1']

/** Patterns that JavaScript matches in reasonable time on short texts. */
const PATTERNS = [
  '\\d+',
  '\\d{2,3}',
  '[a-z]+',
  '[A-Z]',
  'a|b',
  'en|fr|nl-NL',
  '.*',
  '.+',
  '.*?',
  '[^/]+',
  '[^/]*',
  '[^.]+',
  '[\\w-]+',
  '\\w+\\.html',
  '(?!api)[^/]+',
  '(?!api|_next).*',
  '(?!.*\\.html)[^/]+',
  '(?=.*b)[^/]+',
  '(?:old|new)-\\d',
  '[^/]+(?<!x)',
  'a{1,2}b?',
  '\\bold\\b',
  '[äöü]+',
  '\\s',
  '(?:%[0-9a-fA-F]{2})+',
  '\\W+',
  '\\S+?',
  '[^a-z]',
  '[^]*',
  '[A-z-]{2,}',
  '.{2,4}?',
  '(?:a|ab)(?:c|bcd)?b*',
  '(?:(?!-)[^/])+',
  '(?!x|.*\\d$)[^/]+(?=b|$)',
  '\\u0061|\\x62+',
]

const VALUES = [
  ...TEXTS,
  'a',
  'b',
  'ab',
  'OLD',
  'BLOG',
  'api',
  'apix',
  'fr',
  'nl-NL',
  '42',
  '123',
  'x.html',
  'old-1',
  'foo-bar',
  'a%20b',
  '%2F',
  '%2f',
  '%C3%BC',
  '%E4',
  '%',
  '..',
  '.',
  '(x)',
  ':id',
  '*',
  '+',
  'a=b&c',
  "it's",
  'a;b',
  '[id]',
]

const name = fc.constantFrom(...NAMES)
const text = fc.constantFrom(...TEXTS)
const pattern = fc.constantFrom(...PATTERNS).map(source => `(${source})`)
const modifier = fc.oneof({ weight: 5, arbitrary: fc.constant('') }, fc.constantFrom('?', '*', '+'))
const join = (/** @type {fc.Arbitrary<string>[]} */ ...parts) => fc.tuple(...parts).map(list => list.join(''))
const is = (/** @type {string} */ value) => fc.constant(value)

const parameter = join(is(':'), name)
const segment = fc.oneof(
  { weight: 6, arbitrary: join(is('/'), text) },
  { weight: 6, arbitrary: join(is('/'), parameter, modifier) },
  { weight: 4, arbitrary: join(is('/'), parameter, pattern, modifier) },
  { weight: 2, arbitrary: join(is('/'), pattern, modifier) },
  join(is('/'), text, fc.constantFrom('-', '.', '', '~'), parameter, modifier),
  join(is('/'), parameter, fc.constantFrom('.html', '-x', '.', '!')),
  join(is('/'), parameter, fc.constantFrom('-', '.', '_to_'), parameter),
  join(is('{/'), fc.oneof(text, parameter), is('}'), modifier),
  join(is('/{'), fc.oneof(text, parameter, join(parameter, pattern)), fc.constantFrom('-', '/', ''), is('}'), modifier),
  fc.constantFrom('/', '/\\:id', '/a\\?', '/\\(x\\)', '/a\\+b', '/\\*', '/:path*', '/:path+', '/(.*)'),
)
const source = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map(list => list.join(''))
  .filter(list => list.startsWith('/') || list.startsWith('{/'))
  .map(list => (list.startsWith('{') ? `/x${list}` : list))

const CONDITION_VALUES = [
  undefined,
  '',
  '1',
  '(?<id>\\d+)',
  '(?<slug>.*)',
  '(?<a>[a-z]+)-(?<b>.*)',
  '.*b.*',
  '(?!old).*',
  'a|b',
  '(?<path2>x)?.*',
  '(?<id>[^;]+);?.*',
  '(?:(?<a>x)|b|1)*',
  '(?<a>a*)*.*',
  '(?:(?<id>\\d)|(?<slug>[a-z]))+.*',
  '(?<a>.)?(?<b>.)?.*?',
  '(.)\\1*',
  '(?<a>.)(?!\\k<a>).*',
  '\\bb\\b|.*\\Bd.*',
  '(?=(?<a>.)).*',
]
const condition = fc.oneof(
  fc.record({
    type: fc.constantFrom('header', 'cookie', 'query'),
    key: fc.constantFrom('x-h', 'X-H', 'k', 'id', 'a-b', 'x_1'),
    value: fc.constantFrom(...CONDITION_VALUES),
  }),
  fc.record({
    type: is('host'),
    value: fc.constantFrom('example\\.com', '(?<slug>.*)\\.example\\.com', '.*', 'other', '(?<a>[^.]+).*'),
  }),
)
const conditions = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  fc.array(condition, { minLength: 1, maxLength: 2 }),
)

/** The parameters that a rule can fill in. @param {{ source: string, has?: any[] }} rule */
function namesOf(rule) {
  const names = []
  try {
    for (const token of parse(rule.source)) if (typeof token === 'object' && token.name) names.push(String(token.name))
  } catch {}
  for (const { key, value, type } of rule.has ?? []) {
    if (!value && key) names.push(key.replaceAll(/[^A-Za-z]/g, ''))
    for (const [, group] of (value ?? '').matchAll(/\(\?<([A-Za-z0-9]+)>/g)) names.push(group)
    if (type === 'host') names.push('host')
  }
  return names.filter(found => Number.isNaN(Number(found)))
}

const base = fc.record({ source, has: conditions, missing: conditions })
const offRule = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  fc.constant({ basePath: false }),
  fc.constant({ locale: false }),
)

/** Text with parameters of a rule, as pieces. @param {string[]} names @param {string[]} around */
function filled(names, around) {
  const reference = fc
    .tuple(fc.constantFrom(...(names.length > 0 ? names : ['a'])), fc.constantFrom('', '', '', '*', '+', '?'))
    .map(([used, suffix]) => `:${used}${suffix}`)
  return fc
    .array(
      fc.oneof(
        { weight: names.length > 0 ? 2 : 0, arbitrary: reference },
        { weight: 2, arbitrary: fc.constantFrom(...around) },
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map(list => list.join(''))
}

/** @param {string[]} names @param {boolean} external */
function destination(names, external) {
  const path = fc.oneof(
    filled(names, ['/', '/to', '-', '.x', '/a b', '/ü', '/blog', '(x)']).map(list => `/${list}`),
    fc.constantFrom(...names.map(used => `/to/:${used}`), ...names.map(used => `/:${used}*`), '/blog/x', '/p'),
  )
  const query = fc.oneof(
    { weight: 3, arbitrary: is('') },
    filled(names, ['x', '=', '&b=', '=1', '%20', 'é', '+', '(', ' ']).map(list => `?q=${list}`),
  )
  const hash = fc.oneof(
    { weight: 5, arbitrary: is('') },
    filled(names, ['h', '-', '/']).map(list => `#${list}`),
  )
  const origin = fc.oneof(
    { weight: 3, arbitrary: is('https://ex.example') },
    is('http://u:p@ex.example:81'),
    filled(names, ['a', '-']).map(list => `https://${list}.example`),
  )
  const inside = join(path, query, hash)
  return external ? fc.oneof({ weight: 3, arbitrary: inside }, join(origin, inside)) : inside
}

const redirect = base
  .chain(rule =>
    fc
      .tuple(
        destination(namesOf(rule), true),
        offRule,
        fc.constantFrom({ permanent: true }, { permanent: false }, { statusCode: 302 }),
      )
      .map(([to, off, status]) => ({ ...rule, destination: to, ...off, ...status })),
  )
  .filter(rule => isAccepted('redirect', rule))

const rewrite = base
  .chain(rule =>
    fc.tuple(destination(namesOf(rule), true), offRule).map(([to, off]) => ({ ...rule, destination: to, ...off })),
  )
  .filter(rule => isAccepted('rewrite', rule))

const header = base
  .chain(rule => {
    const names = namesOf(rule)
    const key = fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom('x-a', 'X-A', 'x-b', 'Set-Cookie', 'set-cookie', 'cache-control') },
      filled(names, ['a', '-b']).map(list => `x-${list}`),
    )
    const value = filled(names, ['v', '1; path=/', ' ', ':', 'a:b', '(c)', '\\', '"', 'https://x.example/', '*', '{d}'])
    return fc
      .tuple(fc.array(fc.record({ key, value }), { minLength: 1, maxLength: 2 }), offRule)
      .map(([headers, off]) => ({
        ...rule,
        headers,
        ...off,
      }))
  })
  .filter(rule => isAccepted('header', rule))

const few = (/** @type {fc.Arbitrary<any>} */ rule, most = 2) => fc.array(rule, { maxLength: most })

/** Rules of every kind, at least one. */
export const rules = fc
  .record({
    redirects: few(redirect),
    headers: few(header),
    rewrites: fc.record({ beforeFiles: few(rewrite), afterFiles: few(rewrite), fallback: few(rewrite) }),
  })
  .filter(set => [...set.redirects, ...set.headers, ...Object.values(set.rewrites).flat()].length > 0)

/** Regular expressions with groups, repetitions and lookaround in each other; short texts keep JavaScript from hanging. */
const expression = fc
  .letrec(tie => ({
    one: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('a', 'b', '1') },
      fc.constantFrom('.', '[ab]', '[^a]', '\\d', '\\w', '\\W', '\\b', '\\B', '^', '$', ''),
    ),
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 4, arbitrary: tie('one') },
      { weight: 3, arbitrary: fc.tuple(tie('node'), tie('node')).map(list => list.join('')) },
      { weight: 2, arbitrary: fc.tuple(tie('node'), tie('node')).map(list => `(?:${list.join('|')})`) },
      { weight: 3, arbitrary: tie('node').map(node => `(?<NAME>${node})`) },
      {
        weight: 3,
        arbitrary: fc
          // Which group a round of nothing inside a round of nothing leaves filled is all that is not imitated.
          .tuple(
            fc.constantFrom('a', 'b', '1', '[ab]', '.'),
            tie('node'),
            fc.constantFrom('*', '+', '*?', '+?', '{2}', '{1,2}'),
          )
          .map(([first, node, times]) => `(?:${first}${node})${times}`),
      },
      {
        weight: 2,
        arbitrary: fc.tuple(tie('node'), fc.constantFrom('?', '??')).map(([node, times]) => `(?:${node})${times}`),
      },
      {
        weight: 2,
        arbitrary: fc
          .tuple(tie('node'), fc.constantFrom('=', '!', '<=', '<!'))
          .map(([node, kind]) => `(?${kind}${node.replaceAll('?<NAME>', '?:')})`),
      },
    ),
  }))
  .node.map(node => {
    let count = 0
    return /** @type {string} */ (node).replaceAll('NAME', () => `g${count++}`)
  })

/** A rule whose condition is a random expression, and the requests that it is tried on. */
export const expressions = fc.tuple(
  fc
    .tuple(expression, fc.constantFrom('', '.*'))
    .map(parts => ({ type: 'header', key: 'x-h', value: parts.join('') || 'a' }))
    .map(condition => ({
      rules: { rewrites: { beforeFiles: [{ source: '/x', has: [condition], destination: '/y' }] } },
    })),
  fc.array(
    fc
      .string({ unit: fc.constantFrom('a', 'b', '1', '-'), maxLength: 6 })
      .map(value => ({ target: '/x', headers: ['Host', 'h', 'X-H', value] })),
    { minLength: 8, maxLength: 12 },
  ),
)

const EVERYDAY_MATCHERS = [
  '/((?!api|_next/static|_next/image|favicon.ico|sitemap.xml|robots.txt).*)',
  '/((?!_next|[^?]*\\.(?:html?|css|js(?!on)|jpe?g|png|svg|ico|csv)).*)',
  '/(api|trpc)(.*)',
  '/((?!.*\\..*|_next).*)',
  '/',
  '/:path*',
  '/blog/:slug*',
]

/** Matchers of middleware. */
export const matchers = fc.array(
  fc
    .record({
      source: fc.oneof(fc.constantFrom(...EVERYDAY_MATCHERS), source),
      has: conditions,
      missing: conditions,
      locale: fc.constantFrom(undefined, undefined, undefined, false),
    })
    .filter(matcher => isAccepted('middleware', matcher)),
  { minLength: 1, maxLength: 2 },
)

export const config = fc.record({
  basePath: fc.constantFrom('', '', '', '/base', '/a/b'),
  trailingSlash: fc.constantFrom(false, false, false, true),
  useFileSystemPublicRoutes: fc.constantFrom(true, true, true, true, false),
  experimental: fc.constantFrom({}, {}, {}, { caseSensitiveRoutes: true }),
  i18n: fc.constantFrom(
    undefined,
    undefined,
    undefined,
    { locales: ['en', 'fr', 'nl-NL'], defaultLocale: 'en', localeDetection: false },
    {
      locales: ['en', 'fr', 'nl-NL'],
      defaultLocale: 'fr',
      localeDetection: false,
      domains: [{ domain: 'example.com', defaultLocale: 'en' }],
    },
  ),
})

const PAGE_SEGMENTS = [
  'a',
  'b',
  'blog',
  'docs',
  'x',
  'p',
  'api',
  'ü',
  'a b',
  '[id]',
  '[slug]',
  '[a]',
  '[...rest]',
  '[[...opt]]',
]
const pagePath = fc
  .array(
    fc.oneof(
      { weight: 14, arbitrary: fc.constantFrom(...PAGE_SEGMENTS) },
      fc.constantFrom('pre-[id]', '[id].json', 'to', '1', '_next', 'index', '[id]-x'),
    ),
    { maxLength: 4 },
  )
  .map(segments => {
    // Nothing may follow a catch-all, and no name may stand twice.
    const end = segments.findIndex(one => one.includes('...'))
    const kept = end < 0 ? segments : segments.slice(0, end + 1)
    return kept.filter((one, at) => !one.startsWith('[') || kept.indexOf(one) === at)
  })

/** Pages of both routers that one app can have. */
export const pages = fc
  .array(
    fc.record({
      segments: pagePath,
      router: fc.constantFrom(.../** @type {const} */ (['pages', 'data', 'app', 'app', 'group', 'handler'])),
    }),
    { maxLength: 8 },
  )
  .map(list => {
    /** @type {{ pages: string[], dataPages: string[], appPages: string[] }} */
    const found = { pages: [], dataPages: [], appPages: [] }
    /** @type {string[]} */
    const taken = []
    for (const { segments, router } of list) {
      const path = `/${segments.join('/')}`
      const within = path === '/' ? '' : path
      /** @type {Partial<Record<typeof router, string>>} */
      const inApp = { app: `${within}/page`, group: `/(g)${within}/page`, handler: `${within}/route` }
      const app = inApp[router]
      const route = app ? normalizeAppPath(app) : path
      if (taken.includes(route)) continue
      try {
        getSortedRoutes([...taken, route])
      } catch {
        continue
      }
      taken.push(route)
      if (app) found.appPages.push(app)
      else found.pages.push(path)
      if (router === 'data' && !path.startsWith('/api')) found.dataPages.push(path)
    }
    return found
  })

const value = fc.constantFrom(...VALUES)

/** A path that a source may match. @param {string} from @param {string[]} values */
function sample(from, values) {
  let next = 0
  const pick = () => values[next++ % values.length]
  /** @type {any[]} */
  let tokens = []
  try {
    tokens = parse(from)
  } catch {}
  return tokens
    .map(token => {
      if (typeof token === 'string') return token
      const once = `${token.prefix}${token.pattern === '' ? '' : pick()}${token.suffix}`
      return token.modifier === '*' && next % 3 === 0
        ? ''
        : token.modifier !== '' && next % 2 === 0
          ? once + once
          : once
    })
    .join('')
}

/**
 * Node 20's `URL` leaves dot segments in a path that has a segment with a dot before it (`/.a/../b`), against the URL
 * standard. Upstream inherits that; ferronext reads them as the standard says, and as newer Nodes do.
 * @param {string} target
 */
function isMisread(target) {
  return /\/\.[^?#]*\/\.\.?(?:[/?#]|$)/.test(target)
}

/** Requests for rules, pages and middleware. @param {{ rules?: any, pages?: any, config?: any, middleware?: any[] }} app */
export function request({ rules: set, pages: tree, config: given, middleware = [] }) {
  const written = set ? [...set.redirects, ...set.headers, ...Object.values(set.rewrites).flat()] : []
  const sources = [...written, ...middleware].map((/** @type {any} */ rule) => rule.source)
  const routes = tree ? [...tree.pages, ...tree.appPages.map(normalizeAppPath)] : []
  const free = fc.array(value, { maxLength: 4 }).map(list => `/${list.join('/')}`)
  const values = fc.array(value, { minLength: 4, maxLength: 6 })
  const visit = (/** @type {string} */ page) =>
    values.map(list => {
      let next = 0
      return page.replaceAll(/\[\[?(\.\.\.)?[^\]]*\]\]?/g, (/** @type {string} */ _all, /** @type {string} */ rest) =>
        rest ? `${list[next++]}/${list[next++]}` : list[next++ % list.length],
      )
    })
  const id = fc.constantFrom('build.1', 'build.1', 'build.1', 'other')
  /** @type {fc.Arbitrary<string>[]} */
  const near = [
    ...sources.map(from => values.map(list => sample(from, list))),
    ...routes.map(visit),
    ...(tree?.dataPages ?? []).map((/** @type {string} */ page) =>
      join(
        is('/_next/data/'),
        id,
        fc.constantFrom('', '', '/en', '/fr'),
        visit(page === '/' ? '/index' : page),
        is('.json'),
      ),
    ),
  ]
  const path =
    near.length > 0 ? fc.oneof({ weight: 1, arbitrary: free }, { weight: 3, arbitrary: fc.oneof(...near) }) : free
  const prefix = given?.basePath
    ? fc.constantFrom(given.basePath, given.basePath, given.basePath, '', given.basePath.toUpperCase())
    : fc.constantFrom('', '', '', '/base')
  const locale = given?.i18n ? fc.constantFrom('', '/en', '/fr', '/FR', '/nl-nl') : is('')
  const transport = fc.constantFrom('.rsc', '.json', '.segments/_tree.segment.rsc', '/index.rsc')
  const form = fc.oneof({ weight: 12, arbitrary: is('') }, transport)
  const end = fc.constantFrom(
    '',
    '',
    '',
    '',
    '/',
    '?',
    '?id=1',
    '?k=a-b&k=old',
    '?x-h=&q=%20%C3%BC',
    '?a=1&b=2#h',
    '?id=%zz+x',
  )
  const target = join(prefix, locale, path, form, end)
    // Node's HTTP parser refuses a space. Letters beyond ASCII do arrive.
    .map(list => list.replaceAll(' ', '%20'))
    .filter(list => !isMisread(list))
  const line = fc.oneof(
    fc.constantFrom(
      ['X-H', '1'],
      ['x-h', 'abc-d e'],
      ['X-h', 'old'],
      ['x-h', 'xb1'],
      ['X-H', 'aab'],
      ['k', 'é-x'],
      ['K', 'b'],
      ['id', '42'],
      ['A-B', ''],
      ['x_1', 'x;y'],
    ),
    fc.constantFrom(['Cookie', 'k=1; id=%20x'], ['cookie', 'id="q"; x-h=abc-d'], ['Cookie', 'k=']),
    fc.constantFrom(['RSC', '1'], ['Sec-Fetch-Dest', 'document']),
  )
  const host = fc.constantFrom('example.com', 'a-b.EXAMPLE.com:3000', 'other', 'localhost:3000')
  return fc
    .record({ target, host, lines: fc.array(line, { maxLength: 3 }) })
    .map(({ target: at, host: name, lines }) => ({ target: at, headers: ['Host', name, ...lines.flat()] }))
}
