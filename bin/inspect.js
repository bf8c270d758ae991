// In: the options of `next start` that are for those who look into the process. Out: the inspector listens, or a profile is written
// when the process ends. Upstream: next/dist/cli/next-start.js, next/dist/server/lib/cpu-profile.js.

const inspector = require('node:inspector')
const { mkdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { report } = require('../runtime/observe/report')
const { badArgument } = require('./fault')
const { codedError } = require('../runtime/errors')

const DEFAULT_PORT = 9229

/** Options of the parser. @type {import('./run').Command['options']} */
const INSPECTING = {
  inspect: { type: 'string' },
  'experimental-cpu-prof': { type: 'boolean' },
  'experimental-next-config-strip-types': { type: 'boolean' },
}

/**
 * @param {Record<string, any>} values
 * @param {string} dir where the profile goes
 */
function inspect(values, dir) {
  const environment = /** @type {Record<string, string | undefined>} */ (process.env)
  if (values['experimental-next-config-strip-types']) environment.__NEXT_NODE_NATIVE_TS_LOADER_ENABLED = 'true'
  if (values.inspect !== undefined) openInspector(values.inspect)
  if (values['experimental-cpu-prof']) profile(dir)
}

/** @param {string} text `[[host:]port]` */
function openInspector(text) {
  const parts = /^(?:(?:\[(?<v6>[\da-f:.]+)\]|(?<host>[^:]+)):)?(?<port>\d+)$|^$/i.exec(text)
  const port = Number(parts?.groups?.port ?? DEFAULT_PORT)
  if (!parts || port > 65_535) throw badArgument(`--inspect takes a port, or a host and a port, not "${text}"`)
  if (inspector.url() !== undefined) {
    return report('warn', `The debugger is open already, at ${inspector.url()}. --inspect is ignored.`)
  }
  try {
    inspector.open(port, parts.groups?.v6 ?? parts.groups?.host)
  } catch (error) {
    throw codedError(
      'FERRONEXT_CANNOT_LISTEN',
      `The debugger cannot listen on ${text || port}. Choose another port with --inspect.`,
      error,
    )
  }
  // Node reports no error when the port is in use.
  if (inspector.url() === undefined) {
    throw codedError(
      'FERRONEXT_CANNOT_LISTEN',
      `The debugger cannot listen on ${text || port}. Choose another port with --inspect.`,
    )
  }
}

/** @param {string} dir */
function profile(dir) {
  const session = new inspector.Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.start')
  process.once('exit', () => {
    // Answered at once, because the profiler is in this thread.
    session.post('Profiler.stop', (error, stopped) => {
      const folder = path.join(dir, '.next-profiles')
      const file = path.join(
        folder,
        `start-${new Date().toISOString().replace(/[:.]/g, '-')}-${process.pid}.cpuprofile`,
      )
      try {
        if (error) throw error
        mkdirSync(folder, { recursive: true })
        writeFileSync(file, JSON.stringify(stopped.profile))
        report('warn', `The profile is in ${file}`)
      } catch (failed) {
        report('error', `The profile cannot be written: ${/** @type {Error} */ (failed).message}`)
      }
    })
  })
}

module.exports = { INSPECTING, inspect }
