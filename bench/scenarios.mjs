// What is measured: one request each, repeated under load.

import { pictureUrl } from './files.mjs'

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} title as it stands in the report
 * @property {import('./fixture.mjs').App} [app] the main one, unless it says another
 * @property {string} path
 * @property {number} status that every answer must have
 * @property {'rust' | 'javascript'} answeredBy whether ferronext can answer without running the app's code
 * @property {(body: string) => string} [normalize] takes out what may differ between two right answers
 * @property {string[]} [sameHeaders] that must be equal, too
 * @property {(body: string) => string} [content] what another implementation of Next.js must answer as well; without it vinext is not asked
 * @property {'bare' | 'raw-ssr'} [limit] what nobody can beat: the bytes from memory, unless the page must be rendered
 * @property {import('./raw-ssr.mjs').Renders['page']} [page] what `raw-ssr` renders
 * @property {boolean} [openLoop] whether its latency at a fixed rate is measured
 * @property {Record<string, string>} [headers] sent with every request
 * @property {string} [client] the only one that asks for it
 * @property {'cold' | 'beside'} [kind] `cold`: pictures that nobody has made, one after the other, which no bare server can repeat;
 *   `beside`: under load while such pictures are made
 * @property {'pictures' | 'large'} [needs] files that are written for it (files.mjs)
 * @property {string} [streams] the file in `public` that the bare server pipes, `fs.createReadStream().pipe()`
 * @property {number} [connections]
 */

/** Encoders differ in their bytes; the conformance suite compares what pictures show. */
const ANY_PICTURE = () => ''

const WHOLE = (/** @type {string} */ body) => body
const NOTHING = () => ''

/** The page without its document. @param {string} body */
const MAIN = body => (/<main>.*<\/main>/s.exec(body) ?? [''])[0]

/** @param {string} body */
const withoutTimes = body => body.replaceAll(/\b\d{13}\b/g, '<time>')

/** What a limit is, in words. */
export const LIMIT_TITLES = { bare: 'bare `http`', 'raw-ssr': 'React' }

/**
 * The time to the first byte of a page that is prerendered in part, beside one that is prerendered as a whole.
 *
 * @type {{ name: string, title: string, app: import('./fixture.mjs').App, path: string }[]}
 */
export const FIRST_BYTES = [
  { name: 'static', title: 'Prerendered page', app: 'partial', path: '/' },
  { name: 'shell', title: 'Shell of a partly prerendered page', app: 'partial', path: '/partial?label=A' },
]

/**
 * @param {string} chunk path of the large hashed chunk of this build
 * @returns {Scenario[]}
 */
export function makeScenarios(chunk) {
  return [
    {
      name: 'prerendered',
      title: 'Prerendered page',
      path: '/',
      status: 200,
      answeredBy: 'rust',
      content: MAIN,
      openLoop: true,
    },
    { name: 'chunk', title: 'Hashed JS chunk, 350 kB', path: chunk, status: 200, answeredBy: 'rust' },
    {
      name: 'public',
      title: 'Public file, 6 bytes',
      path: '/six.txt',
      status: 200,
      answeredBy: 'rust',
      content: WHOLE,
    },
    {
      name: 'revalidated',
      title: 'Page with revalidate: 1',
      path: '/fresh',
      status: 200,
      answeredBy: 'rust',
      // It shows the time of its render, in the HTML and in the flight data.
      normalize: withoutTimes,
      content: body => MAIN(withoutTimes(body)),
    },
    {
      name: 'redirect',
      title: 'Redirect rule',
      path: '/old/thing',
      status: 308,
      answeredBy: 'rust',
      sameHeaders: ['location'],
      content: NOTHING,
    },
    {
      name: 'rewrite',
      title: 'Rewrite onto a prerendered page',
      path: '/rewritten',
      status: 200,
      answeredBy: 'rust',
      content: MAIN,
    },
    {
      name: 'not-found',
      title: '404 page',
      path: '/nothing-here',
      status: 404,
      answeredBy: 'rust',
      content: body => (/<h1>.*?<\/h1>/.exec(body) ?? [''])[0],
    },
    {
      name: 'middleware',
      title: 'Prerendered page, middleware adds a header',
      app: 'middleware',
      path: '/',
      status: 200,
      answeredBy: 'javascript',
      sameHeaders: ['x-seen'],
    },
    {
      name: 'middleware-edge',
      title: 'The same in the edge runtime',
      app: 'middleware-edge',
      path: '/',
      status: 200,
      answeredBy: 'javascript',
      sameHeaders: ['x-seen'],
    },
    {
      name: 'middleware-cookie',
      title: 'Middleware finds no cookie and redirects',
      app: 'middleware',
      path: '/account',
      status: 307,
      answeredBy: 'javascript',
      sameHeaders: ['location'],
    },
    {
      name: 'middleware-locale',
      title: 'Prerendered page, middleware rewrites by language',
      app: 'middleware',
      path: '/greeting',
      status: 200,
      answeredBy: 'javascript',
      headers: { 'accept-language': 'fr' },
    },
    { name: 'new-app', title: '`create-next-app`: its page', app: 'new', path: '/', status: 200, answeredBy: 'rust' },
    {
      name: 'new-app-404',
      title: '`create-next-app`: 404 page',
      app: 'new',
      path: '/nothing-here',
      status: 404,
      answeredBy: 'rust',
    },
    {
      name: 'route-handler',
      title: 'Route handler',
      path: '/api/hello?name=x',
      status: 200,
      answeredBy: 'javascript',
      content: WHOLE,
      openLoop: true,
    },
    {
      name: 'api-route',
      title: 'Pages API route',
      path: '/api/user?name=x',
      status: 200,
      answeredBy: 'javascript',
      content: WHOLE,
      openLoop: true,
    },
    {
      name: 'pages-ssr',
      title: 'Pages SSR, 50 items',
      path: '/ssr?label=A',
      status: 200,
      answeredBy: 'javascript',
      content: MAIN,
      limit: 'raw-ssr',
      page: 'pages/ssr.jsx',
      openLoop: true,
    },
    {
      name: 'app-dynamic',
      title: 'App dynamic page, 50 items',
      path: '/items?label=A',
      status: 200,
      answeredBy: 'javascript',
      content: MAIN,
      limit: 'raw-ssr',
      page: 'app/items/page.jsx',
      openLoop: true,
    },
    {
      name: 'partial',
      title: 'Partial prerendering, shell and 50 items',
      app: 'partial',
      path: '/partial?label=A',
      status: 200,
      answeredBy: 'javascript',
    },
    {
      name: 'image-hit',
      title: 'Picture from the cache',
      // Of another width than the cold ones.
      path: pictureUrl(0, 640),
      status: 200,
      answeredBy: 'rust',
      headers: { accept: 'image/webp' },
      client: 'identity',
      normalize: ANY_PICTURE,
      needs: 'pictures',
    },
    ...['webp', 'avif'].map(format => ({
      name: `image-cold-${format}`,
      title: `Cold picture, 2400x1600 JPEG to 1200 px ${format === 'webp' ? 'WebP' : 'AVIF'}`,
      path: pictureUrl(0, 32),
      status: 200,
      answeredBy: /** @type {const} */ ('rust'),
      headers: { accept: `image/${format}` },
      client: 'identity',
      normalize: ANY_PICTURE,
      kind: /** @type {const} */ ('cold'),
      needs: /** @type {const} */ ('pictures'),
    })),
    {
      name: 'page-beside-images',
      title: 'Prerendered page while 24 cold pictures are asked for',
      path: '/',
      status: 200,
      answeredBy: 'rust',
      kind: 'beside',
      client: 'gzip',
      needs: 'pictures',
    },
    {
      name: 'large-file',
      title: 'File of 100 MB, MB/s, beside `fs.createReadStream().pipe()`',
      path: '/large.bin',
      status: 200,
      answeredBy: 'rust',
      client: 'identity',
      needs: 'large',
      streams: 'large.bin',
      connections: 4,
    },
  ]
}

/**
 * The two kinds of client. `headers` are sent with every request.
 *
 * @type {{ name: string, title: string, headers: Record<string, string> }[]}
 */
export const CLIENTS = [
  { name: 'gzip', title: 'Accept-Encoding: gzip, br', headers: { 'accept-encoding': 'gzip, br' } },
  { name: 'identity', title: 'no Accept-Encoding', headers: {} },
]
