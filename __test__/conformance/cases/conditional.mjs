// Conditional requests and encodings, for the kinds of answer that every fixture can name a path for.
import { get, head, sequence } from '../case.mjs'

const ENCODINGS = ['gzip', 'gzip, br', 'br', 'deflate', 'deflate, gzip', 'identity', 'gzip;q=0', '*', '*;q=0', '']
const MORE_ENCODINGS = [
  'gzip;q=0.5, deflate;q=0.9',
  'GZIP',
  'x-gzip',
  'gzip;q=1.5',
  'identity;q=0',
  'zstd',
  ', gzip',
  'gzip;q=',
  'gzip, deflate, br, zstd',
  'br;q=1.0, gzip;q=0.8, *;q=0.1',
  'gzip;q=0.5, br;q=0.5',
  'gzip;q=0.8, zstd;q=0.9',
  'zstd, br',
  'identity, br',
  'br;q=0, *',
]
const DATES = ['Wed, 21 Oct 2099 07:28:00 GMT', 'Wed, 21 Oct 2015 07:28:00 GMT', 'rubbish', '']

/** @param {string} path @param {string[]} encodings */
const encoded = (path, encodings = ENCODINGS) =>
  encodings.map(value => get(path, { headers: { 'accept-encoding': value } }))

/** Asks once for the validators, then with each. @param {string} path @param {string} etag what upstream sends for it */
const conditional = (path, etag) => [
  ...[
    etag,
    `W/${etag}`,
    `"x", ${etag}`,
    `"x",${etag} , "y"`,
    '"wrong"',
    '*',
    'W/"wrong"',
    etag.replace('{etag:', '{bareEtag:'),
    '',
  ].map(value => get(path, { headers: { 'if-none-match': value } })),
  ...DATES.map(value => get(path, { headers: { 'if-modified-since': value } })),
  get(path, { headers: { 'if-none-match': etag, 'cache-control': 'no-cache' } }),
  get(path, { headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' } }),
  get(path, { headers: { 'if-none-match': etag, 'if-modified-since': DATES[1] ?? '' } }),
  get(path, { headers: { 'if-none-match': '"wrong"', 'if-modified-since': DATES[0] ?? '' } }),
  get(path, { headers: { 'if-none-match': etag, 'accept-encoding': 'gzip' } }),
  get(path, { headers: { 'if-match': '"wrong"' } }),
  head(path, { headers: { 'if-none-match': etag } }),
]

export const app = [
  ...conditional('/isr', '{etag:/isr}'),
  ...conditional('/', '{etag:/}'),
  get('/api/isr', { headers: { 'if-none-match': '*' } }),
  get('/nowhere', { headers: { 'if-none-match': '*' } }),
  get('/dynamic', { headers: { 'if-none-match': '*' } }),
  get('/isr?_rsc', { headers: { rsc: '1', 'if-none-match': '*' } }),
  get('/isr', { headers: { range: 'bytes=0-9' } }),
  ...encoded('/large', [...ENCODINGS, ...MORE_ENCODINGS]),
  ...encoded('/api/stream', ['br', 'zstd', 'deflate', '*', 'gzip, deflate, br, zstd']),
  get('/large', {
    headers: [
      ['accept-encoding', 'br'],
      ['accept-encoding', 'gzip'],
    ],
    note: 'two lines',
  }),
  sequence('HEAD of a compressed page', [head('/large', { headers: { 'accept-encoding': 'gzip' } })]),
]

export const pages = [
  ...conditional('/ssg', '{etag:/ssg}'),
  ...conditional('/', '{etag:/}'),
  ...conditional('/_next/data/{buildId}/ssg.json', '{etag:/_next/data/{buildId}/ssg.json}'),
  get('/ssr', { headers: { 'if-none-match': '*' } }),
  get('/api/json', { headers: { 'if-none-match': '*' } }),
  get('/nowhere', { headers: { 'if-none-match': '*' } }),
  ...encoded('/large', [...ENCODINGS, ...MORE_ENCODINGS]),
  ...encoded('/_next/data/{buildId}/large.json', ['gzip', 'br', 'deflate']),
  ...encoded('/api/send?kind=large', ['gzip', 'br', 'deflate', '']),
]

export const files = [
  ...conditional('/plain.txt', '{etag:/plain.txt}'),
  ...conditional('/{chunk}', '{etag:/{chunk}}'),
  ...encoded('/large.txt', [...ENCODINGS, ...MORE_ENCODINGS]),
  ...encoded('/binary.bin', ['gzip', '*']),
  ...encoded('/threshold-1023.txt', ['gzip', 'br', 'zstd']),
  ...encoded('/threshold-1024.txt', ['gzip', 'br', 'zstd']),
  get('/large.txt', { headers: { range: 'bytes=0-4999', 'accept-encoding': 'br' } }),
  get('/large.txt', { headers: { range: 'bytes=0-4,10-14,20-', 'accept-encoding': 'br' } }),
  head('/large.txt', { headers: { 'accept-encoding': 'br' } }),
  get('/large.txt', { headers: { 'if-none-match': '{etag:/large.txt}', 'accept-encoding': 'zstd' } }),
  ...encoded('/{chunk}', ['gzip', 'gzip, br', 'br', 'deflate']),
]
