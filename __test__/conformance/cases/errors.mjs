// Error pages: built-in ones, and an app that has both routers.
import { each, get, post, rsc } from '../case.mjs'

const METHODS = ['HEAD', 'POST', 'OPTIONS', 'PUT']
/** @param {string[]} paths */
const all = paths => paths.map(path => get(path))
const ERROR_PATHS = [
  '/404',
  '/500',
  '/400',
  '/405',
  '/_error',
  '/_app',
  '/_document',
  '/_not-found',
  '/_global-error',
  '/nowhere',
  '/%zz',
]

export const plain = [
  ...all([
    '/',
    '/ssr',
    '/ssr?missing=1',
    '/api/throws',
    '/api/nowhere',
    '/api/large',
    '/file.txt',
    '/_next/static/x.js',
    ...ERROR_PATHS,
  ]),
  get('/ssr?throw=1', { log: /plain page broke/ }),
  ...['/', '/api/large', '/file.txt', '/nowhere'].map(path => get(path, { headers: { 'accept-encoding': 'gzip' } })),
  ...['/', '/ssr', '/nowhere', '/file.txt', '/_error'].flatMap(path => each(METHODS, path)),
  get('/file.txt', { headers: { range: 'bytes=999-' } }),
  get('/file.txt', { headers: { 'if-match': '"x"' } }),
  get('/', { headers: { 'if-none-match': '*' } }),
  get('/_next/data/{buildId}/nowhere.json'),
  get('/_next/data/{buildId}/ssr.json?throw=1'),
  get('/nowhere.png', { headers: { 'sec-fetch-dest': 'image' } }),
]

export const mixed = [
  ...all([
    '/',
    '/ssr',
    '/ssg',
    '/ssr?missing=1',
    '/both/fixed',
    '/both/other',
    '/app-handler',
    '/api/hello',
    '/api/nowhere',
    ...ERROR_PATHS,
  ]),
  get('/ssr?throw=1', { log: /pages ssr broke/ }),
  get('/app-throws', { log: /app page broke/ }),
  get('/app-missing'),
  get('/api/throws', { log: /mixed api broke/ }),
  ...['/', '/ssg', '/ssr', '/nowhere', '/app-throws', '/app-missing', '/app-handler', '/api/hello'].flatMap(path =>
    each(METHODS, path),
  ),
  ...['/', '/ssg', '/nowhere', '/app-throws', '/app-missing', '/ssr?throw=1'].map(path => rsc(path)),
  ...['/ssg.json', '/ssr.json?missing=1', '/ssr.json?throw=1', '/nowhere.json', '/index.json', '/app-handler.json'].map(
    path => get(`/_next/data/{buildId}${path}`),
  ),
  get('/_next/data/{buildId}/nowhere.json', { headers: { 'x-nextjs-data': '1' } }),
  post('/nowhere', 'a=1'),
  get('/nowhere', { headers: { 'accept-encoding': 'gzip' } }),
  get('/nowhere.png', { headers: { 'sec-fetch-dest': 'image' } }),
]
