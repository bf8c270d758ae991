// In: `node --import ferronext/register server.js` (or `-r`). Out: the user's own `import`/`require` of exactly `next`
// gets ferronext. Imports from inside the `next` package, and of `next/*`, are untouched, and so are the packages in
// node_modules that build on `next`.

const Module = require('node:module')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

const FERRONEXT = path.join(__dirname, '..', 'index.js')

/**
 * Whether the importer is the user's own code: not a package, and not ferronext, which needs the real `next`.
 * @param {string | undefined} importer file name or file URL
 */
function isUsersCode(importer) {
  if (!importer) return true
  const file = importer.startsWith('file:') ? decodeURIComponent(new URL(importer).pathname) : importer
  return !/[\\/]node_modules[\\/]/.test(file) && !file.startsWith(path.join(__dirname, '..') + path.sep)
}

const loader = /** @type {any} */ (Module)
const resolveFilename = loader._resolveFilename
loader._resolveFilename = function (
  /** @type {string} */ request,
  /** @type {{ filename?: string } | undefined} */ parent,
  /** @type {unknown[]} */ ...rest
) {
  if (request === 'next' && isUsersCode(parent?.filename)) return FERRONEXT
  return resolveFilename.call(this, request, parent, ...rest)
}

// ES modules resolve on another thread; the hook there is a module of its own.
Module.register(pathToFileURL(path.join(__dirname, 'register-hooks.mjs')), {
  data: { ferronext: pathToFileURL(FERRONEXT).href, root: pathToFileURL(path.join(__dirname, '..')).href },
})
