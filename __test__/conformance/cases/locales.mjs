// i18n: locales in the path, by host, cookie and language; data paths with and without them.
import { all, each, get, head, rsc } from '../case.mjs'
import { absolute } from './hostile.mjs'

/** @param {string} host @param {Record<string, string>} [headers] */
const from = (host, headers = {}) => ({ headers: { Host: host, ...headers } })
/** @param {string} value */
const language = value => ({ headers: { 'accept-language': value } })
/** @param {string} value */
const cookie = value => ({ headers: { cookie: `NEXT_LOCALE=${value}` } })

const detection = [
  ...['fr', 'FR', 'nl', 'nl-NL', 'nl-nl;q=0.5, fr;q=0.4', 'en', 'de-CH', '*', 'xx, *;q=0.1', ''].map(value =>
    get('/', language(value)),
  ),
  ...['fr;q=0', 'fr;q=2', 'fr;q=x', ';;', 'nl-BE', 'fr, nl-NL', 'fr;q=0.1,de;q=0.9', 'en;q=0.1,fr'].map(value =>
    get('/?x=1', language(value)),
  ),
  ...['fr', 'FR', 'nl-nl', 'xx', '', 'en', '%66r', '"fr"', 'de; NEXT_LOCALE=fr'].map(value => get('/', cookie(value))),
  get('/', { headers: { cookie: 'NEXT_LOCALE=fr', 'accept-language': 'de' } }),
  get('/', { headers: { cookie: 'NEXT_LOCALE=en', 'accept-language': 'de' } }),
  get('/?a=1&a=2&b', language('fr')),
  get('/?', language('fr')),
  get('/#x', language('fr')),
  get('/.', language('fr')),
  get('/index', language('fr')),
  get('//', language('fr')),
  get('/%2e', language('fr')),
  ...all(
    ['/ssr', '/en', '/fr', '/app-page', '/file.txt', '/nowhere', '/_next/data/{buildId}/index.json'],
    language('de'),
  ),
  ...each(['HEAD', 'POST', 'OPTIONS'], '/', language('fr')),
  get('/', { headers: { 'accept-language': 'fr', 'accept-encoding': 'gzip' } }),
  rsc('/', { 'accept-language': 'fr' }),
  ...['example.fr', 'EXAMPLE.FR:80', 'example.nl', 'www.example.fr', 'example.fr.'].flatMap(host =>
    all(['/', '/ssr', '/fr', '/en/ssr', '/de', '/_next/data/{buildId}/ssr.json'], from(host)),
  ),
  ...['fr', 'de', 'nl-NL', 'en', 'xx'].flatMap(value => [
    get('/', from('example.fr', { 'accept-language': value })),
    get('/?x=1', from('example.nl', { 'accept-language': value })),
    get('/', from('example.nl', { cookie: `NEXT_LOCALE=${value}` })),
  ]),
  ...all(
    ['/app-page', '/file.txt', '/fr/file.txt', '/nl-NL/file.txt', '/api/seen', '/post/one', '/nowhere'],
    from('example.fr'),
  ),
]

const paths = [
  ...['', '/en', '/fr', '/FR', '/nl-nl', '/de', '/xx', '/fr/en'].flatMap(locale =>
    all(
      [
        '/',
        '/ssr',
        '/auto',
        '/post/one',
        '/post/two',
        '/closed/one',
        '/closed/two',
        '/catch/a/b',
        '/index',
        '/api/seen',
      ].map(path => locale + path),
    ),
  ),
  ...all([
    '/fr/index/index',
    '/index/index',
    '/en/ssr/',
    '/fr/',
    '/fr//ssr',
    '/fr/../ssr',
    '/fr/./ssr',
    '/%66r/ssr',
    '/fr%2Fssr',
  ]),
  ...all([
    '/fr/ssr?x=1&x=2',
    '/ssr?locale=fr',
    '/fr/catch/%C3%BC',
    '/fr/catch/a%2Fb/c',
    '/fr/catch/%zz',
    '/catch/%zz',
    '/fr/post/%C3%BC',
  ]),
  ...all([
    '/french',
    '/fr.',
    '/fr/404',
    '/404',
    '/fr/500',
    '/fr/_error',
    '/fr/nowhere',
    '/de/nowhere.txt',
    '/fr/_next/x',
  ]),
  ...all([
    '/app-page',
    '/en/app-page',
    '/fr/app-page',
    '/app-item/7',
    '/en/app-item/7',
    '/fr/app-item/7',
    '/app-route',
    '/fr/app-route',
  ]),
  ...all([
    '/file.txt',
    '/en/file.txt',
    '/fr/file.txt',
    '/fr/fichier.txt',
    '/fr/fr/fichier.txt',
    '/nl-NL/file.txt',
    '/de/file.txt',
  ]),
  ...all([
    '/api/items/7',
    '/fr/api/items/7',
    '/en/api/seen',
    '/api/nowhere',
    '/fr/api',
    '/fr/{chunk}',
    '/{chunk}',
    '/en/_next/static/nowhere.js',
  ]),
  ...all(['/away', '/fr/away', '/fr/away?to=/x', '/away?to=/fr/ssr', '/away?to=https://example.com/', '/de/away']),
  ...['/app-page', '/fr/app-page', '/ssr', '/nowhere'].map(path => rsc(path)),
  ...each(['HEAD', 'POST', 'OPTIONS'], '/fr/ssr'),
  ...each(['HEAD', 'POST', 'OPTIONS'], '/fr/post/one'),
]

const rules = [
  ...all([
    '/old',
    '/fr/old',
    '/en/old',
    '/FR/old',
    '/fr/old?x=1',
    '/old/a',
    '/fr/old/a%20b',
    '/fr/ancien',
    '/ancien',
    '/en/ancien',
  ]),
  ...all([
    '/fr/any',
    '/xx/any',
    '/any',
    '/to-default',
    '/fr/to-default',
    '/en/to-default',
    '/before',
    '/fr/before',
    '/fr/avant',
    '/avant',
  ]),
  ...all([
    '/into-nothing',
    '/closed/last',
    '/fr/closed/last',
    '/de/closed/last',
    '/into-dutch',
    '/fr/into-dutch',
    '/en/into-dutch',
    '/to/one',
    '/fr/to/one',
    '/fr/to/three',
    '/to-api',
    '/to-item/1',
    '/fr/to-item/1?id=9',
    '/to-other/1',
    '/fr/to-other/1?id=9&name=8',
    '/fr/any-item/1',
    '/xx/any-item/1?id=9',
    '/fr/to-api',
  ]),
  ...all(['/to-app', '/fr/to-app', '/to-file', '/fr/to-file', '/fr/out', '/out', '/xx/out', '/fall/a/b', '/fr/fall/a']),
  ...all(['/old', '/ancien', '/to/one', '/before', '/into-dutch', '/out'], from('example.fr')),
]

const data = [
  ...['', '/en', '/fr', '/FR', '/xx', '/nl-NL'].flatMap(locale =>
    all(
      [
        '.json',
        '/index.json',
        '/ssr.json',
        '/post/one.json',
        '/post/four.json',
        '/closed/one.json',
        '/closed/no.json',
        '/auto.json',
      ].map(path => `/_next/data/{buildId}${locale}${path}`),
    ),
  ),
  ...all(
    [
      '/catch/a/b',
      '/index/index',
      '/index/index/index',
      '/api/seen',
      '/nowhere',
      '/away',
      '/app-page',
      '/to/one',
      '/old',
      '/before',
    ].map(path => `/_next/data/{buildId}/fr${path}.json`),
  ),
  ...all([
    '/_next/data/wrong/fr/ssr.json',
    '/_next/data/wrong/ssr.json',
    '/_next/data/{buildId}/fr/ssr',
    '/_next/data/{buildId}/fr/ssr.json/',
    '/fr/_next/data/{buildId}/fr/ssr.json',
    '/_next/data/{buildId}/fr/ssr.json?x=1',
  ]),
  ...all([
    '/_next/data/{buildId}/fr/%73sr.json',
    '/_next/data/{buildId}/f%72/ssr.json',
    '/_next/data/{buildId}/fr%2Fssr.json',
    '/_next/data/{buildId}/fr/catch/%zz.json',
    '/_next/data/{buildId}/fr/catch/%C3%BC.json',
    '/_next/data//fr/ssr.json',
    '/_next/data/{buildId}/fr//ssr.json',
    '/_next%2Fdata/{buildId}/fr/ssr.json',
    '/_NEXT/data/{buildId}/fr/ssr.json',
  ]),
  head('/_next/data/{buildId}/fr/ssr.json'),
  get('/_next/data/{buildId}/ssr.json', { headers: { 'x-nextjs-data': '1' } }),
]

/** Pages without parameters, which the build has rendered once for each locale. */
const prerendered = ['/', '/fr', '/nl-nl', '/about', '/fr/about', '/en/about', '/de/about'].flatMap(path => [
  ...each(['GET', 'PUT', 'OPTIONS'], path),
  get(`${path}?page=1`),
  rsc(path),
])
const asData = ['index', 'en', 'fr', 'fr/about', 'about', 'fr/ssr'].flatMap(page =>
  each(['GET', 'PUT'], `/_next/data/{buildId}/${page}.json`, { headers: { 'x-nextjs-data': '1' } }),
)

const absolutes = [
  ...absolute([
    '',
    '/',
    '/fr',
    '/FR/',
    '/ssr/',
    '//fr/ssr',
    '/old',
    '/fr/old/a',
    '/fr/ancien',
    '/nowhere/',
    '/file.txt/',
  ]),
  get('HTTP://LOCALHOST/', language('fr')),
  get('HTTP://LOCALHOST', language('fr')),
  get('HTTP://LOCALHOST/', from('example.fr', { 'accept-language': 'nl' })),
]

export const locales = [...detection, ...paths, ...rules, ...data, ...prerendered, ...asData, ...absolutes]

/** One locale that nobody is sent to; slashes stay as they are, the build lies elsewhere. */
export const localeSingle = [
  ...['', '/en-US', '/EN-us', '/fr', '/cdn'].flatMap(prefix =>
    all(
      [
        '',
        '/',
        '/ssr',
        '/ssr/',
        '/post/one',
        '/post/two/',
        '/deep',
        '/deep/',
        '/api/seen',
        '/api/seen/',
        '/file.txt',
        '/no-page',
        '/nowhere/',
      ].map(path => prefix + path || '/'),
    ),
  ),
  ...all(['/', '/ssr'], language('fr')),
  ...all(['/', '/ssr'], cookie('en-US')),
  ...all(['/', '/ssr'], from('example.com')),
  ...all([
    '/listed/one',
    '/listed/one/',
    '/en-US/listed/one',
    '/slash',
    '/slash/',
    '/cdn/mine',
    '/old',
    '/old/',
    '/en-US/old/',
  ]),
  ...all([
    '/{chunk}',
    '/cdn/{chunk}',
    '/cdn/cdn/{chunk}',
    '/cdn/_next/static/nowhere.js',
    '/en-US/{chunk}',
    '/cdn/_next/',
    '/cdn/_next',
    '/CDN/{chunk}',
    '/cdn/_next/image',
    '/cdn/en-US/{chunk}',
  ]),
  ...[
    'index',
    'en-US',
    'EN-us',
    'en-US/index',
    'ssr',
    'en-US/ssr',
    'fr/ssr',
    'post/one',
    'en-US/post/one',
    'en-US/deep',
    'en-US/nowhere',
  ].flatMap(page => all([`/_next/data/{buildId}/${page}.json`, `/cdn/_next/data/{buildId}/${page}.json`])),
  ...all([
    '/ssr.page',
    '/index.page',
    '/post/[slug]',
    '/build/out/BUILD_ID',
    '/ssr//',
    '/ssr/?x=1',
    '/?x=1',
    '/en-US?x=1',
    '/a/../ssr/',
  ]),
  ...each(['HEAD', 'POST', 'OPTIONS'], '/en-US/ssr/'),
]
