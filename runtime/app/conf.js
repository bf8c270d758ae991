// In: `next(options).conf` and the configuration of the app. Out: the configuration with the run-time options of `conf`, and the rules.
// Upstream ignores `conf`. Options of the build cannot change here, and in development neither, so that what works there works after the
// build.

const { isDeepStrictEqual } = require('node:util')
const { rulesOf, shown } = require('./conf-rules')
const { codedError } = require('../errors')
const { openLog } = require('../observe/report')

/** Options that the server reads while it runs, with the type of their values. */
const RUN_TIME = /** @type {Record<string, string>} */ ({
  cacheHandler: 'string',
  cacheMaxMemorySize: 'number',
  compress: 'boolean',
  expireTime: 'number',
  generateEtags: 'boolean',
  httpAgentOptions: 'object',
  poweredByHeader: 'boolean',
  useFileSystemPublicRoutes: 'boolean',
})

/** The same below `experimental`. */
const RUN_TIME_EXPERIMENTAL = /** @type {Record<string, string>} */ ({
  allowedRevalidateHeaderKeys: 'object',
  caseSensitiveRoutes: 'boolean',
  clientParamParsingOrigins: 'object',
  fetchCacheKeyPrefix: 'string',
  isrFlushToDisk: 'boolean',
  middlewareClientMaxBodySize: 'size',
  preloadEntriesOnStart: 'boolean',
  proxyClientMaxBodySize: 'size',
  proxyTimeout: 'number',
  serverActions: 'object',
  trustHostHeader: 'boolean',
  validateRSCRequestHeaders: 'boolean',
})

/** Options that are part of the URLs or of the code that the build has written. */
const BUILT_IN = [
  'assetPrefix',
  'basePath',
  'cacheComponents',
  'deploymentId',
  'distDir',
  'i18n',
  'output',
  'pageExtensions',
  'skipMiddlewareUrlNormalize',
  'skipProxyUrlNormalize',
  'skipTrailingSlashRedirect',
  'trailingSlash',
]

const RULES = ['redirects', 'rewrites', 'headers']

/**
 * @param {import('../next/package').NextPackage} next
 * @param {unknown} given `options.conf`
 * @param {any} config the configuration of the app, with upstream's defaults
 * @param {boolean} [dev] whether the app is in development and nothing has been built
 * @returns {Promise<{ config: any, rules: string | undefined }>}
 */
async function applyConf(next, given, config, dev = false) {
  if (given === undefined || given === null) return { config, rules: undefined }
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw badConf(`\`conf\` has to be the object of a next.config, not ${shown(given)}`)
  }
  const conf = /** @type {Record<string, any>} */ (given)
  // In development newer versions compile into a folder below the configured one.
  const compared = dev ? { ...config, distDir: config.distDir.replace(/[\\/]dev$/, '') } : config
  const own = pick(next, 'conf.', without(conf, [...RULES, 'experimental']), compared, RUN_TIME, dev)
  const experimental = pick(
    next,
    'conf.experimental.',
    conf.experimental ?? {},
    config.experimental,
    RUN_TIME_EXPERIMENTAL,
    dev,
  )
  // One limit under two names, the older one for 15.5.
  const limit = experimental.proxyClientMaxBodySize ?? experimental.middlewareClientMaxBodySize
  if (limit !== undefined)
    Object.assign(experimental, { proxyClientMaxBodySize: limit, middlewareClientMaxBodySize: limit })
  if (experimental.serverActions) {
    experimental.serverActions = { ...config.experimental.serverActions, ...experimental.serverActions }
  }
  const rules = await rulesOf(next, conf, config)
  return {
    config: { ...config, ...own, experimental: { ...config.experimental, ...experimental } },
    rules: rules && JSON.stringify(rules),
  }
}

/**
 * The run-time options among those given. What the build has fixed must be what it was built with.
 * @param {import('../next/package').NextPackage} next
 * @param {string} prefix of their names
 * @param {Record<string, any>} given
 * @param {Record<string, any>} built
 * @param {Record<string, string>} types
 * @param {boolean} dev
 */
function pick(next, prefix, given, built, types, dev) {
  /** @type {Record<string, any>} */
  const picked = {}
  for (const [name, value] of Object.entries(given)) {
    // Upstream fills in an empty prefix.
    if (value === undefined || (name === 'assetPrefix' && !value)) continue
    const type = types[name]
    if (type !== undefined) {
      picked[name] = runTimeValue(next, `${prefix}${name}`, type, value)
    } else if (!isBuilt(value, built[name])) {
      if (prefix === 'conf.' && BUILT_IN.includes(name)) {
        const is = `\`conf.${name}\` is ${shown(value)}`
        throw badConf(
          dev
            ? `${is}, but next.config has ${shown(built[name])}. Set it there`
            : `${is}, but the app was built with ${shown(built[name])}. Set it in next.config and build again`,
        )
      }
      openLog(next).warn(
        `\`${prefix}${name}\` has no effect at run time: it is an option of \`next build\`. Set it in next.config.`,
      )
    }
  }
  return picked
}

/**
 * @param {import('../next/package').NextPackage} next
 * @param {string} name
 * @param {string} type
 * @param {any} value
 */
function runTimeValue(next, name, type, value) {
  if (type === 'size') {
    const bytes = typeof value === 'string' ? next.load('bytes').parse(value) : value
    if (typeof bytes !== 'number' || !(bytes > 0))
      throw badConf(`\`${name}\` has to be a size such as "10mb", not ${shown(value)}`)
    return bytes
  }
  // No time limit at all is `null`.
  if (name.endsWith('.proxyTimeout') && value === null) return value
  if (value === null || typeof value !== type || Number.isNaN(value)) {
    throw badConf(`\`${name}\` has to be ${article(type)}, not ${shown(value)}`)
  }
  return value
}

/**
 * Whether the app was built with this value. Functions belong to the build and are not compared. Of an object the given fields are compared,
 * and arrays without their order, because upstream completes and sorts both.
 * @param {any} value
 * @param {any} built
 * @returns {boolean}
 */
function isBuilt(value, built) {
  if (typeof value === 'function' || isDeepStrictEqual(value, built)) return true
  if (Array.isArray(value) && Array.isArray(built)) {
    return value.length === built.length && value.every(each => built.some(other => isBuilt(each, other)))
  }
  if (value === null || typeof value !== 'object') return !value && !built
  return typeof built === 'object' && built !== null && Object.keys(value).every(key => isBuilt(value[key], built[key]))
}

/** @param {Record<string, any>} object @param {string[]} names */
const without = (object, names) => Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))

/** @param {string} type */
const article = type => (type === 'object' ? 'an object' : type === 'string' ? 'a text' : `a ${type}`)

/** @param {string} what */
const badConf = what => codedError('FERRONEXT_BAD_CONFIG', `The option ${what}.`)

module.exports = { applyConf }
