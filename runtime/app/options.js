// In: what the user passed to next(). Out: the same options with an absolute `dir`, or upstream's error.
// Upstream: createServer() in next/dist/server/next.js.

const path = require('node:path')
const { codedError } = require('../errors')
const { findNext } = require('../next/package')
const { forwardedFilter } = require('../http/trust-proxy')

const INVALID_OPTIONS = 'https://nextjs.org/docs/messages/invalid-server-options'
const STANDARD_ENVIRONMENTS = ['production', 'development', 'test']

/**
 * @typedef {import('../../index').NextServerOptions} NextServerOptions
 * @typedef {NextServerOptions & { dir: string }} ResolvedOptions
 */

/**
 * Validates the options as upstream does and selects the bundler that a development server would use.
 * @param {NextServerOptions | undefined} options
 * @returns {ResolvedOptions}
 */
function resolveOptions(options) {
  if (options?.customServer === false) {
    if (options.webpack || options.turbo || options.turbopack) {
      throw new Error('Only custom servers can pass `webpack`, `turbo`, or `turbopack`.')
    }
  } else {
    selectBundler(options)
  }
  if (options == null) {
    throw new Error(`The server has not been instantiated properly. ${INVALID_OPTIONS}`)
  }
  const environment = process.env.NODE_ENV
  if (!('isNextDevCommand' in options) && environment && !STANDARD_ENVIRONMENTS.includes(environment)) {
    console.warn(
      ` ⚠ You are using a non-standard "NODE_ENV" value in your environment. This creates inconsistencies in the project and is strongly advised against. Read more: https://nextjs.org/docs/messages/non-standard-node-env`,
    )
  }
  if (options.dev && typeof options.dev !== 'boolean') {
    console.warn(`Warning: 'dev' is not a boolean which could introduce unexpected behavior. ${INVALID_OPTIONS}`)
  }
  checkPort(options.port)
  forwardedFilter(options.trustProxy) // throws when it cannot be understood
  checkDelivery(options)
  return { ...options, dir: path.resolve(options.dir || '.') }
}

/**
 * @param {NextServerOptions} options
 */
function checkDelivery({ preferEncodings, watchPublic }) {
  const isListed = (/** @type {unknown} */ name) => name === 'br' || name === 'zstd'
  if (preferEncodings !== undefined && !(Array.isArray(preferEncodings) && preferEncodings.every(isListed))) {
    throw codedError(
      'FERRONEXT_BAD_OPTION',
      `The option \`preferEncodings\` of next() has to be a list of 'br' and 'zstd', not ${JSON.stringify(preferEncodings)}.`,
    )
  }
  if (watchPublic !== undefined && typeof watchPublic !== 'boolean') {
    throw codedError(
      'FERRONEXT_BAD_OPTION',
      `The option \`watchPublic\` of next() has to be true or false, not ${JSON.stringify(watchPublic)}.`,
    )
  }
}

/**
 * An invalid port would make every URL that handlers see invalid. Nothing and 0 mean the default.
 * @param {unknown} port
 */
function checkPort(port) {
  if (!port) return
  const number = Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    throw codedError(
      'FERRONEXT_BAD_OPTION',
      `The option \`port\` of next() has to be a number from 1 to 65535, not ${JSON.stringify(port)}.`,
    )
  }
}

/**
 * Upstream sets `TURBOPACK` for every custom server, in production too, and compiled entries read it.
 * @param {NextServerOptions | undefined} options
 */
function selectBundler(options) {
  const turbopack = Boolean(options && (options.turbo || options.turbopack || process.env.IS_TURBOPACK_TEST))
  const webpack = Boolean(options && (options.webpack || process.env.IS_WEBPACK_TEST))
  const rspack = Boolean(process.env.NEXT_RSPACK)
  if (turbopack && webpack) {
    throw new Error('Pass either `webpack` or `turbopack`, not both.')
  }
  if (turbopack) process.env.TURBOPACK ??= '1'
  else if (!webpack && !rspack && turbopackIsDefault(options)) process.env.TURBOPACK ??= 'auto'
}

/**
 * Turbopack became the default bundler in 16; entries that webpack built for 15.5 must not see `TURBOPACK`.
 * @param {NextServerOptions | undefined} options
 */
function turbopackIsDefault(options) {
  try {
    return Number.parseInt(findNext(path.resolve(options?.dir || '.')).version, 10) >= 16
  } catch {
    return false // prepare() reports what is missing
  }
}

module.exports = { resolveOptions }
