// In: apps that open and close, DEBUG and FERRONEXT_LOG. Out: the addon's lines. Warnings and errors go to this thread's console while an app
// is open; the addon holds no function of this thread for longer, because a test runner would take it for an open handle. Debug
// lines go to standard error, if DEBUG or FERRONEXT_LOG selects them.

const { report } = require('./report')

/** Apps that are open in this thread. */
let open = 0

/** @param {typeof import('../native')} native */
function openPrinter(native) {
  if (open++ > 0) return
  native.setPrinter((/** @type {'error' | 'warn'} */ method, /** @type {string} */ text) => report(method, text))
}

/** @param {typeof import('../native')} native */
function closePrinter(native) {
  if (--open === 0) native.clearPrinter()
}

/**
 * The parts that write lines, see the `target` of the events in src/ and `native.trace()` in runtime/. DEBUG names them as other packages do
 * (`DEBUG=ferronext:*`), FERRONEXT_LOG as Rust does (`ferronext::cache=debug`).
 */
const PARTS = ['start', 'route', 'cache', 'render']

/**
 * Sets the filter of the process: all apps share it.
 * @param {typeof import('../native')} native
 * @param {import('../next/package').NextPackage} next
 */
function applyLogFilter(native, next) {
  const { DEBUG, FERRONEXT_LOG } = process.env
  if (FERRONEXT_LOG) return native.setLogFilter(FERRONEXT_LOG)
  if (!DEBUG) return
  const debug = next.load('debug')
  const asked = PARTS.filter(part => debug.enabled(`ferronext:${part}`))
  if (asked.length > 0) native.setLogFilter(asked.map(part => `ferronext::${part}=debug`).join())
}

module.exports = { applyLogFilter, closePrinter, openPrinter }
