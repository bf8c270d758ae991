// For which requests middleware runs, in every URL form of a page, with locales; and proxy.js behind a base path.
import { get, post, rsc } from '../case.mjs'
import { absolute } from './hostile.mjs'

const FORMS = [
  '/',
  '/ssr',
  '/ssr/',
  '/ssg/a',
  '/ssg/a/',
  '/ssg/b/',
  '/guarded',
  '/guarded/',
  '/guarded/secret/',
  '/guarded/none/',
  '/open/',
]
const LOCALES = ['', '/en', '/fr', '/FR', '/de-CH', '/es']
const MODES = ['', 'next', 'rewrite', 'rewrite-locale', 'redirect', 'redirect-locale']

/** @param {string} mode @returns {Record<string, string>} */
const inMode = mode => (mode ? { 'x-mode': mode } : {})

const data = ['index', 'ssr', 'ssg/a', 'ssg/b', 'guarded', 'guarded/secret', 'open', 'only-french'].flatMap(page =>
  ['', 'en/', 'fr/', 'es/'].map(locale => `/_next/data/{buildId}/${locale}${page}.json`),
)

const encodedForms = [
  '/%67uarded/secret/',
  '/guarded%2Fsecret/',
  '/GUARDED/secret/',
  '/guarded/./secret/',
  '/x/../guarded/secret/',
  '/guarded//secret/',
  '//guarded/secret/',
  '/guarded/secret/?x',
  '/guarded/secret.json',
  '/guarded/secret.rsc',
  '/guarded/secret/index.rsc',
  '/fr/guarded/%73ecret/',
  '/en/fr/guarded/secret/',
  '/guarded/sec%zzret/',
  '/guarded\\secret/',
  '/guarded/file.txt',
  '/fr/guarded/file.txt',
  '/guarded.txt',
  '/_next/data/{buildId}/guarded%2Fsecret.json',
  '/_next/data/{buildId}//guarded/secret.json',
  '/_next/data/{buildId}/en/../guarded/secret.json',
  '/_next/data/{buildId}/guarded/secret.json/',
  '/_next/data/wrong/guarded/secret.json',
  '/_next/data/wrong/en/guarded/secret.json',
  '/_next/data//guarded/secret.json',
]

/** @param {string} path @param {Record<string, string>[]} headers */
const withEach = (path, headers) => headers.map(each => get(path, { headers: each }))

export const i18n = [
  ...LOCALES.flatMap(locale => FORMS.map(form => get(`${locale}${form}`))),
  ...['/ssr/', '/fr/ssr/', '/ssg/a/', '/de-CH/ssg/a/', '/', '/fr/', '/api/hello/', '/fr/api/hello/'].flatMap(path =>
    MODES.map(mode => get(`${path}?q=1`, { headers: inMode(mode) })),
  ),
  ...data.map(target => get(target)),
  ...data.map(target => get(target, { headers: { 'x-nextjs-data': '1' } })),
  ...data.slice(0, 16).flatMap(target => MODES.slice(1).map(mode => get(target, { headers: inMode(mode) }))),
  ...encodedForms.map(path => get(path)),
  ...['/only-french/', '/fr/only-french/', '/en/only-french/', '/FR/only-french/'].map(path => get(path)),
  ...['', '/fr'].flatMap(locale => [
    ...withEach(`${locale}/with-header/`, [
      {},
      { 'x-key': 'a' },
      { 'x-key': 'ab' },
      { 'x-key': 'c' },
      { 'X-KEY': 'b' },
    ]),
    ...withEach(`${locale}/with-cookie/`, [
      {},
      { cookie: 'session=yes' },
      { cookie: 'session=yess' },
      { cookie: 'a=b; session=yes' },
    ]),
    ...withEach(`${locale}/with-host/`, [
      {},
      { host: 'guarded.example' },
      { host: 'guarded.example:8080' },
      { host: 'xguarded.example' },
    ]),
    ...withEach(`${locale}/without/`, [{}, { 'x-pass': '1' }, { 'x-pass': '' }]),
    ...['?key', '?key=', '?key=1', '?other=1', '?KEY=1', '?key=1&key=2'].map(query =>
      get(`${locale}/with-query/${query}`),
    ),
    ...['?pass', '?pass=1', '?x'].map(query => get(`${locale}/without/${query}`)),
  ]),
  ...['/', '/ssr/', '/ssg/a/', '/guarded/', '/fr/guarded/'].flatMap(path =>
    ['', 'next', 'rewrite', 'redirect'].map(mode => get(path, { headers: { host: 'example.fr', ...inMode(mode) } })),
  ),
  ...['fr', 'de-CH;q=0.9, en;q=0.8', 'xx'].map(language => get('/', { headers: { 'accept-language': language } })),
  ...['', 'next', 'rewrite'].map(mode => get('/', { headers: { cookie: 'NEXT_LOCALE=fr', ...inMode(mode) } })),
  ...['', 'redirect', 'redirect-locale'].flatMap(mode =>
    absolute(['', '/ssr', '/ssr/', '/FR/'], { headers: inMode(mode) }),
  ),
]

const PROXIED = [
  '/base',
  '/base/',
  '/base/docs',
  '/base/docs/',
  '/base/page/1',
  '/base/api/echo',
  '/base/file.txt',
  '/base/nowhere',
  '/docs',
  '/',
]

export const proxy = [
  ...PROXIED.flatMap(path => ['next', 'seen', 'answer'].map(mode => get(`${path}?proxy=${mode}`))),
  ...PROXIED.flatMap(path =>
    [
      'rewrite&to=/base/page/2%3Fx%3D1',
      'rewrite&to=/page/2',
      'rewrite-url&to=/page/2',
      'redirect&to=/base/docs',
      'redirect&to=/docs',
    ].map(mode => get(`${path}?proxy=${mode}`)),
  ),
  get('/base/open.txt?proxy=throw'),
  ...['/base/docs', '/base/api/echo', '/base/file.txt'].map(path =>
    get(`${path}?proxy=throw`, { log: /thrown by proxy/ }),
  ),
  get('/base/docs?proxy=wait', { log: /rejected after proxy/ }),
  ...['next', 'hash', 'answer', 'seen'].flatMap(mode => [
    post(`/base/api/echo?proxy=${mode}`, 'a body'),
    post(`/base/api/echo?proxy=${mode}`, ''),
    post(`/base/api/echo?proxy=${mode}`, 'x'.repeat(200_000)),
    post(`/base/page/1?proxy=${mode}`, 'a body'),
  ]),
  ...['/base/docs', '/base/page/1'].flatMap(path =>
    ['next', 'seen', 'rewrite&to=/base/page/2', 'redirect&to=/base/docs'].map(mode => rsc(`${path}?proxy=${mode}`)),
  ),
  ...[
    '/base/docs.rsc',
    '/base/index.rsc',
    '/base.rsc',
    '/base/docs.segments/_tree.segment.rsc',
    '/base/_next/data/{buildId}/docs.json',
    '/base//docs',
    '/BASE/docs',
    '/base/%64ocs',
  ].map(path => get(`${path}?proxy=seen`)),
]

export const oneLocale = ['guarded', 'guarded/secret', 'root', 'open', 'nowhere'].flatMap(page => [
  ...['', '/en', '/EN', '/fr'].map(locale => get(`${locale}/${page}`)),
  ...['', 'en/', 'fr/'].map(locale => get(`/_next/data/{buildId}/${locale}${page}.json`)),
  get(`/_next/data/wrong/${page}.json`),
])
