// In: options of next(). Out: the app; prepare() reads the build and makes what its requests need. Upstream: createServer() of
// next/dist/server/next.js and next/dist/server/lib/router-server.js.

const { existsSync } = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { codedError, fromNative } = require('../errors')
const { configText, loadConfig, loadEnvironment } = require('../next/config')
const { checkNext } = require('../next/known-versions')
const { preloaded } = require('../next/modules')
const { findNext } = require('../next/package')
const { applyLogFilter, closePrinter, openPrinter } = require('../observe/native-log')
const { openLog } = require('../observe/report')
const setup = require('../process/setup')
const { applyConf } = require('./conf')
const { NextCustomServer } = require('./custom-server')
const { resolveOptions } = require('./options')
const { CACHE_HANDLER, createState, portOf } = require('./state')

/** @typedef {import('./state').ServerState} ServerState */

/**
 * next(): validates the options and returns the app.
 * @param {typeof import('../native')} native
 * @param {any} options
 */
function createServer(native, options) {
  const resolved = resolveOptions(options)
  setup.claimProcess()
  if (resolved.dev) return require('./dev-server').createDevServer(native, resolved)
  return new NextCustomServer(native, resolved, () => prepare(native, resolved))
}

/**
 * @param {typeof import('../native')} native
 * @param {import('./options').ResolvedOptions} options
 * @returns {Promise<ServerState>}
 */
async function prepare(native, options) {
  const { dir } = options
  if (!existsSync(dir)) {
    throw codedError(
      'FERRONEXT_WRONG_DIR',
      `The project folder ${dir} does not exist. Pass the folder of your Next.js app as \`dir\`.`,
    )
  }
  const next = findNext(dir)
  const { untested } = checkNext(native, next)
  const log = openLog(next)
  applyLogFilter(native, next)
  const started = performance.now()
  const environment = /** @type {Record<string, string | undefined>} */ (process.env)
  environment.NODE_ENV ||= 'production'
  loadEnvironment(next, dir)
  const { config, rules } = await applyConf(next, options.conf, await loadConfig(next, dir))
  if (config.output === 'export') {
    throw codedError(
      'FERRONEXT_EXPORT_OUTPUT',
      `The app in ${dir} uses "output: export", which leaves files for a static host and nothing to serve. Serve the "out" folder with any file server, or remove the option and build again.`,
    )
  }
  const distDir = path.join(dir, config.distDir)
  openPrinter(native) // Rust reports what is wrong with the build while it reads it
  const opening = native.openEngine({
    dir,
    distDir,
    nextVersion: next.version,
    config: configText(next, dir, config),
    hostname: options.hostname || undefined,
    port: portOf(options),
    rules,
    trustsAnyone: process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0',
    extraCaCerts: process.env.NODE_EXTRA_CA_CERTS,
    preferEncodings: options.preferEncodings,
  })
  const [engine] = await Promise.all([opening, loadForFaults(next)]).catch(error => {
    closePrinter(native)
    throw fromNative(error)
  })
  setup.applyConfig(next, config)
  setup.keepProcessAlive(next)
  // Entries import it later; an `import()` that fails once, because no descriptor is left, fails for ever.
  const canImport = await import(pathToFileURL(CACHE_HANDLER).href).then(
    () => true,
    () => false,
  )
  const state = createState(native, options, next, log, config, distDir, engine, canImport)
  if (untested) {
    await require('../entry/contract')
      .checkContract(state)
      .catch((/** @type {unknown} */ error) => {
        state.preload.stop()
        clearInterval(state.publicWatch)
        closePrinter(native)
        throw error
      })
  }
  // Printed on request only: upstream's custom server prints nothing here.
  const took = Math.round(performance.now() - started)
  native.trace(
    'start',
    `next ${next.version}: ${distDir} is served, read in ${took} ms${untested ? `; ${untested}` : ''}`,
  )
  return state
}

/**
 * Loads what is needed when nothing can be loaded any more: no descriptors are left, or node_modules is being replaced.
 * @param {import('../next/package').NextPackage} next
 */
async function loadForFaults(next) {
  for (const name of preloaded('prepare')) next.load(name)
}

module.exports = { createServer }
