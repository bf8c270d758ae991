// In: DEBUG or FERRONEXT_LOG. Out: lines on standard error about what ferronext decides and does, from Rust and JavaScript alike.
// DEBUG names the parts as other packages do (`DEBUG=ferronext:*`), FERRONEXT_LOG as Rust does (`ferronext::cache=debug`).

/** The parts that say something, see the `target` of the events in src/ and `native.trace()` in runtime/. */
const PARTS = ['start', 'route', 'cache', 'render']

/**
 * Once per process: all apps share Rust's filter.
 * @param {typeof import('../native')} native
 * @param {import('../next/package').NextPackage} next
 */
function traceAsAsked(native, next) {
  const { DEBUG, FERRONEXT_LOG } = process.env
  if (FERRONEXT_LOG) return native.setLogFilter(FERRONEXT_LOG)
  if (!DEBUG) return
  const debug = next.load('debug')
  const asked = PARTS.filter(part => debug.enabled(`ferronext:${part}`))
  if (asked.length > 0) native.setLogFilter(asked.map(part => `ferronext::${part}=debug`).join())
}

module.exports = { traceAsAsked }
