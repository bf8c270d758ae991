// In: errors and warnings. Out: a line for the operator, in upstream's format. The error may be that nothing can be loaded or opened any more (no
// descriptors left, node_modules replaced), so nothing here loads, opens or throws: openLog() has prepared it before the first request.

const { inspect } = require('node:util')

/**
 * @typedef {object} Log
 * @property {(...args: unknown[]) => void} error
 * @property {(...args: unknown[]) => void} warn
 * @property {(...args: unknown[]) => void} warnOnce
 */

/** @type {WeakMap<object, Log>} */
const logs = new WeakMap()

/**
 * Upstream's log, loaded and ready.
 * @param {import('../next/package').NextPackage} next
 * @returns {Log}
 */
function openLog(next) {
  let log = logs.get(next)
  if (log === undefined) {
    const upstreams = next.load('log')
    // Node opens them at the first access.
    void [process.stdout, process.stderr]
    const print = (/** @type {keyof Log} */ method) => guarded((...args) => upstreams[method](...args))
    log = { error: print('error'), warn: print('warn'), warnOnce: print('warnOnce') }
    logs.set(next, log)
  }
  return log
}

/**
 * The console, for callers that must not fail: a user's own console may throw, and so may an error that is printed.
 * @param {'error' | 'warn'} method
 * @param {unknown[]} args
 */
function report(method, ...args) {
  guarded((...all) => console[method](...all))(...args)
}

/**
 * @param {(...args: unknown[]) => void} print
 * @returns {(...args: unknown[]) => void}
 */
function guarded(print) {
  return (...args) => {
    try {
      print(...args)
    } catch {
      try {
        process.stderr.write(`${args.map(plain).join(' ')}\n`)
      } catch {
        // There is no place left to report it.
      }
    }
  }
}

/** @param {unknown} value */
function plain(value) {
  if (typeof value === 'string') return value
  try {
    const { stack } = /** @type {{ stack?: unknown }} */ (value ?? {})
    return typeof stack === 'string' ? stack : inspect(value, { customInspect: false })
  } catch {
    return 'A value that cannot be printed'
  }
}

module.exports = { openLog, report }
