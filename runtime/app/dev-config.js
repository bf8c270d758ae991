// In: the folder of an app in development. Out: a watcher of its next.config. What has changed there needs a new process:
// under `ferronext dev` the parent starts one, elsewhere one line says so. Upstream restarts under `next dev` and says
// nothing in a custom server.

const { existsSync } = require('node:fs')
const path = require('node:path')

/**
 * @param {import('../next/package').NextPackage} next
 * @param {string} dir
 * @returns {Promise<{ close: () => void }>}
 */
async function watchConfig(next, dir) {
  if (isSupervised()) {
    // Read already, so that this comes from upstream's memory.
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

module.exports = { watchConfig }
