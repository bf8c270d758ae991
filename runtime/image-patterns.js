// In: the evaluated next.config. Out: the same with the regular expressions that the app's own `next` makes of the globs in
// `images.localPatterns` and `images.remotePatterns`, for Rust. A glob means what picomatch says, and so what it means in the
// version that is installed. Upstream: match-local-pattern.js and match-remote-pattern.js of next/dist/shared/lib.

/** What a pattern without a path allows. */
const ANY_PATH = '**'

/**
 * @param {import('./next-package').NextPackage} next
 * @param {any} config
 */
function withImagePatterns(next, config) {
  const { images } = config
  if (!images) return config
  const { makeRe } = next.require('next/dist/compiled/picomatch')
  const pathnameRegex = (/** @type {any} */ pattern) => makeRe(pattern.pathname ?? ANY_PATH, { dot: true }).source
  return {
    ...config,
    images: {
      ...images,
      localPatterns: images.localPatterns?.map((/** @type {any} */ pattern) => ({
        search: pattern.search,
        pathnameRegex: pathnameRegex(pattern),
      })),
      remotePatterns: (images.remotePatterns ?? []).map((/** @type {any} */ pattern) => ({
        protocol: pattern.protocol,
        port: pattern.port,
        search: pattern.search,
        hostnameRegex: makeRe(pattern.hostname).source,
        pathnameRegex: pathnameRegex(pattern),
      })),
    },
  }
}

module.exports = { withImagePatterns }
