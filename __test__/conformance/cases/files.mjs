// Files: public/ with every odd name and type, and the build's own.
import { readdirSync } from 'node:fs'
import { each, get, head } from '../case.mjs'

const types = readdirSync(new URL('../../fixtures/static-files/public/types/', import.meta.url)).sort()

const names = [
  ...[
    '/plain.txt',
    '/empty.txt',
    '/large.txt',
    '/binary.bin',
    '/no-extension',
    '/unknown.qqq',
    '/UPPER.TXT',
    '/upper.txt',
  ],
  ...[
    '/with%20space.txt',
    '/with+space.txt',
    '/%C3%BCn%C3%AFcode.txt',
    '/%c3%bcn%c3%afcode.txt',
    '/\xc3\xbcn\xc3\xafcode.txt',
  ],
  ...['/u%CC%88n%C3%AFcode.txt', '/emoji-%F0%9F%98%80.txt', '/100%25.txt', '/100%.txt', '/a%20b.txt', '/a%2520b.txt'],
  ...[
    '/plus+sign.txt',
    '/plus%2Bsign.txt',
    '/plus%20sign.txt',
    '/semi;colon.txt',
    '/semi%3Bcolon.txt',
    "/quo'te&amp.txt",
  ],
  ...['/brackets[1](2).txt', '/brackets%5B1%5D(2).txt', '/hash%23tag.txt', '/hash#tag.txt', '/two.dots.min.js'],
  ...[
    '/.dotfile',
    '/%2edotfile',
    '/.well-known/thing',
    '/.well-known/assetlinks.json',
    '/.well-known',
    '/.well-known/',
  ],
  ...[
    '/nested/deep/file.txt',
    '/nested',
    '/nested/',
    '/nested/deep',
    '/nested/index.html',
    '/nested/index',
    '/vorbidden..txt',
  ],
  ...[
    '/nested/deep/../deep/file.txt',
    '/nested/./deep/file.txt',
    '/nested%2Fdeep%2Ffile.txt',
    '/nested/deep//file.txt',
  ],
  ...[
    '/plain.txt/',
    '/plain.txt/x',
    '/plain.txt?x=1',
    '/plain.txt?',
    '/plain.txt%20',
    '/plain.txt%00',
    '/PLAIN.txt',
    '/plain',
  ],
  ...['/%70lain.txt', '/plain%2Etxt', '/public/plain.txt', '/static/plain.txt', '/both', '/both.html', '/robots.txt'],
  ...[
    '/favicon.ico',
    '/sw.js',
    '/_next-like/x.txt',
    '/nowhere.txt',
    '/nested/nowhere.txt',
    '/..%2fplain.txt',
    '/../plain.txt',
  ],
]

const RANGES = [
  ...[
    'bytes=0-0',
    'bytes=0-9',
    'bytes=5-',
    'bytes=-5',
    'bytes=0-',
    'bytes=-0',
    'bytes=9-5',
    'bytes=5-99999',
    'bytes=99999-',
  ],
  ...[
    'bytes=0-1,3-4',
    'bytes=0-1,99999-',
    'bytes=-99999',
    'bytes=a-b',
    'bytes=',
    'bytes',
    'items=0-5',
    'bytes = 0-4',
    'BYTES=0-4',
  ],
]

const ranges = [
  ...RANGES.map(range => get('/plain.txt', { headers: { range } })),
  get('/empty.txt', { headers: { range: 'bytes=0-0' } }),
  get('/large.txt', { headers: { range: 'bytes=0-4999', 'accept-encoding': 'gzip' } }),
  get('/large.txt', { headers: { range: 'bytes=0-99', 'accept-encoding': 'gzip' } }),
  get('/large.txt', { headers: { range: 'bytes=999999-' } }),
  head('/large.txt', { headers: { range: 'bytes=0-99' } }),
  get('/{chunk}', { headers: { range: 'bytes=0-99' } }),
  get('/{chunk}', { headers: { range: 'bytes=9999999-' } }),
  ...[
    '{etag:/plain.txt}',
    'W/"wrong"',
    '"strong"',
    'Wed, 21 Oct 2099 07:28:00 GMT',
    'Wed, 21 Oct 2015 07:28:00 GMT',
  ].map(value => get('/plain.txt', { headers: { range: 'bytes=0-3', 'if-range': value } })),
  ...['{etag:/plain.txt}', '*', 'W/"x"', '"x", {etag:/plain.txt}'].map(value =>
    get('/plain.txt', { headers: { 'if-match': value } }),
  ),
  ...['Wed, 21 Oct 2099 07:28:00 GMT', 'Wed, 21 Oct 2015 07:28:00 GMT', 'x'].map(value =>
    get('/plain.txt', { headers: { 'if-unmodified-since': value } }),
  ),
]

const METHODS = ['HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']

const built = [
  get('/{chunk}'),
  get('/{chunk}?dpl=x'),
  get('//{chunk}'),
  get('/{chunk}/'),
  get('/_next/static/{buildId}/_buildManifest.js'),
  get('/_next/static/{buildId}/_ssgManifest.js'),
  ...['/_next/static', '/_next/static/', '/_next/static/chunks', '/_next/static/nowhere.js', '/_next/static/%zz'].map(
    path => get(path),
  ),
  ...[
    '/_next/static/../BUILD_ID',
    '/_next/static/..%2fBUILD_ID',
    '/_next/static/%2e%2e/BUILD_ID',
    '/_next/static/chunks/..%5c',
    '/_next/static/..%5c..%5cBUILD_ID',
    '/_next/static/%2e%2e%5cBUILD_ID',
    '/_next/static/C:/BUILD_ID',
    '/_next/static/c:%5cBUILD_ID',
    '/{chunk}::$DATA',
    '/{chunk}%00',
    '/{chunk}.',
    '/{chunk}%20',
  ].map(path => get(path)),
  ...[
    '/..%5cpackage.json',
    '/..\\package.json',
    '/nested%5c..%5c..%5cpackage.json',
    '/C:/package.json',
    '/c:%5cpackage.json',
    '/c%3A%2Fpackage.json',
    '/%5c%5c%3f%5cC:%5cpackage.json',
    '/%5c%5clocalhost%5cshare',
    '/plain.txt::$DATA',
    '/plain.txt%3A%3A%24DATA',
    '/plain.txt:stream',
    '/plain.txt%00.png',
    '/plain.txt.',
    '/plain.txt%20',
    '/PLAIN~1.TXT',
  ].map(path => get(path, { note: 'nothing outside of the folders' })),
  ...[
    '/_next',
    '/_next/',
    '/_next/BUILD_ID',
    '/_next/server/pages/index.html',
    '/_next/nowhere',
    '/.next/BUILD_ID',
  ].map(path => get(path)),
  get('/_next/static/nowhere.js', { headers: { 'accept-encoding': 'gzip' } }),
  ...each(['HEAD', 'POST', 'OPTIONS'], '/_next/static/nowhere.js'),
  ...each(METHODS, '/{chunk}'),
]

const DESTINATIONS = [
  'image',
  'script',
  'style',
  'font',
  'audio',
  'video',
  'track',
  'manifest',
  'worker',
  'sharedworker',
  'serviceworker',
]
const OTHER_DESTINATIONS = [
  'document',
  'iframe',
  'empty',
  'embed',
  'object',
  'json',
  'xslt',
  'report',
  'audioworklet',
  'IMAGE',
  '',
]

export default [
  ...names.map(path => get(path)),
  ...types.map(name => get(`/types/${name}`)),
  ...types
    .filter(name => /\.(js|svg|json|wasm|png|zip|html|xml|mjs|ics)$/.test(name))
    .map(name => get(`/types/${name}`, { headers: { 'accept-encoding': 'gzip' } })),
  ...each(METHODS, '/plain.txt'),
  ...each(['HEAD', 'POST', 'OPTIONS'], '/.dotfile'),
  ...each(['HEAD', 'OPTIONS'], '/nested'),
  ...ranges,
  ...built,
  ...[...DESTINATIONS, ...OTHER_DESTINATIONS].map(value =>
    get('/nowhere.png', { headers: { 'sec-fetch-dest': value } }),
  ),
  get('/nowhere', { method: 'POST', headers: { 'sec-fetch-dest': 'image' } }),
  head('/nowhere', { headers: { 'sec-fetch-dest': 'image' } }),
  get('/plain.txt', { headers: { 'sec-fetch-dest': 'image' } }),
]
