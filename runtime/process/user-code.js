// In: the file that imports a module. Out: whether it is the user's own code. Runs in Node's main thread and in the thread of its
// loader hooks.

const path = require('node:path')
const { fileURLToPath } = require('node:url')

const FERRONEXT = path.join(__dirname, '../..') + path.sep

/**
 * Whether a file belongs neither to a package, nor to Node, nor to ferronext, which needs the real `next`.
 * @param {string | undefined} importer file name or URL; `undefined` is the command line
 */
function isUserCode(importer) {
  if (importer === undefined || importer === '') return true
  let file = importer
  if (importer.startsWith('file:')) {
    try {
      file = fileURLToPath(importer)
    } catch {
      return false // a URL that is no path on this machine
    }
  } else if (!path.isAbsolute(importer)) {
    // `data:` is code from the command line; `node:` is Node's.
    return importer.startsWith('data:')
  }
  return !/[\\/]node_modules[\\/]/.test(file) && !file.startsWith(FERRONEXT)
}

module.exports = { isUserCode }
