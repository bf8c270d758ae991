// In: apps that open and close. Out: the addon's lines on this thread's console, for as long as one of them is open. A function
// that the addon held on to for longer would be an open handle to a test runner, and keep the world of a test file alive.

const { report } = require('./report')

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

module.exports = { openPrinter, closePrinter }
