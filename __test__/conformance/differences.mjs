// Every deliberate difference from upstream, with its reason. One that no case shows any more fails the run.
import { linesFrom } from '../support/workspace.mjs'

/**
 * @typedef {object} Declared
 * @property {string} id
 * @property {keyof typeof AREAS} area what it is about: its place in docs/reference/differences.md
 * @property {string[]} [lines] the Next.js lines it applies to; without it, all of them
 * @property {(context: { fixture: string, name: string, kind: string, expected: string, actual: string }) => boolean} applies
 * @property {string} reason why ours is better, or why upstream's cannot be had
 * @property {string} test where the behaviour that we chose is tested
 */

/** Bodies that are produced while they are sent: they must arrive in chunks, and one that was collected first would show here. */
const STREAMED = /\/(dynamic|suspense|force-dynamic|docs|api\/(stream|endless|after))\b/

/** Requests for such a page that get a short answer in its place. */
const REFUSED = /^OPTIONS |x-middleware-prefetch|_rsc=wrong|mw=(redirect|reflect)|proxy=/

/** @param {string} body of a page that shows what `getServerSideProps` was told */
const withoutResolvedUrl = body => body.replaceAll(/(resolvedUrl(?:&quot;|"):(?:&quot;|")).*?(?=&quot;|")/g, '$1')

const TESTED_IN = '__test__/features/differences.test.mjs'

const PROXY_TESTED_IN = '__test__/features/proxy.test.mjs'
const DELIVERY_TESTED_IN = '__test__/features/encodings.test.mjs'
const IMAGES_TESTED_IN = '__test__/features/images.test.mjs'
const UPGRADE_TESTED_IN = '__test__/features/upgrade.test.mjs'

/** Requests of other fixtures that another server answers. */
const OUTSIDE = /targetPort|\/external\/|rewriteWithHeaders&to=http/

/** Lines on which upstream's cache answers the same twice, so that the suite of the data cache can be asked. */
export const STEADY = linesFrom('15.5.14')

/** Lines on which answers of both routers are kept by path alone. */
const UNSCOPED = [...linesFrom('15.5.0', '15.5.27'), ...linesFrom('16.0.0', '16.3.8')]

/** @param {string} text */
const sortedLines = text => text.replaceAll(',\n', '\n').split('\n').sort().join('\n')

/** A request in chunks, or an answer after which the target closes: upstream closes the client's connection too. */
const CLOSED_BEHIND =
  /in chunks|with a trailer|no chunk but the last|two codings|any\/(closing|repeated|old)\b|HTTP\/1\.0/

/** Rewrites onto an API route with a parameter in its path, by fixture. @type {Record<string, RegExp | undefined>} */
const TO_API_ROUTE = {
  'locales-base': /\/(before|after|fallback)\/(api|api-\w+|any-api|french-api|files)\//,
  'trailing-slash': /\/base\/(item|other)\/1/,
  locales: /\/(to-item|to-other|any-item)\/1/,
  rules: /\/(before-item|api-item|api-other|fall-item)\/1/,
  middleware: /to=\/api\/items\//,
  versions: /to=\/(api\/|to-)query\//,
}

/** The query of an API route without the parameter of its path. @param {string} body */
const withoutParam = body => body.replace(/,"id":"\d+"/, '')

/** What the differences are about, in the order in which the documentation has them. */
export const AREAS = {
  bodies: 'Bodies and encodings',
  routing: 'Routing and parameters',
  server: 'The custom server',
  cache: 'Cache and revalidation',
  images: 'Images',
  rewrites: 'External rewrites',
  upgrades: 'Upgrades and web sockets',
  security: 'Security fixes of later versions of Next.js',
}

/** @type {Declared[]} */
export const DIFFERENCES = [
  {
    id: 'length-instead-of-chunks',
    area: 'bodies',
    applies: ({ name, kind, expected, actual }) =>
      (!STREAMED.test(name) || REFUSED.test(name)) &&
      ((kind === 'framing' && expected === 'chunked' && ['length', 'none'].includes(actual)) ||
        (kind === 'header transfer-encoding' && expected === 'chunked' && actual === 'absent') ||
        (kind === 'header content-length' && expected === 'absent' && /^\d+$/.test(actual))),
    reason:
      'Where the whole body is known before the headers go out, its length is sent. Upstream compresses on the way out and streams payloads from memory, so it has to send chunks; the length saves bytes and a write, and lets clients show progress.',
    test: TESTED_IN,
  },
  {
    id: 'brotli-and-zstd-where-wanted',
    area: 'bodies',
    applies: ({ name, kind, expected, actual }) =>
      /accept-encoding: .*\b(br|zstd)\b/i.test(name) &&
      !/gzip, (deflate, )?br\b/.test(name) &&
      ((kind === 'header content-encoding' &&
        ['absent', 'gzip'].includes(expected) &&
        ['br', 'zstd'].includes(actual)) ||
        (kind === 'header content-length' && (/^\d+$/.test(actual) || actual === 'absent')) ||
        (kind === 'header transfer-encoding' && [expected, actual].includes('absent')) ||
        (kind === 'framing' && [expected, actual].every(framing => ['chunked', 'length'].includes(framing)))),
    reason:
      'A client that names brotli or zstd and does not take gzip, or wants it less, gets what it wants. Upstream knows only gzip and deflate and sends such a client the plain body, or what it wants less. Who takes gzip as gladly, as browsers do, gets gzip from both, unless the option `preferEncodings` says otherwise.',
    test: DELIVERY_TESTED_IN,
  },
  {
    id: 'query-keys-of-object-prototype',
    area: 'routing',
    applies: ({ name, kind }) => kind === 'body' && name.includes('constructor='),
    reason:
      'A query key that is also a member of Object.prototype (`constructor`, `toString`) is a parameter like any other. Upstream finds the inherited member and makes a list of two whose first value is null.',
    test: TESTED_IN,
  },
  {
    id: 'rules-of-conf',
    area: 'server',
    lines: linesFrom('15.5.0', '16.0.0'),
    applies: ({ name, kind, expected, actual }) =>
      name.endsWith(' by conf') &&
      (['header etag', 'header content-length'].includes(kind) ||
        (kind === 'body' && withoutResolvedUrl(expected) === withoutResolvedUrl(actual))),
    reason:
      'The rules of `conf` are honoured; upstream ignores `conf` in production, so the same cases compare with a build that has these rules. They show one thing that rules given at run time cannot change: pages of 15.5 work out `resolvedUrl` from the rewrites of the build.',
    test: '__test__/features/conf.test.mjs',
  },
  {
    id: 'locale-of-data-past-the-router',
    area: 'routing',
    lines: linesFrom('15.5.0', '16.0.0'),
    applies: ({ fixture, name, kind, expected, actual }) =>
      fixture === 'custom-server-i18n' &&
      name.includes('"renderToHTML"') &&
      kind === 'header x-nextjs-matched-path' &&
      actual === `/en${expected}`,
    reason:
      'The page that `app.renderToHTML()` names for a request with `x-nextjs-data` has its locale in front, as in later versions. 15.5 forgets it past the router, where no client of its own asks.',
    test: '__test__/conformance/cases/direct.mjs',
  },
  {
    id: 'parameters-of-api-routes',
    area: 'routing',
    lines: linesFrom('15.5.0', '16.3.0'),
    applies: ({ fixture, name, kind, expected, actual }) =>
      TO_API_ROUTE[fixture]?.test(name) === true &&
      (['header etag', 'header content-length'].includes(kind) ||
        (kind === 'body' && (fixture !== 'versions' || withoutParam(expected) === withoutParam(actual)))),
    reason:
      'An API route that a rewrite led to finds the parameters of its path in `req.query`, as in later versions, and what the client wrote under the same names does not take their place. Before 16.3 its entry looks for them in the URL and the rewrites of the build, and finds none below a base path or behind a rewrite of middleware, or sorts them in another way.',
    test: TESTED_IN,
  },
  {
    id: 'no-url-with-locales',
    area: 'routing',
    applies: ({ fixture, name }) => fixture === 'locales-base' && / http:\/\/(u:p@|localhost:x)\/site\//.test(name),
    reason:
      'An absolute target that is no URL is redirected like any other with repeated slashes. With locales upstream’s handler rejects before it gets that far; a server that does not catch it never answers.',
    test: TESTED_IN,
  },
  {
    id: 'actions-fetch-from-the-server',
    area: 'security',
    lines: [...linesFrom('15.5.0', '15.5.21'), ...linesFrom('16.0.0', '16.2.11')],
    applies: ({ name }) => name.startsWith('POST /action {"requestHeaders":{"host":"own"}}'),
    reason:
      'A server action that redirects or is forwarded fetches from the `hostname` and `port` of next(), as later versions do. In 16.0 it fetches from whatever host the client names (CVE-2026-64649).',
    test: '__test__/features/hostile-host.test.mjs',
  },
  {
    id: 'vary-of-the-server',
    area: 'server',
    applies: ({ name, kind, expected, actual }) =>
      kind === 'header vary' &&
      name.includes('"Vary":"X-Mine"') &&
      [`X-Mine, ${expected}`, `X-Mine ⏎ ${expected}`].includes(String(actual)),
    reason:
      'A `Vary` that the user’s server has set stays on every answer. Upstream keeps it too, except on prerendered pages of the App Router and on pictures, whose own header replaces it, so that caches would mix what the server keeps apart.',
    test: '__test__/features/custom-server.test.mjs',
  },
  {
    id: 'bodies-that-were-read',
    area: 'server',
    applies: ({ fixture, name }) => fixture === 'bodies' && name.startsWith('POST /route {"read":true,"keep":"json"}'),
    reason:
      'A body that the user’s server has read before it calls the handler is handed on from `req.rawBody` or `req.body`. Upstream’s route handlers answer 500 then; its API routes, edge functions and external rewrites wait for ever.',
    test: '__test__/features/read-bodies.test.mjs',
  },
  {
    id: 'fewer-colours-in-a-palette',
    area: 'images',
    applies: ({ name, kind }) => kind === 'body' && name.includes('grey-alpha.png&w=320'),
    reason:
      'The palette of a drawing is as small as the quality allows, by the measure of another quantiser than upstream’s. This file is a sixth smaller than upstream’s and looks the same (SSIM 0.996).',
    test: IMAGES_TESTED_IN,
  },
  {
    id: 'drawings-in-avif',
    area: 'images',
    lines: [...linesFrom('15.5.0', '15.5.24'), ...linesFrom('16.0.0', '16.3.0')],
    applies: ({ name, kind }) =>
      kind === 'body' && /^drawing\.png twice|%2Fdrawing\.png/.test(name) && name.includes('image/avif'),
    reason:
      'rav1e needs a sixth more bytes than libaom for flat drawings at the higher quality that 16.0 asks for. The other choice would be a worse image.',
    test: IMAGES_TESTED_IN,
  },
  {
    id: 'head-of-an-image',
    area: 'images',
    lines: linesFrom('15.5.0', '16.2.0'),
    applies: ({ fixture, name }) => fixture === 'images' && name === 'methods',
    reason:
      'A `HEAD` for an image is answered as the `GET` would be, as in later versions. Older ones also ask the source with `HEAD`, find nothing in its answer and say 400.',
    test: IMAGES_TESTED_IN,
  },
  {
    id: 'too-many-codings-of-an-image',
    area: 'images',
    lines: linesFrom('15.5.0', '16.3.0'),
    applies: ({ name, fixture }) =>
      fixture === 'images' && name.startsWith('GET /_next/image?url=http') && name.includes('(92)'),
    reason:
      'A source with more than five content codings is refused with 400 and a text, as in later versions; in older ones `fetch` fails and the answer is a bare 500.',
    test: IMAGES_TESTED_IN,
  },
  {
    id: 'tiff-stays-lossless',
    area: 'images',
    applies: ({ name, kind, expected }) =>
      kind === 'body' && name.includes('photo.tiff') && expected.startsWith('tiff'),
    reason:
      'A TIFF for a client that names neither WebP nor AVIF stays a TIFF, without loss. Upstream stores a JPEG in it, which nothing but sharp and a few viewers reads.',
    test: IMAGES_TESTED_IN,
  },
  {
    id: 'answer-before-the-body',
    area: 'bodies',
    applies: ({ name, kind, expected }) =>
      /^(an unknown transfer encoding|a broken chunk)/.test(name) &&
      (kind !== 'status' || expected === '400 Bad Request') &&
      kind !== 'answer',
    reason:
      'An answer that does not depend on the body is sent at once. Upstream waits a few ticks, in which Node’s parser may come to a fault in the body and answer 400 itself. The connection is closed by the fault either way.',
    test: TESTED_IN,
  },
  {
    id: 'percent-sign-in-a-prerendered-path',
    area: 'routing',
    lines: linesFrom('16.0.0', '16.4.0'),
    applies: ({ fixture, name }) => fixture === 'app-router' && name === 'GET /encoded/100%25',
    reason:
      'A prerendered page whose parameter holds a percent sign is served. The entries of 16.0 decode the path twice and fail; the answer from memory needs no entry.',
    test: 'src/route/resolve.rs',
  },
  {
    id: 'answers-of-another-router',
    area: 'cache',
    lines: UNSCOPED,
    applies: ({ fixture, name }) => fixture === 'routes' && name === 'GET /kep%74/one',
    reason:
      'An answer belongs to the route that rendered it. 16.0 keeps answers of both routers by path alone, so a page of the App Router that comes to the path of a prerendered page of the other fails; later releases keep them apart as a security fix (CVE-2026-94543).',
    test: 'src/source/prerender/key.rs',
  },
  {
    id: 'shared-pages-know-no-client',
    area: 'cache',
    applies: ({ fixture, name, kind }) =>
      fixture.startsWith('revalidation') &&
      name.includes('foreign URL') &&
      ['body', 'header etag', 'header content-length'].includes(kind),
    reason:
      'A stale page is revalidated for its own URL. Upstream renders it with the request that found it stale, and writes the path and query of that client into the page that all clients get from then on.',
    test: '__test__/features/revalidation.test.mjs',
  },
  {
    id: 'shared-pages-know-no-prefetch',
    area: 'cache',
    lines: linesFrom('15.5.0', '16.3.0'),
    applies: ({ fixture, name, kind }) =>
      fixture === 'revalidation' && name === 'a page: prefetches of the client router' && kind === 'body',
    reason: 'The same on the lines where a prefetch of the client router may revalidate a stale page.',
    test: '__test__/features/revalidation.test.mjs',
  },
  {
    id: 'moved-pages-say-where-to',
    area: 'cache',
    lines: STEADY,
    applies: ({ fixture, name, kind, expected }) =>
      fixture === 'data-cache' &&
      name === 'a page of the App Router that moves' &&
      kind === 'header location' &&
      expected === 'absent',
    reason:
      'A stale page that comes to a redirect is kept with its `Location`. Upstream renders it on the response that has gone out already, which takes no headers, and answers 307 without a target from then on.',
    test: '__test__/features/revalidation.test.mjs',
  },
  {
    id: 'only-generated-is-no-error',
    area: 'cache',
    lines: STEADY,
    applies: ({ fixture, name, kind, expected }) =>
      fixture === 'data-cache' &&
      name === 'res.revalidate: only what was generated' &&
      (expected.includes('Failed to revalidate') || /^(status|header (etag|content-length))$/.test(kind)),
    reason:
      '`res.revalidate(path, { unstable_onlyGenerated: true })` of a page that was never rendered does nothing, as documented. With a page of the App Router upstream answers twice, fails, and can wait for ever for its own not-found page.',
    test: '__test__/features/revalidation.test.mjs',
  },
  {
    id: 'headers-that-later-lines-strip',
    area: 'security',
    lines: [...linesFrom('15.5.0', '15.5.16'), ...linesFrom('16.0.0', '16.2.5')],
    applies: ({ name }) => /[|;] (x-nextjs-data|x-next-resume-state-length|next-resume):/.test(name),
    reason:
      'Request headers that only the server may set are dropped on every line. 16.0 lets a client set three of them, which later releases closed as security fixes (CVE-2026-44572, CVE-2026-27979).',
    test: 'src/request/mod.rs',
  },
  {
    id: 'connection-of-each-hop',
    area: 'rewrites',
    applies: ({ fixture, name, kind, expected, actual }) =>
      (fixture === 'external' || OUTSIDE.test(name)) &&
      ((kind === 'header x-of-connection' && actual === 'connection: keep-alive') ||
        kind === 'header keep-alive' ||
        (name === 'upgrade GET /base/any/headers?q=1 X-Forwarded-Host,Keep-Alive,Connection' &&
          ['body', 'header content-length'].includes(kind)) ||
        (kind === 'header case' && expected.toLowerCase() === actual.toLowerCase()) ||
        (['header connection', 'closed'].includes(kind) && CLOSED_BEHIND.test(name))),
    reason:
      'Connection, Keep-Alive, TE and Upgrade are about one connection (RFC 9110, 7.6.1). Upstream copies the client’s to the target and the target’s to the client, so a target that closes, or a request in chunks, ends the client’s connection, and the target’s idle time is told as ours. Ours are about our own connections, which are used again.',
    test: PROXY_TESTED_IN,
  },
  {
    id: 'trailer-without-chunks',
    area: 'rewrites',
    applies: ({ fixture, name }) => fixture === 'external' && name.includes('Trailer: x-checksum'),
    reason:
      'A request with `Trailer` and no chunks makes Node’s client throw, and upstream answers 500. The header says nothing then, so it is left out and the request goes on.',
    test: PROXY_TESTED_IN,
  },
  {
    id: 'switching-nobody-asked-for',
    area: 'upgrades',
    applies: ({ fixture, name, kind }) => fixture === 'external' && name.includes('any/switching') && kind === 'answer',
    reason:
      'A target that switches protocols although the client did not ask for it gets no further: 500 and the usual log line. Upstream never answers.',
    test: PROXY_TESTED_IN,
  },
  {
    id: 'refused-upgrade-ends',
    area: 'upgrades',
    applies: ({ fixture, name, kind }) =>
      fixture === 'external' &&
      /^upgrade GET .*(refusal|refuses-upgrade|headers)/.test(name) &&
      /^(header connection|closed|framing|truncated|body)$/.test(kind),
    reason:
      'An answer that refuses the upgrade is the last one on its connection, and says so. Upstream copies the target’s framing onto a body that Node has taken out of it, so that the client waits for an end that never comes.',
    test: UPGRADE_TESTED_IN,
  },
  {
    id: 'failed-upgrade-is-answered',
    area: 'upgrades',
    applies: ({ fixture, name, kind }) =>
      fixture === 'external' && /^upgrade GET \/base\/(any\/reset|refused\/x)/.test(name) && kind === 'answer',
    reason:
      'When the target of an upgrade is not to be had, the client gets `500 Internal Server Error` as HTTP. Upstream writes the bare text, which no client can read.',
    test: UPGRADE_TESTED_IN,
  },
  {
    id: 'other-protocol-is-an-offer',
    area: 'upgrades',
    applies: ({ fixture, name }) => fixture === 'external' && name === 'upgrade GET /base/any/socket Upgrade',
    reason:
      'A request that offers a protocol other than web sockets (`curl --http2` offers h2c) is answered without it, as Node does where no handler listens for upgrades. Upstream listens, and closes the connection or leaves it open.',
    test: UPGRADE_TESTED_IN,
  },
  {
    id: 'no-orphan-sockets',
    area: 'upgrades',
    applies: ({ fixture, name, kind, actual }) =>
      fixture === 'external' && name.startsWith('upgrade ') && kind === 'answer' && actual === 'connection ended',
    reason:
      'An upgrade that nothing matches is ended when ferronext is the only listener: it would never be answered. Upstream leaves the socket open for ever.',
    test: UPGRADE_TESTED_IN,
  },
  {
    id: 'kept-connections',
    area: 'rewrites',
    lines: linesFrom('15.5.0', '16.3.0'),
    applies: ({ fixture, name, kind, expected }) =>
      (fixture === 'external' || OUTSIDE.test(name)) &&
      (['header connection', 'closed'].includes(kind) ||
        (name === 'two requests in one go' && kind === 'answer' && expected === 'connection ended')),
    reason:
      'Before 16.4 upstream opened a connection for each proxied request, told the target to close it, and closed the client’s with it. 16.4 keeps both, and so do we on every line.',
    test: PROXY_TESTED_IN,
  },
  {
    id: 'broken-answers-end',
    area: 'rewrites',
    lines: linesFrom('15.5.0', '16.3.0'),
    applies: ({ fixture, name, kind, expected }) =>
      fixture === 'external' &&
      /reset-later|reset-length|hang-later|after a fault/.test(name) &&
      kind === 'answer' &&
      expected.startsWith('nothing received'),
    reason:
      'An answer that breaks off half-way ends the client’s connection, as in 16.4. Before, upstream left the client waiting for the rest.',
    test: PROXY_TESTED_IN,
  },
  {
    id: 'order-of-proxied-headers',
    area: 'rewrites',
    lines: [...linesFrom('15.5.0', '15.5.13'), ...linesFrom('16.0.0', '16.1.7')],
    applies: ({ fixture, name, kind, expected, actual }) =>
      (fixture === 'external' || OUTSIDE.test(name)) &&
      kind === 'body' &&
      sortedLines(expected) === sortedLines(actual),
    reason:
      'The target gets the headers in the order in which they arrived, as in 16.4. 16.0 puts `host` later, 15.5.0 turns the order round.',
    test: PROXY_TESTED_IN,
  },
  {
    id: 'one-request-for-one',
    area: 'security',
    lines: [...linesFrom('15.5.0', '15.5.13'), ...linesFrom('16.0.0', '16.1.7')],
    applies: ({ fixture, name }) => fixture === 'external' && /^(DELETE|OPTIONS) in chunks/.test(name),
    reason:
      'CVE-2026-29057: 16.0.9 frames a DELETE or OPTIONS in chunks in two ways at once, so that its body can be read as another request.',
    test: PROXY_TESTED_IN,
  },
  {
    id: 'hosts-from-parameters',
    area: 'security',
    lines: [...linesFrom('15.5.0', '15.5.21'), ...linesFrom('16.0.0', '16.2.11')],
    applies: ({ fixture, name, kind }) =>
      (fixture === 'external' || OUTSIDE.test(name)) &&
      /\/(base|external)\/(host|prefix-host|tenant)\//.test(name) &&
      (kind.startsWith('header ') || kind === 'body'),
    reason:
      'CVE-2026-64645: 16.0.9 sends such a request to whatever host the parameter makes. Here it gets the error page, as in 16.4.',
    test: PROXY_TESTED_IN,
  },
  {
    id: 'lifetime-of-a-page-called-index',
    area: 'cache',
    lines: UNSCOPED,
    applies: ({ name, kind }) =>
      name.includes('/ssg/index.json?mw=') && ['header x-nextjs-cache', 'header cache-control'].includes(kind),
    reason:
      '16.0 looks for the lifetime of `/ssg/index` under `/ssg`, finds none, and counts the page as stale a second after it was built. Here it lives as long as the build says, as in 16.4 and 15.5.',
    test: '__test__/conformance/cases/middleware.mjs',
  },
  {
    id: 'failed-payloads-end',
    area: 'routing',
    lines: linesFrom('16.3.0'),
    applies: ({ fixture, name }) =>
      fixture === 'versions' && name.includes('next-router-state-tree:') && name.includes('/users/u/pics/p'),
    reason:
      'A request for a payload whose page throws gets the error. Upstream drops `next-url` before it renders the error page, then finds that the hash in `_rsc` is not that of the headers that are left, and redirects; a client that follows is redirected back, without end.',
    test: TESTED_IN,
  },
  {
    id: 'hit-once-sent',
    area: 'cache',
    lines: linesFrom('15.5.0', '15.5.14'),
    applies: ({ name, kind, expected, actual }) =>
      (kind === 'header x-nextjs-cache' && expected === 'MISS' && actual === 'HIT') ||
      (kind === 'header cache-control' && /^fallback:? true/.test(name) && expected.startsWith('private')),
    reason:
      'What is rendered first is stored before it is sent, so that the next request finds it. Before 15.5.14 a request that comes while upstream still writes gets the first answer, `MISS` with it.',
    test: '__test__/conformance/cases/app.mjs',
  },
  {
    id: 'case-of-a-length',
    area: 'bodies',
    lines: [
      ...linesFrom('15.5.0', '15.5.29'),
      ...linesFrom('16.0.0', '16.4.5'),
      ...linesFrom('16.5.0-canary.0', '16.5.0'),
    ],
    applies: ({ fixture, name, kind, expected, actual }) =>
      ((fixture === 'rules' && /^(GET|HEAD) \/app-kept/.test(name)) || name.includes('/handler/kept')) &&
      kind === 'header case' &&
      expected.toLowerCase() === actual.toLowerCase(),
    reason:
      'A `content-length` that a route handler writes itself is sent as `Content-Length`, which is the same header (RFC 9110, 5.1), because the length of what is sent is always ours. Later versions drop what the handler says.',
    test: '__test__/conformance/cases/rules.mjs',
  },
  {
    id: 'api-routes-behind-express-5',
    area: 'server',
    lines: linesFrom('15.5.0', '16.0.1'),
    applies: ({ fixture, name }) =>
      fixture === 'custom-server' && /^GET (\/(mounted|parsed|status))?\/api\/(echo|raw)\b/.test(name),
    reason:
      'API routes answer behind Express 5, whose `req.query` cannot be assigned. Before 16.0.1 upstream assigns it and fails, with a bare 500.',
    test: '__test__/frameworks/frameworks.test.mjs',
  },
]
