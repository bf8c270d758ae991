// In: options with `dev: true`. Out: upstream's development app: its compiler, its dev server and all its methods. ferronext adds checked
// versions, `conf` and `trustProxy` as in production, and a `close()` that ends everything. Upstream: NextCustomServer of next/dist/server/next.js.

const { existsSync } = require('node:fs')
const path = require('node:path')
const { applyConf } = require('./conf')
const { DevResources } = require('./dev-resources')
const { codedError } = require('../errors')
const { checkNext } = require('../next/known-versions')
const { findNext } = require('../next/package')
const { bodyErrorOf, restoreBody, reportBodyError } = require('../http/read-body')
const { forwardedFilter } = require('../http/trust-proxy')

const RULES = ['redirects', 'rewrites', 'headers']

/**
 * @param {typeof import('../native')} native
 * @param {import('./options').ResolvedOptions} options
 * @returns {any} upstream's app
 */
function createDevServer(native, options) {
  const { dir, conf } = options
  if (!existsSync(dir)) {
    throw codedError(
      'FERRONEXT_WRONG_DIR',
      `The project folder ${dir} does not exist. Pass the folder of your Next.js app as \`dir\`.`,
    )
  }
  const next = findNext(dir)
  checkNext(native, next)
  // By its file: `next` alone would be ferronext again when `ferronext/register` is on.
  const app = next.load('developmentServer')(options)
  const resources = new DevResources(next)
  const filterForwarded = forwardedFilter(options.trustProxy)
  const { prepare, close, getRequestHandler } = app

  /** @type {Promise<void> | undefined} */
  let preparing
  const start = async () => {
    if (conf !== undefined && conf !== null) await presetConf(next, dir, conf)
    await resources.collect(() => prepare.call(app))
    resources.add(await watchConfig(next, dir))
  }
  return Object.assign(app, {
    prepare() {
      preparing ??= start().catch(error => {
        preparing = undefined // so that a server can try again after a correction
        throw error
      })
      return preparing
    },
    getRequestHandler() {
      const handle = getRequestHandler.call(app)
      return (/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ parsedUrl) => {
        filterForwarded?.(req)
        const answer = () => resources.collect(() => handle(req, res, parsedUrl))
        return req.readableEnded ? withBody(req).then(answer) : answer()
      }
    },
    async close() {
      app.init?.closeUpgraded?.()
      // Upstream reads it while it cleans up (hot-reloader-turbopack.js): its threads stop watching and compiling, too.
      process.env.__NEXT_DEV_WAIT_FOR_TURBOPACK_SHUTDOWN ??= '1'
      await close.call(app)
      await resources.close()
    },
  })
}

/**
 * Restores the body of a request, or reports why it has none, as production does.
 * @param {any} req
 */
async function withBody(req) {
  await restoreBody(req)
  const bodyError = bodyErrorOf(req)
  if (bodyError && !req.body) reportBodyError(bodyError)
}

/**
 * Changes the configuration that upstream's server is about to read: it caches what it has read, by phase and folder.
 * @param {import('../next/package').NextPackage} next
 * @param {string} dir
 * @param {object} conf
 */
async function presetConf(next, dir, conf) {
  const environment = /** @type {Record<string, string | undefined>} */ (process.env)
  environment.NODE_ENV ||= 'development'
  const { default: load } = next.load('config')
  const config = await load('phase-development-server', dir, { silent: false })
  const { config: changed } = await applyConf(next, conf, config, true)
  Object.assign(config, changed)
  // Checked above. The dev server calls the functions itself and normalises their rules.
  for (const [name, rules] of Object.entries(conf)) if (RULES.includes(name)) config[name] = rules
}

/**
 * Watches next.config. A change there needs a new process: under `ferronext dev` the parent starts one, elsewhere one line is printed.
 * Upstream restarts under `next dev` and prints nothing in a custom server.
 * @param {import('../next/package').NextPackage} next
 * @param {string} dir
 * @returns {Promise<{ close: () => void }>}
 */
async function watchConfig(next, dir) {
  if (isSupervised()) {
    // From upstream's cache: it has been read already.
    const config = await next.load('config').default('phase-development-server', dir)
    process.send?.({ ferronext: 'compiles', dir: path.join(dir, config.distDir) })
  }
  const Watchpack = next.load('watchpack')
  const { CONFIG_FILES } = next.load('constants')
  /** @type {string[]} */
  const files = CONFIG_FILES.map((/** @type {string} */ name) => path.join(dir, name))
  const watcher = new Watchpack()
  watcher.watch({ files: files.filter(existsSync), missing: files.filter(file => !existsSync(file)) })
  const onChange = (/** @type {string} */ file) => {
    if (isSupervised()) return void process.send?.({ ferronext: 'restart', file })
    next
      .load('log')
      .warn(
        `${path.basename(file)} has changed. Restart the server to apply it; \`ferronext dev\` does that by itself.`,
      )
  }
  watcher.on('change', onChange)
  watcher.on('remove', onChange)
  return watcher
}

/** Whether `ferronext dev` runs this process. */
const isSupervised = () => process.env.FERRONEXT_REPORT_MODULES !== undefined && Boolean(process.connected)

module.exports = { createDevServer }
