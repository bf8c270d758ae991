// In: what the project requires. Out: for `webpack` and its like, the copies that `next` brings along, as upstream has it from
// the start (next/dist/server/config-utils.js); but that takes 7 ms of a start, and few configurations require any of them.

const Module = require('node:module')

/** What upstream maps to its own copies begins with one of these. */
const MAPPED = /^(?:webpack|@babel\/runtime)/

let installed = false

/** @param {() => void} install upstream's own way, which comes before this one */
function hookWebpack(install) {
  if (installed) return
  installed = true
  const loader = /** @type {any} */ (Module)
  const resolveFilename = loader._resolveFilename
  let isMapped = false
  loader._resolveFilename = function (/** @type {string} */ request, /** @type {unknown[]} */ ...rest) {
    if (!isMapped && MAPPED.test(request)) {
      isMapped = true
      install()
      return loader._resolveFilename(request, ...rest)
    }
    return resolveFilename.call(this, request, ...rest)
  }
}

module.exports = { hookWebpack }
