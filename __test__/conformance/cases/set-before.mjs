// What the user's server has set on the response before it calls the handler, against every kind of answer: who wins depends on what
// the answer is made of, so that each kind is asked with each of them.
import { linesFrom } from '../../support/workspace.mjs'
import { call } from './custom-server.mjs'

const LONG_AGO = 'Wed, 21 Oct 2015 07:28:00 GMT'

/** Few at a time, so that one difference does not hide another. */
const SET = [
  { status: 201 },
  { status: 404 },
  { status: 500, res: { statusMessage: 'My Words' } },
  { res: { statusMessage: 'My Words' } },
  { headers: { 'Cache-Control': 'private, max-age=7' } },
  { headers: { 'Content-Type': 'text/x-mine' } },
  { headers: { Vary: 'X-Mine' } },
  { headers: { ETag: '"mine"', 'Last-Modified': LONG_AGO } },
  { headers: { 'x-rule': 'mine', 'x-everywhere': 'mine', 'x-middleware': 'mine', 'x-both': 'mine' } },
  { headers: { 'X-Powered-By': 'me', Location: '/mine', 'Accept-Ranges': 'none', 'Content-Disposition': 'inline' } },
  { headers: { 'Set-Cookie': ['a=1', 'b=2'], Link: '</x>; rel=preload' } },
]

/** The same against what the request asks for. @type {{ what: Record<string, unknown>, sent: Record<string, string> }[]} */
const CONDITIONS = [
  { what: { status: 404 }, sent: { 'If-None-Match': '*' } },
  { what: { headers: { ETag: '"mine"' } }, sent: { 'If-None-Match': '"mine"' } },
  { what: { headers: { 'Last-Modified': LONG_AGO } }, sent: { 'If-Modified-Since': LONG_AGO } },
  { what: { status: 404 }, sent: { Range: 'bytes=0-1' } },
  { what: { status: 404 }, sent: { 'Accept-Encoding': 'gzip' } },
  { what: { headers: { Vary: 'X-Mine' } }, sent: { 'Accept-Encoding': 'gzip' } },
  { what: { headers: { 'Content-Type': 'image/png' } }, sent: { 'Accept-Encoding': 'gzip' } },
  { what: { headers: { 'Cache-Control': 'no-transform' } }, sent: { 'Accept-Encoding': 'gzip' } },
]

/** @param {string[]} targets @param {Record<string, string>} [sent] */
const onEach = (targets, sent = {}) =>
  targets.flatMap(target => [
    ...SET.map(what => call(target, what, { headers: sent })),
    ...CONDITIONS.map(({ what, sent: more }) => call(target, what, { headers: { ...sent, ...more } })),
    call(target, { status: 404 }, { method: 'HEAD', headers: sent }),
    call(target, { status: 404 }, { method: 'POST', headers: sent }),
  ])

const metadata = ['/favicon.ico', '/robots.txt', '/card/opengraph-image.png']
const handlers = ['static', 'isr', 'echo', 'edge', 'redirect', 'not-found', 'encoded']
const missing = ['/missing/static', '/missing/dynamic', '/closed/none', '/none', '/_next/static/none.js']

const app = [
  ...onEach(['/', '/isr', '/dynamic', '/redirects/static', '/redirects/dynamic', '/{chunk}']),
  ...onEach([...metadata, ...handlers.map(name => `/api/${name}`), ...missing]),
  ...onEach(['/isr?_rsc', '/dynamic?_rsc', '/none?_rsc'], { rsc: '1' }),
]

const rules = onEach([
  ...['/old', '/existing', '/app-page', '/static', '/target', '/cookies', '/app-kept', '/app-made', '/plain.txt'],
  ...['/to-file', '/none', '/api/seen', '/item/7', '/outside'],
])

/** What middleware says in front of each kind, and answers of its own. */
const middleware = [
  ...['/static', '/dynamic', '/plain', '/ssg/one', '/file.txt', '/api/seen', '/none']
    .flatMap(path => ['cache', 'type', 'status'].map(effect => `${path}?mw=${effect}`))
    .flatMap(target => [...SET.map(what => call(target, what)), call(target, { status: 404 }, { method: 'HEAD' })]),
  ...onEach(
    [
      ...['redirect&to=/static', 'rewrite&to=/static', 'rewriteStatus&to=/static', 'answer&to=text'],
      ...['html', 'jsonAnswer', 'throw'],
    ].map(effect => `/x?mw=${effect}`),
  ),
]

const partial = onEach(['/shell', '/static', '/open/a', '/asked', '/none'])

const images = onEach(['/_next/image?url=%2Fimg%2Ftiny.png&w=64&q=75', '/img/tiny.png'])

const serverFile = 'custom.mjs'

/** @type {import('./index.mjs').Suite[]} */
export const setBefore = [
  { fixture: 'app-router', serverFile, cases: app },
  { fixture: 'rules', serverFile, cases: rules },
  { fixture: 'middleware', serverFile, cases: middleware },
  { fixture: 'cache-components', serverFile, cases: partial, lines: linesFrom('16.0.0'), asEverywhere: true },
  { fixture: 'versions', serverFile, cases: images, asEverywhere: true },
]
