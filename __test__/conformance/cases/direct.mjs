// What the user's server asks of the app past the router, and of what is below the app (`app.server`).
import { call } from './custom-server.mjs'

/** What is below the app. */
const INNER = [
  ...[
    'hostname',
    'port',
    'options',
    'prepare',
    'close',
    'getRequestHandler',
    'getUpgradeHandler',
    'render',
    'renderToHTML',
  ],
  ...[
    'renderError',
    'renderErrorToHTML',
    'render404',
    'revalidate',
    'setAssetPrefix',
    'logError',
    'logErrorWithOriginalStack',
  ],
]

const below = [
  call('/x', { method: 'typeOf', args: ['upgradeHandler', 'call'] }),
  call('/x', { method: 'typeOf', args: ['server', ...INNER] }),
  call('/x', { method: 'inner', args: ['renderToHTML', '/plain'] }),
  call('/x?q=1', { method: 'inner', args: ['render404'] }),
  call('/x', { method: 'inner', args: ['render', '/server', { a: '1' }] }),
]

/** Past the router, where methods, data requests and slashes at the end are the page's own affair. */
const DIRECT = [
  '/',
  '/isr',
  '/plain',
  '/server',
  '/dynamic',
  '/item/one',
  '/item/two/',
  '/blog/first/',
  '/plain/',
  '/item/[id]/',
]
const direct = [
  ...[...DIRECT, '/item/new/', '/route', '/route/', '/edge', '/404', '/500', '/_error', '/_not-found'].flatMap(path => [
    call('/x', { method: 'renderToHTML', args: [path, { q: '1' }] }, { headers: { 'x-nextjs-data': '1' } }),
    call('/x', { method: 'renderToHTML', args: [path] }, { headers: { 'x-middleware-prefetch': '1' } }),
    ...['POST', 'OPTIONS', 'DELETE'].map(method => call('/x', { method: 'renderToHTML', args: [path] }, { method })),
  ]),
  ...DIRECT.map(path => call('/x', { method: 'inner', args: ['render', path] }, { method: 'POST' })),
  call('/x', { method: 'renderToHTML', args: ['/plain'] }, { method: 'POST', headers: { 'Next-Action': 'x' } }),
  call('/x', { method: 'renderToHTML', args: ['/isr'] }, { method: 'POST', headers: { 'Next-Action': 'x' } }),
]

/** @type {import('./index.mjs').Suite[]} */
export const pastTheRouter = [{ fixture: 'custom-server', serverFile: 'custom.mjs', cases: [...direct, ...below] }]
