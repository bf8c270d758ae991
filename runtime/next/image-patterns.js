// In: the evaluated next.config. Out: the same with the regular expressions that the app's own `next` makes of the globs in
// `images.localPatterns` and `images.remotePatterns`, for Rust. A glob means what picomatch says, and so what it means in the
// version that is installed. Upstream: match-local-pattern.js and match-remote-pattern.js of next/dist/shared/lib.

const { badConfig } = require('../process/setup')

/** What a pattern without a path allows, and what picomatch makes of it: loading that takes 4 ms of a start. */
const ANY_PATH = '**'
const ANY_PATH_REGEX = '^(?:(?!(?:^|\\/)\\.{1,2}(?:\\/|$))(?:(?:(?!(?:^|\\/)\\.{1,2}(?:\\/|$)).)*?)\\/?)$'

/**
 * @param {import('./package').NextPackage} next
 * @param {any} config
 */
function withImagePatterns(next, config) {
  const { images } = config
  if (!images) return config
  const regex = (/** @type {string} */ glob, /** @type {object} */ options) =>
    next.require('next/dist/compiled/picomatch').makeRe(glob, options).source
  const pathnameRegex = (/** @type {any} */ { pathname = ANY_PATH }) =>
    pathname === ANY_PATH ? ANY_PATH_REGEX : regex(pathname, { dot: true })
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
        hostnameRegex: regex(pattern.hostname, {}),
        pathnameRegex: pathnameRegex(pattern),
      })),
    },
  }
}

/**
 * The configuration as it crosses to Rust.
 * @param {import('./package').NextPackage} next
 * @param {string} dir
 * @param {any} config
 */
function configText(next, dir, config) {
  try {
    return JSON.stringify(withImagePatterns(next, config))
  } catch (error) {
    throw badConfig(next, dir, error)
  }
}

module.exports = { ANY_PATH, ANY_PATH_REGEX, configText }
