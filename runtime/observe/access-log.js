// In: the option `accessLog` and what is known of a request that has been answered. Out: one line on standard output, or a
// call of the user's own function.

const { codedError } = require('../errors')
const { report } = require('./report')

/** @typedef {import('../../index').AccessLogEntry} AccessLogEntry */

/**
 * @param {unknown} option
 * @returns {((entry: AccessLogEntry) => void) | undefined}
 */
function formatter(option) {
  if (!option) return undefined
  if (typeof option === 'function') return guarded(/** @type {(entry: AccessLogEntry) => void} */ (option))
  if (option === true || option === 'text') return entry => void process.stdout.write(text(entry))
  if (option === 'json') return entry => void process.stdout.write(`${JSON.stringify(entry)}\n`)
  throw codedError(
    'FERRONEXT_BAD_OPTION',
    `The option \`accessLog\` of next() takes true, "text", "json" or a function, not ${JSON.stringify(option)}.`,
  )
}

/** @param {AccessLogEntry} entry */
function text({ time, method, url, status, complete, ms, route, cache }) {
  const aborted = complete ? '' : ' aborted'
  return `${time.toISOString()} ${printable(method)} ${printable(url)} ${status} ${ms.toFixed(1)}ms route=${printable(route)} cache=${cache ?? '-'}${aborted}\n`
}

/** Node's parser lets bytes through that a terminal would take for commands. @param {string} value */
const printable = value =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  value.replace(/[\x00-\x20\x7f-\x9f]/g, char => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** A fault of the user's function costs its line and not the process. @param {(entry: AccessLogEntry) => void} log */
function guarded(log) {
  return (/** @type {AccessLogEntry} */ entry) => {
    try {
      log(entry)
    } catch (error) {
      report('error', error)
    }
  }
}

module.exports = { formatter }
