// In: the user's `next`, its project and configuration. Out: a process in the state that compiled entries expect:
// environment variables, async storages, patched globals. Upstream: next/dist/server/lib/router-server.js,
// base-server.js and next-server.js do the same at start.

const { spawnSync } = require('node:child_process')
const { existsSync, readFileSync } = require('node:fs')
const { dirname, join, relative } = require('node:path')
const { codedError } = require('../errors')
const { LOG } = require('../observe/report')
const { hookWebpack } = require('../next/webpack-hook')

/** @typedef {import('../next/package').NextPackage} NextPackage */

/**
 * Reads `.env*` files as upstream does: existing variables win.
 * @param {NextPackage} next
 * @param {string} dir
 */
function loadEnvironment(next, dir) {
  next.require('@next/env').loadEnvConfig(dir, false, next.require(LOG))
}

/**
 * Evaluates `next.config` for the production server phase. The loader brings along what it uses only for a configuration in
 * TypeScript, one that is not valid or one that names hosts of pictures: two thirds of the time that loading it took.
 * @param {NextPackage} next
 * @param {string} dir
 * @returns {Promise<any>}
 */
function loadConfig(next, dir) {
  const { default: load } = next.requireSparing('next/dist/server/config', {
    'next/dist/build/next-config-ts/transpile-config': {},
    'next/dist/compiled/semver': { __esModule: false },
    'next/dist/server/config-utils': {
      loadWebpackHook: () => hookWebpack(() => next.require('next/dist/server/config-utils').loadWebpackHook()),
    },
    'next/dist/shared/lib/match-remote-pattern': {},
    'next/dist/shared/lib/zod': {},
    'next/dist/telemetry/flush-telemetry': {},
  })
  return Promise.resolve(load('phase-production-server', dir, { silent: true })).catch(error => {
    throw badConfig(next, dir, error)
  })
}

/**
 * What is wrong with next.config, in one sentence with the place; the error itself is its cause.
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

/** The compiler of next.config.ts puts a stack of its own behind its message. @param {string} what */
const oneLine = what =>
  what
    .replace(/\s*Stack backtrace:.*$/s, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ')

/**
 * `:line` of a file as a stack names it first, with or without a URL in front. A syntax error has it in its first line.
 * @param {string} file
 * @param {string} stack
 */
function placeIn(file, stack) {
  const at = stack.indexOf(`${file}:`)
  const lines = at < 0 ? null : /^:\d+(:\d+)?/.exec(stack.slice(at + file.length))
  return lines?.[0] ?? ''
}

/** Node prints it with the error and does not put it on the error of a module. @param {string} file */
const placeOfSyntaxError = file =>
  placeIn(
    file,
    spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } })
      .stderr ?? '',
  )

/** The file that the loader has found, in this folder or one above. @param {NextPackage} next @param {string} dir */
function configFile(next, dir) {
  /** @type {string[]} */
  const names = next.require('next/dist/shared/lib/constants').CONFIG_FILES
  for (let folder = dir; ; folder = dirname(folder)) {
    const found = names.map(name => join(folder, name)).find(file => existsSync(file))
    if (found !== undefined) return found
    // None there: the fault is in what was passed or in the environment.
    if (folder === dirname(folder)) return `the configuration of ${dir}`
  }
}

/**
 * Installs what entries need before the first of them is required: AsyncLocalStorage on the global object, the
 * require hook that maps React to the compiled copy, and web crypto.
 * @param {NextPackage} next
 */
function installNodeEnvironment(next) {
  next.require('next/dist/server/node-environment')
  next.require('next/dist/server/require-hook')
  next.require('next/dist/server/node-polyfill-crypto')
}

/**
 * Variables and globals that follow from the configuration.
 * @param {NextPackage} next
 * @param {any} config
 */
function applyConfig(next, config) {
  const { experimental } = config
  const deploymentId = experimental.useSkewCookie ? '' : config.deploymentId || ''
  if (!experimental.runtimeServerDeploymentId) process.env.NEXT_DEPLOYMENT_ID = deploymentId
  const token = clientAssetToken(config, deploymentId)
  Object.assign(globalThis, { NEXT_CLIENT_ASSET_SUFFIX: token && `?dpl=${token}` })
  if (experimental.optimizeCss) process.env.__NEXT_OPTIMIZE_CSS = 'true'
  if (experimental.nextScriptWorkers) process.env.__NEXT_SCRIPT_WORKERS = 'true'
  next.require('next/dist/server/setup-http-agent-env').setHttpClientAndAgentOptions(config)
}

/**
 * What tells the URLs of one deployment's assets from those of another: in 16.2 an option could say it, later assets can be immutable.
 * @param {any} config
 * @param {string} deploymentId
 * @returns {string}
 */
const clientAssetToken = (config, deploymentId) =>
  config.supportsImmutableAssets ? '' : config.experimental.immutableAssetToken || deploymentId

/**
 * Whether the build was only compiled, as the build has written it down. Without that file it was not, as upstream sees it.
 * @param {string} distDir
 * @returns {boolean | undefined}
 */
function isExperimentalCompile(distDir) {
  try {
    const { config } = JSON.parse(readFileSync(join(distDir, 'required-server-files.json'), 'utf8'))
    return config.experimental.isExperimentalCompile
  } catch {
    return undefined
  }
}

/**
 * The key under which entries look up their router context: the project folder relative to the working directory.
 * @param {string} dir
 */
const relativeProjectDir = dir => relative(process.cwd(), dir)

module.exports = {
  badConfig,
  loadEnvironment,
  loadConfig,
  installNodeEnvironment,
  applyConfig,
  clientAssetToken,
  isExperimentalCompile,
  relativeProjectDir,
}
