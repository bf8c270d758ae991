// In: the folder of this copy of ferronext. Out: an error if another copy already has an app in this process. Two copies have two caches:
// one would go on serving what the other has revalidated.

const path = require('node:path')
const { codedError } = require('../errors')

const ROOT = path.join(__dirname, '../..')
const COPY = Symbol.for('ferronext.copy')

/** Fails when this is not the only copy. The same copy may be loaded many times, by a test runner for instance. */
function claimProcess() {
  const holder = /** @type {any} */ (process)
  holder[COPY] ??= ROOT
  if (holder[COPY] === ROOT) return
  throw codedError(
    'FERRONEXT_TWO_COPIES',
    `Two copies of ferronext want to serve from this process: ${holder[COPY]} and ${ROOT}. Each would keep a cache of its own. \`npm ls ferronext\` shows who brings them; keep one, for instance by \`npm dedupe\`.`,
  )
}

module.exports = { claimProcess }
