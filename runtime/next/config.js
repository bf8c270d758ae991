// In: the user's `next` and its project. Out: environment variables and the evaluated next.config, as upstream's server has them, and
// the JSON of it for Rust. Upstream: next/dist/server/config.js; match-local-pattern.js and match-remote-pattern.js of
// next/dist/shared/lib.

const { spawnSync } = require('node:child_process')
const { existsSync } = require('node:fs')
const Module = require('node:module')
const { dirname, join } = require('node:path')
const { codedError } = require('../errors')

/** @typedef {import('./package').NextPackage} NextPackage */

/**
 * Reads `.env*` files as upstream does: existing variables win.
 * @param {NextPackage} next
 * @param {string} dir
 */
function loadEnvironment(next, dir) {
  next.load('env').loadEnvConfig(dir, false, next.load('log'))
}

/**
 * Evaluates `next.config` for the production server phase. The loader requires modules that it uses only for a configuration in
 * TypeScript, an invalid one or one with remote image hosts. To load them lazily saves two thirds of its load time.
 * @param {NextPackage} next
 * @param {string} dir
 * @returns {Promise<any>}
 */
function loadConfig(next, dir) {
  const { default: load } = next.loadLazily('config', {
    transpileConfig: {},
    semver: { __esModule: false },
    configUtils: { loadWebpackHook: () => hookWebpack(() => next.load('configUtils').loadWebpackHook()) },
    matchRemotePattern: {},
    zod: {},
    flushTelemetry: {},
  })
  return Promise.resolve(load('phase-production-server', dir, { silent: true })).catch(error => {
    throw badConfig(next, dir, error)
  })
}

/**
 * An error of next.config, in one sentence with its position; the error itself is the cause.
 * @param {NextPackage} next
 * @param {string} dir
 * @param {unknown} error
 */
function badConfig(next, dir, error) {
  const file = configFile(next, dir)
  if (String(/** @type {any} */ (error)?.code).startsWith('FERRONEXT_')) return error
  const isError = error instanceof Error || typeof (/** @type {any} */ (error)?.message) === 'string'
  const { name, message, stack } = isError ? /** @type {Error} */ (error) : new Error(String(error))
  const what = isError && name !== 'Error' && !message.startsWith(name) ? `${name}: ${message}` : message
  const place = isError && (placeIn(file, stack ?? '') || (name === 'SyntaxError' ? placeOfSyntaxError(file) : ''))
  return codedError('FERRONEXT_BAD_CONFIG', `${file}${place || ''} cannot be used: ${oneLine(what)}`, error)
}

/** The compiler of next.config.ts appends a stack to its message. @param {string} what */
const oneLine = what =>
  what
    .replace(/\s*Stack backtrace:.*$/s, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ')

/**
 * The first `:line` of a file in a stack, with or without a URL. A syntax error has it in its first line.
 * @param {string} file
 * @param {string} stack
 */
function placeIn(file, stack) {
  const at = stack.indexOf(`${file}:`)
  const lines = at < 0 ? null : /^:\d+(:\d+)?/.exec(stack.slice(at + file.length))
  return lines?.[0] ?? ''
}

/** Node prints the position of a syntax error in a module, but the error object does not have it. @param {string} file */
const placeOfSyntaxError = file =>
  placeIn(
    file,
    spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } })
      .stderr ?? '',
  )

/** The file that the loader has found, in this folder or a parent. @param {NextPackage} next @param {string} dir */
function configFile(next, dir) {
  /** @type {string[]} */
  const names = next.load('constants').CONFIG_FILES
  for (let folder = dir; ; folder = dirname(folder)) {
    const found = names.map(name => join(folder, name)).find(file => existsSync(file))
    if (found !== undefined) return found
    // No file: the error is in the options or in the environment.
    if (folder === dirname(folder)) return `the configuration of ${dir}`
  }
}

/*
 * `webpack` and its like, required by the project, are the copies that `next` brings along (next/dist/server/config-utils.js). To install
 * upstream's hook for that takes 7 ms of a start, and few configurations need it.
 */

/** Names that upstream maps to its own copies start with one of these. */
const MAPPED = /^(?:webpack|@babel\/runtime)/

let installed = false

/** @param {() => void} install installs upstream's own hook, which runs before this one */
function hookWebpack(install) {
  if (installed) return
  installed = true
  const loader = /** @type {any} */ (Module)
  const resolveFilename = loader._resolveFilename
  let isMapped = false
  loader._resolveFilename = function (/** @type {string} */ request, /** @type {unknown[]} */ ...rest) {
    if (!isMapped && MAPPED.test(request)) {
      isMapped = true
      install()
      return loader._resolveFilename(request, ...rest)
    }
    return resolveFilename.call(this, request, ...rest)
  }
}

/*
 * Rust matches the globs of `images.localPatterns` and `images.remotePatterns` with the regular expressions that the app's own `next` makes
 * of them, so that a glob means what it means in the version that is installed.
 */

/** The path of a pattern without one, and picomatch's result for it: to load picomatch takes 4 ms of a start. */
const ANY_PATH = '**'
const ANY_PATH_REGEX = '^(?:(?!(?:^|\\/)\\.{1,2}(?:\\/|$))(?:(?:(?!(?:^|\\/)\\.{1,2}(?:\\/|$)).)*?)\\/?)$'

/**
 * @param {NextPackage} next
 * @param {any} config
 */
function withImagePatterns(next, config) {
  const { images } = config
  if (!images) return config
  const regex = (/** @type {string} */ glob, /** @type {object} */ options) =>
    next.load('picomatch').makeRe(glob, options).source
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
 * @param {NextPackage} next
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

module.exports = { ANY_PATH, ANY_PATH_REGEX, badConfig, configText, loadConfig, loadEnvironment }
