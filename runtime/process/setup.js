// In: the user's `next` and its configuration. Out: a process in the state that compiled entries expect: variables, async storages, patched
// globals. Upstream: next/dist/server/lib/router-server.js, base-server.js and next-server.js do the same at start.

const { readFileSync } = require('node:fs')
const { join, relative } = require('node:path')
const { codedError } = require('../errors')
const { openLog } = require('../observe/report')

/** @typedef {import('../next/package').NextPackage} NextPackage */

/**
 * Installs what entries need before the first of them is required: AsyncLocalStorage on the global object, the
 * require hook that maps React to the compiled copy, and web crypto.
 * @param {NextPackage} next
 */
function installNodeEnvironment(next) {
  next.load('nodeEnvironment')
  next.load('requireHook')
  next.load('polyfillCrypto')
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
  next.load('httpAgent').setHttpClientAndAgentOptions(config)
}

/**
 * The token that distinguishes the asset URLs of deployments. In 16.2 an option could name it; later, assets can be immutable.
 * @param {any} config
 * @param {string} deploymentId
 * @returns {string}
 */
const clientAssetToken = (config, deploymentId) =>
  config.supportsImmutableAssets ? '' : config.experimental.immutableAssetToken || deploymentId

/**
 * Whether the build was only compiled, as its manifest says. Without the manifest it was not, as in upstream.
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

/** Set on `process` once errors are handled. */
const INSTALLED = Symbol.for('ferronext.uncaught')

/**
 * Logs uncaught errors, the user's own included, instead of ending the process, as upstream's server does
 * (next/dist/server/lib/router-server.js).
 * @param {NextPackage} next
 */
function keepProcessAlive(next) {
  const holder = /** @type {any} */ (process)
  if (holder[INSTALLED]) return
  holder[INSTALLED] = true
  // An error that is thrown in here would end the process (exit code 7).
  const { error: print } = openLog(next)
  process.on('uncaughtException', error => print('uncaughtException: ', error))
  const upstreams = loadHandlers(next)
  if (!upstreams) process.on('unhandledRejection', error => print('unhandledRejection: ', error))
  else if (!upstreams.isUnhandledRejectionListenerRegistered()) upstreams.registerUnhandledRejectionListener()
}

/**
 * Newer versions track their rejection listener, which entries would install, too. Older ones have none.
 * @param {NextPackage} next
 */
function loadHandlers(next) {
  try {
    const handlers = next.load('errorHandlers')
    return handlers.registerUnhandledRejectionListener ? handlers : undefined
  } catch {
    return undefined
  }
}

/** The folder of this copy of ferronext. */
const ROOT = join(__dirname, '../..')

/** Where the process keeps it. */
const COPY = Symbol.for('ferronext.copy')

/**
 * Fails if another copy of ferronext already has an app in this process: each would have a cache, and one would go on serving what the other
 * has revalidated. A test runner may load the same copy many times.
 */
function claimProcess() {
  const holder = /** @type {any} */ (process)
  holder[COPY] ??= ROOT
  if (holder[COPY] === ROOT) return
  throw codedError(
    'FERRONEXT_TWO_COPIES',
    `Two copies of ferronext want to serve from this process: ${holder[COPY]} and ${ROOT}. Each would keep a cache of its own. \`npm ls ferronext\` shows who brings them; keep one, for instance by \`npm dedupe\`.`,
  )
}

module.exports = {
  claimProcess,
  keepProcessAlive,
  installNodeEnvironment,
  applyConfig,
  clientAssetToken,
  isExperimentalCompile,
  relativeProjectDir,
}
