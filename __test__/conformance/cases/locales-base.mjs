// i18n below a base path, with trailing slashes: rewrites with parameters, and absolute targets.
import { all, each, get, rsc } from '../case.mjs'
import { absolute } from './hostile.mjs'

/** @param {string} host @param {Record<string, string>} [headers] */
const from = (host, headers = {}) => ({ headers: { Host: host, ...headers } })
/** @param {string} value */
const language = value => ({ headers: { 'accept-language': value } })
/** @param {string} value */
const cookie = value => ({ headers: { cookie: `NEXT_LOCALE=${value}` } })

/** Rewrites with parameters, onto what they can lead to. */
const rewritten = ['before', 'after', 'fallback'].flatMap(time => [
  ...['', '/en', '/fr'].flatMap(locale => [
    ...all(
      [
        'api/1/',
        'api-used/1/',
        'api-other/1/',
        'api-plain/1/',
        'files/a/b/',
        'item/1/',
        'item-used/1/',
        'item-other/1/',
        'catch/a/b/',
        'post/one/',
        'route/1/',
        'route-other/1/',
        'any-api/1/',
        'any-item/1/',
        'french-api/1/',
      ].flatMap(path => [`/site${locale}/${time}/${path}`, `/site${locale}/${time}/${path}?id=9&name=8&x=%20`]),
    ),
    ...all(
      ['api/1', 'item/1', 'item-other/1', 'catch/a/b', 'post/one', 'route/1', 'any-item/1'].map(
        page => `/site/_next/data/{buildId}${locale}/${time}/${page}.json`,
      ),
    ),
  ]),
  get(`/site/${time}/api/1/`, from('example.fr')),
  get(`/site/${time}/item/1/`, from('example.fr')),
  get(`/site/${time}/api/a%20b%2Fc/`),
  get(`/site/${time}/files/a%20b/c/`),
  get(`/site/${time}/files/`),
  get(`/site/${time}/api/1`),
])

/** Below a base path, in absolute form: the slashes of the scheme alone make each of them one with repeated slashes. */
const absolutesBase = [
  ...absolute([
    '',
    '/',
    '/site',
    '/site/?x=1',
    '/site/ssr?X=1',
    '/site/ssr/',
    '/site/fr',
    '/site/FR/',
    '/site/fr/ssr',
    '/site//fr/ssr/',
    '/site\\ssr',
    '/site/old',
    '/site/old/',
    '/site/fr/ancien/',
    '/outside',
    '/loin/',
    '/site/file.txt/',
    '/site/nowhere',
    '/site/../site/ssr',
    '/site/%zz/',
  ]),
  get('HTTP://LOCALHOST/site/', language('fr')),
  get('HTTP://LOCALHOST/site/', from('example.fr', { 'accept-language': 'en' })),
  get('HTTP://EXAMPLE.FR/site/', cookie('en')),
]

const noUrls = all(['http://u:p@/site/', 'http://localhost:x/site/'])

/** The same, routed as they were sent. */
export const absolutesAsSent = [...absolutesBase, ...noUrls]

/** Below a base path, with trailing slashes. */
export const localesBase = [
  ...['', '/site'].flatMap(base => [
    ...all(
      [
        '',
        '/',
        '/fr',
        '/fr/',
        '/FR/',
        '/en/',
        '/ssr',
        '/ssr/',
        '/fr/ssr',
        '/fr/ssr/',
        '/en/ssr/',
        '/post/one/',
        '/fr/post/two/',
      ].map(path => base + path || '/'),
    ),
    ...all(
      ['/', '/fr/', '/fr/ssr/', '/ssr/?x=1'].map(path => base + path),
      language('fr'),
    ),
    ...all(
      ['/', '/fr/', '/en/', '/ssr/', '/old/'].map(path => base + path),
      from('example.fr'),
    ),
    ...all(
      [
        '/old/',
        '/old',
        '/fr/old/',
        '/fr/ancien/',
        '/outside',
        '/outside/',
        '/loin',
        '/loin/',
        '/fr/loin',
        '/before/',
        '/fr/before/',
        '/to/a/',
        '/fr/to/a/',
      ].map(path => base + path),
    ),
    ...all(
      [
        '/fr/avant/',
        '/post/gone/',
        '/fr/post/lost/',
        '/closed/one/',
        '/fr/closed/one/',
        '/fr/closed/two/',
        '/closed/two/',
        '/into-french/',
        '/fr/%zz/',
        '/catch',
        '/catch/',
        '/fr/catch/a/',
        '/catch/a.b/',
        '/catch/a.b',
        '/404/',
        '/fr/404/',
      ].map(path => base + path),
    ),
    ...all(
      [
        '/api/seen',
        '/api/seen/',
        '/fr/api/seen/',
        '/file.txt',
        '/file.txt/',
        '/en/file.txt',
        '/fr/file.txt',
        '/nowhere',
        '/nowhere/',
        '/fr/nowhere/',
      ].map(path => base + path),
    ),
    ...all(
      [
        'index',
        'fr',
        'en',
        'ssr',
        'fr/ssr',
        'en/ssr',
        'fr/post/one',
        'post/one',
        'fr/catch',
        'fr/catch/a',
        'fr/nowhere',
        'fr/closed/one',
        'fr/closed/two',
        'closed/two',
        'fr/catch/%zz',
      ].map(page => `${base}/_next/data/{buildId}/${page}.json`),
    ),
    ...all([
      `${base}/_next/data/{buildId}/fr/ssr.json/`,
      `${base}/_next/data/wrong/fr/ssr.json`,
      `${base}/fr/_next/data/{buildId}/fr/ssr.json`,
    ]),
    ...all([
      `${base}/{chunk}`,
      `${base}/assets/{chunk}`,
      `/assets${base}/{chunk}`,
      `${base}/assets/_next/static/nowhere.js`,
      `${base}/fr/{chunk}`,
      `${base}/assets/fr/ssr/`,
    ]),
  ]),
  ...all([
    '/site/site',
    '/site/site/',
    '/site/fr/site/',
    '/fr/site/ssr/',
    '/SITE/ssr/',
    '/site%2Ffr/ssr/',
    '/site/%66r/ssr/',
    '/site//fr/ssr/',
    '/site/fr/../ssr/',
    '/documents/',
  ]),
  ...all(['/site', '/site/', '/site/site/'], cookie('fr')),
  ...all(['/site/', '/site'], from('example.fr', { 'accept-language': 'en' })),
  ...each(['HEAD', 'POST', 'OPTIONS'], '/site/fr/ssr/'),
  ...each(['HEAD', 'POST', 'OPTIONS'], '/site/fr/ssr'),
  rsc('/site/ssr/'),
  rsc('/site/ssr'),
  ...rewritten,
  ...absolutesBase,
]
