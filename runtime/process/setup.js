// In: the user's `next` and its configuration. Out: a process in the state that compiled entries expect: variables, async storages, patched
// globals. Upstream: next/dist/server/lib/router-server.js, base-server.js and next-server.js do the same at start.

const { readFileSync } = require('node:fs')
const { join, relative } = require('node:path')

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

module.exports = {
  installNodeEnvironment,
  applyConfig,
  clientAssetToken,
  isExperimentalCompile,
  relativeProjectDir,
}
