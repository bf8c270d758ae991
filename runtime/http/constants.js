// Texts and lists that Rust uses, too. `constants()` of the addon says them, and `__test__/features/constants.test.mjs` compares: the
// modules that use them work without the addon.

/** Request headers that only the server may set. Rust drops them from its copy, JavaScript from the request that entries see. */
const INTERNAL_HEADERS = [
  'x-middleware-rewrite',
  'x-middleware-redirect',
  'x-middleware-set-cookie',
  'x-middleware-skip',
  'x-middleware-override-headers',
  'x-middleware-next',
  'x-now-route-matches',
  'x-matched-path',
  'x-nextjs-data',
  'x-next-resume-state-length',
  'next-resume',
]

/** The cookies of draft mode and preview mode. */
const PREVIEW_COOKIES = ['__prerender_bypass', '__next_preview_data']

/** `Cache-Control` of answers that must not be kept. */
const NO_STORE = 'private, no-cache, no-store, max-age=0, must-revalidate'

/** The header in which an entry finds the cookies that middleware set. */
const MIDDLEWARE_COOKIES_HEADER = 'x-middleware-set-cookie'

/** Headers of which a route handler adds values to those that are there; of others the first value stays. */
const REPEATED_HEADERS = ['set-cookie', 'www-authenticate', 'proxy-authenticate', 'vary']

/** The body of a fault for which there is no page. */
const INTERNAL_SERVER_ERROR = 'Internal Server Error'

module.exports = {
  INTERNAL_HEADERS,
  PREVIEW_COOKIES,
  NO_STORE,
  MIDDLEWARE_COOKIES_HEADER,
  REPEATED_HEADERS,
  INTERNAL_SERVER_ERROR,
}
