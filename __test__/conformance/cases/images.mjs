// images: what /_next/image answers, for every kind of picture, from everywhere, and what it refuses.
import { linesFrom } from '../../support/workspace.mjs'
import { each, get, head, post, raw, sequence } from '../case.mjs'

/** @typedef {import('../case.mjs').Case} Case */
/** @typedef {import('../case.mjs').Options} Options */

const WEBP = { Accept: 'image/webp,*/*' }
const AVIF = { Accept: 'image/avif,image/webp,*/*' }
const ANY = { Accept: '*/*' }

/** @param {string} url @param {number | string} [w] @param {number | string} [q] */
const target = (url, w = 320, q = 75) => {
  // Placeholders are filled in later.
  const encoded = encodeURIComponent(url).replaceAll('%7B', '{').replaceAll('%7D', '}')
  return `/_next/image?url=${encoded}&w=${w}&q=${q}`
}

/** A picture by its name in public/img. @param {string} name @param {Options} [options] @param {number} [w] @param {number} [q] */
const picture = (name, options, w, q) => get(target(`/img/${name}`, w, q), options)

/** A picture twice: made, and from the cache. @param {string} name @param {Options} [options] @param {number} [w] @param {number} [q] */
const twice = (name, options, w, q) =>
  sequence(`${name} twice at ${w ?? 320} ${q ?? 75} | ${JSON.stringify(options?.headers ?? '')}`, [
    picture(name, options, w, q),
    picture(name, options, w, q),
  ])

const kinds = [
  'progressive.jpg',
  'inks.jpg',
  'p3.jpg',
  'grey.jpg',
  'sixteen.png',
  'interlaced.png',
  'palette.png',
  'grey-alpha.png',
  'photo.webp',
  'drawing.webp',
  'photo.avif',
  'alpha.avif',
  'still.gif',
  'photo.tiff',
]

/** Sources that are sent as they are, or refused. */
const others = [
  'moving.gif',
  'moving.webp',
  'moving.png',
  'drawing.svg',
  'commented.svg',
  'icon.ico',
  'two.bmp',
  'only.icns',
  'only.jxl',
  'only.heic',
  'only.jp2',
  'only.pdf',
  'no-picture.png',
  'page.html',
  'nothing.png',
  'bomb.png',
  'bomb.jpg',
  'truncated.jpg',
  'damaged.png',
]

/** @type {Case[]} */
const asked = [
  // Every parameter, and the order in which they are looked at.
  ...[
    '',
    '?url=',
    '?url=%2Fimg%2Ftiny.png',
    '?w=320&q=75',
    '?url=/img/tiny.png&url=/img/tiny.png&w=320&q=75',
    `?url=/${'a'.repeat(3072)}&w=320&q=75`,
    '?url=//example.com/a.png&w=320&q=75',
    '?url=/_next/image&w=320&q=75',
    '?url=/img/_next/image/x&w=320&q=75',
    '?url=%2F_next%2Fimage%3Furl%3D%2Fimg%2Ftiny.png&w=320&q=75',
    '?url=/%255fnext/image&w=320&q=75',
    '?url=/other/tiny.png&w=320&q=75',
    '?url=/img/tiny.png%3Fv=1&w=320&q=75',
    '?url=/img/../other/tiny.png&w=320&q=75',
    '?url=/img/%252e%252e/other/tiny.png&w=320&q=75',
    '?url=/img%5C..%5Cother%5Ctiny.png&w=320&q=75',
    '?url=/%5Cexample.com/img/x&w=320&q=75',
    '?url=tiny.png&w=320&q=75',
    '?url=ftp://127.0.0.1/picture/x&w=320&q=75',
    '?url=javascript:alert(1)&w=320&q=75',
    '?url=data:image/png;base64,AA&w=320&q=75',
    '?url=http://[&w=320&q=75',
    '?url=https://evil.example/picture/x&w=320&q=75',
    '?url=https://a.example.com.evil.org/x&w=320&q=75',
    '?url=http://a.example.com/x&w=320&q=75',
    '?url=https://a.example.com/x%3Fy&w=320&q=75',
    '?url=http://127.0.0.1/other/x&w=320&q=75',
    '?url=/img/tiny.png&w=320&w=640&q=75',
    '?url=/img/tiny.png&w=&q=75',
    '?url=/img/tiny.png&w=-320&q=75',
    '?url=/img/tiny.png&w=320.5&q=75',
    '?url=/img/tiny.png&w=3e2&q=75',
    '?url=/img/tiny.png&w=0&q=75',
    '?url=/img/tiny.png&w=321&q=75',
    '?url=/img/tiny.png&w=99999999999999999999999&q=75',
    '?url=/img/tiny.png&w=320',
    '?url=/img/tiny.png&w=320&q=75&q=75',
    '?url=/img/tiny.png&w=320&q=x',
    '?url=/img/tiny.png&w=320&q=0',
    '?url=/img/tiny.png&w=320&q=101',
    '?url=/img/tiny.png&w=320&q=74',
    '?url=/img/tiny.png&w=320&q=074',
    '?url=/img/%25ff&w=320&q=75',
    '?url=%00/img/tiny.png&w=320&q=75',
  ].map(search => get(`/_next/image${search}`)),
  get('/_next/image/', { note: 'a slash' }),
  get('/_next/image/x?url=/img/tiny.png&w=320&q=75'),
  get('/_next/imagex?url=/img/tiny.png&w=320&q=75'),
  get('/_next/image?url=/img/tiny.png&w=0320&q=075', { headers: ANY, note: 'numbers with a nought' }),
  get('/_next/image?url=/img/tiny.png&w=320&q=75&more=1', { headers: WEBP, note: 'other parameters' }),
]

/** @type {Case[]} */
const negotiated = [
  undefined,
  '',
  '*/*',
  'image/*',
  'image/png',
  'image/webp',
  'image/avif;q=0.5,image/webp',
  'image/avif;q=0,image/webp',
  'image/*,image/webp;q=0.1',
  'IMAGE/WEBP',
  'image/webp;q=0',
  'image/webp;',
  'text/html',
  'nonsense',
].flatMap(accept => [picture('photo.jpg', { headers: accept === undefined ? {} : { Accept: accept } }, 64)])

/** @type {Case[]} */
const made = [
  twice('photo.jpg', { headers: WEBP }),
  twice('photo.jpg', { headers: AVIF }),
  twice('photo.jpg', { headers: ANY }),
  twice('drawing.png', { headers: WEBP }),
  twice('drawing.png', { headers: AVIF }),
  twice('drawing.png', { headers: ANY }),
  ...kinds.flatMap(name => [picture(name, { headers: WEBP }, 64), picture(name, { headers: ANY }, 320)]),
  picture('photo.avif', { headers: AVIF }),
  picture('alpha.avif', { headers: AVIF }, 64),
  ...[2, 3, 4, 5, 6, 7, 8].map(number => picture(`orientation-${number}.jpg`, { headers: WEBP }, 64)),
  picture('orientation-6.jpg', { headers: AVIF }, 320),
  picture('photo.jpg', { headers: WEBP }, 1200, 50),
  picture('photo.jpg', { headers: ANY }, 16),
  picture('tiny.png', { headers: WEBP }, 1200),
  picture('tiny.png', { headers: ANY }, 16),
  picture('flat.png', { headers: WEBP }, 16),
  picture('wide.png', { headers: WEBP }, 16),
  ...others.flatMap(name => [picture(name, { headers: ANY }), picture(name, { headers: WEBP })]),
  get(target('/img/with space.png'), { headers: ANY }),
  get(target('/img/with%20space.png'), { headers: ANY }),
  get(target('/img/ünïcode.png'), { headers: ANY }),
  get(target('/img/%C3%BCn%C3%AFcode.png'), { headers: ANY }),
  get(target('/img/missing.png'), { headers: ANY }),
  get(target('/img'), { headers: ANY }),
  get(target('/{media}'), { headers: ANY, note: 'a file of the build' }),
  get(target('/moved/tiny.png'), { headers: ANY }),
  sequence('a source with an age of its own', [
    picture('aged.png', { headers: ANY }),
    picture('aged.png', { headers: ANY }),
  ]),
]

/** @type {Case[]} */
const conditional = [
  sequence('methods', [
    head(target('/img/tiny.png', 64), { headers: WEBP }),
    get(target('/img/tiny.png', 64), { headers: WEBP }),
    head(target('/img/tiny.png', 64), { headers: WEBP }),
  ]),
  post(target('/img/tiny.png', 320), '', { headers: WEBP }),
  ...each(['OPTIONS', 'PUT', 'DELETE'], target('/img/photo.jpg', 16), { headers: WEBP }),
  picture('photo.jpg', { headers: { ...WEBP, 'If-None-Match': `{ownEtag:${target('/img/photo.jpg', 16)}}` } }, 16),
  picture('photo.jpg', { headers: { ...WEBP, 'If-None-Match': `"x", {ownEtag:${target('/img/photo.jpg', 16)}}` } }, 16),
  picture('photo.jpg', { headers: { ...WEBP, 'If-None-Match': '*' } }, 16),
  picture('photo.jpg', { headers: { ...WEBP, 'If-None-Match': '"other"' } }, 16),
  picture('photo.jpg', { headers: { ...WEBP, Range: 'bytes=0-9' } }, 16),
  head(target('/img/photo.jpg', 16), {
    headers: { ...WEBP, 'If-None-Match': `{ownEtag:${target('/img/photo.jpg', 16)}}` },
  }),
  picture('photo.jpg', { headers: { ...WEBP, 'Accept-Encoding': 'gzip' } }, 16),
  picture('icon.ico', { headers: { ...ANY, 'Accept-Encoding': 'gzip' } }, 16),
  get(`${target('/img/tiny.png', 64)}&rule=yes`, { headers: WEBP, note: 'with a header rule' }),
  get(`${target('/img/nowhere.png', 64)}&rule=yes`, { headers: WEBP, note: 'refused, with a header rule' }),
]

/** @type {Case[]} */
const handled = [
  get(target('/api/picture'), {
    headers: { ...ANY, Cookie: 'user=1', Authorization: 'x' },
    log: /picture asked by GET cookie=null agent=null/,
  }),
  get(target('/api/picture'), { headers: ANY }),
  get(target('/api/picture?v=2'), { headers: WEBP }),
  ...['missing', 'broken', 'teapot', 'empty', 'text', 'streamed', 'odd-type'].map(kind =>
    get(target(`/api/answers/${kind}`, 64), { headers: ANY }),
  ),
  get(target('/api/answers/streamed', 64), { headers: ANY, note: 'again' }),
  get(target('/api/redirected', 64), { headers: ANY }),
  get(target('/api/unknown', 64), { headers: ANY }),
]

/** @param {string} path */
const remote = path => target(`http://127.0.0.1:{targetPort}${path}`, 64)

/** @type {Case[]} */
const remotes = [
  '/picture/tiny.png',
  '/picture/aged.png?max=500',
  '/picture/tagged.png',
  '/picture/gzip.png',
  '/picture/deflate.png',
  '/picture/brotli.png',
  '/picture/six-codings.png',
  '/picture/unknown-coding.png',
  '/picture/html',
  '/picture/empty',
  '/picture/large',
  '/picture/large-gzip',
  '/picture/status/404',
  '/picture/status/500',
  '/picture/status/304',
  '/picture/status/204',
  '/picture/redirect/1',
  '/picture/redirect/3',
  '/picture/redirect/4',
  '/picture/redirect-nowhere',
  '/picture/redirect-other-scheme',
  '/picture/broken-off',
].map(path => get(remote(path), { headers: ANY }))

/** @type {Case[]} */
const privates = [
  get(remote('/picture/tiny.png'), { headers: ANY }),
  get(target('http://localhost:{targetPort}/picture/tiny.png', 64), { headers: ANY }),
  get(target('http://127.1:{targetPort}/picture/tiny.png', 64), { headers: ANY }),
  get(target('http://[::1]:{targetPort}/picture/tiny.png', 64), { headers: ANY }),
  get(target('http://nowhere.invalid/x', 64), { headers: ANY }),
]

/** @type {import('./index.mjs').Suite[]} */
export const images = [
  {
    fixture: 'images',
    target: true,
    cases: [...asked, ...negotiated, ...made, ...conditional, ...handled, ...privates],
  },
  { fixture: 'images', target: true, env: { IMAGES: 'local' }, cases: named('allowing local addresses', remotes) },
  {
    fixture: 'images',
    env: { IMAGES: 'open' },
    cases: named('open', [
      picture('drawing.svg', { headers: WEBP }),
      picture('drawing.svg', { headers: { ...WEBP, 'Accept-Encoding': 'gzip' } }),
      picture('scripted.svg', { headers: WEBP }),
      picture('commented.svg', { headers: WEBP }),
      picture('photo.jpg', { headers: AVIF }, 64, 100),
      get(target('/other/tiny.png'), { headers: ANY }),
      get(target('/img/tiny.png?v=1'), { headers: ANY }),
      get('/_next/image?url=/%5C[&w=320&q=75'),
    ]),
  },
  ...['unoptimized', 'loader'].map(variant => ({
    fixture: 'images',
    env: { IMAGES: variant },
    cases: named(variant, [picture('tiny.png', { headers: ANY }), get('/_next/image'), head(target('/img/tiny.png'))]),
  })),
  {
    fixture: 'images',
    env: { IMAGES: 'no-disk' },
    lines: [...linesFrom('15.5.14', '16.0.0'), ...linesFrom('16.1.7')],
    cases: named('nothing kept', [twice('tiny.png', { headers: ANY })]),
  },
  {
    fixture: 'images',
    target: true,
    env: { IMAGES: 'domains' },
    cases: named('domains', [
      get(remote('/anything/tiny.png'), { headers: ANY }),
      get(remote('/picture/tiny.png'), { headers: ANY }),
      get(target('http://127.0.0.2/x')),
    ]),
  },
  {
    fixture: 'images',
    env: { IMAGES: 'handler' },
    lines: linesFrom('16.3.8'),
    cases: named('a cache handler', [
      { ...picture('tiny.png', { headers: ANY }), log: /cache handler: set 43 IMAGE png 60 60/ },
      { ...picture('tiny.png', { headers: ANY }), log: /cache handler: get 43/ },
      get(target('/api/picture'), { headers: WEBP, log: /cache handler: set 43 IMAGE webp 90 90/ }),
      picture('missing.png', { headers: ANY }),
    ]),
  },
  {
    fixture: 'images',
    env: { IMAGES: 'brief' },
    // Before, what upstream made anew was stale again at once.
    lines: linesFrom('16.4.0'),
    cases: named('one second', [
      sequence('from made to stale and made anew', [
        picture('photo.jpg', { headers: WEBP }, 64),
        picture('photo.jpg', { headers: WEBP }, 64),
        picture('photo.jpg', { headers: WEBP, until: /X-Nextjs-Cache: STALE/ }, 64),
        picture('photo.jpg', { headers: WEBP, until: /X-Nextjs-Cache: HIT/ }, 64),
      ]),
    ]),
  },
]

/** @param {string} suffix @param {Case[]} cases */
function named(suffix, cases) {
  return cases.map(test => ({ ...test, name: `${test.name} | ${suffix}` }))
}

// A raw request: what no client library would send.
images[0]?.cases.push(
  raw(
    'image with a space in its target',
    'GET /_next/image?url=/img/with space.png&w=64&q=75 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  ),
)
