// In: `node --import ferronext/register server.js` (or `-r`). Out: the user's own `import`/`require` of exactly `next`
// gets ferronext. Imports from inside the `next` package, and of `next/*`, are untouched, and so are the packages in
// node_modules that build on `next`.

require('./process/node-version')
require('./process/async-storage')
const Module = require('node:module')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { MessageChannel } = require('node:worker_threads')
const { isUserCode } = require('./process/user-code')

const FERRONEXT = path.join(__dirname, '..', 'index.js')
const FERRONEXT_URL = pathToFileURL(FERRONEXT).href
const INSTALLED = Symbol.for('ferronext.register')

const loader = /** @type {any} */ (Module)

/**
 * @param {((file: string) => void) | undefined} report called for every file that is loaded, with its path or URL
 */
function install(report) {
  // For `require()`: on a Node without hooks for it, and for direct calls such as `require.resolve()`.
  const resolveFilename = loader._resolveFilename
  loader._resolveFilename = function (
    /** @type {string} */ request,
    /** @type {{ filename?: string } | undefined} */ parent,
    /** @type {unknown[]} */ ...rest
  ) {
    if (request === 'next' && isUserCode(parent?.filename)) return FERRONEXT
    const file = resolveFilename.call(this, request, parent, ...rest)
    report?.(file)
    return file
  }
  if (loader.registerHooks) {
    // Node 22.15 and later: one hook for `import` and `require()`, in this thread, and before those of loaders such as tsx.
    loader.registerHooks({
      /** @param {string} specifier @param {{ parentURL?: string }} context @param {(...args: any[]) => any} nextResolve */
      resolve(specifier, context, nextResolve) {
        if (specifier === 'next' && isUserCode(context.parentURL)) {
          return { url: FERRONEXT_URL, format: 'commonjs', shortCircuit: true }
        }
        const resolved = nextResolve(specifier, context)
        report?.(resolved.url)
        return resolved
      },
    })
    return
  }
  // Before that ES modules resolve on another thread, and the hook there is a module of its own. The hook that was
  // registered last is called first, and some, such as that of ts-node, never call the next: ours stays the last one.
  const { register } = loader
  const registerOurs = () =>
    register.call(loader, pathToFileURL(path.join(__dirname, 'process/register-hooks.mjs')), link(report))
  registerOurs()
  loader.register = (/** @type {unknown[]} */ ...args) => {
    const result = register.apply(loader, args)
    registerOurs()
    return result
  }
  loader.syncBuiltinESMExports()
}

/**
 * The data of the hooks on the other thread.
 * @param {((file: string) => void) | undefined} report
 */
function link(report) {
  const data = { ferronext: FERRONEXT_URL }
  if (!report) return { data }
  const { port1, port2 } = new MessageChannel()
  port1.on('message', report)
  port1.unref()
  return { data: { ...data, port: port2 }, transferList: [port2] }
}

/**
 * Under `ferronext dev` the process that watches files needs the list of files that the server has loaded.
 * @returns {((file: string) => void) | undefined}
 */
function reporter() {
  if (process.env.FERRONEXT_REPORT_MODULES === undefined || !process.send) return undefined
  /** @type {Set<string>} */
  const reported = new Set()
  return file => {
    if (reported.has(file) || !isUserCode(file)) return
    reported.add(file)
    if (process.connected) process.send?.({ ferronext: 'loaded', file })
  }
}

// `--import` in NODE_OPTIONS and on the command line: once is enough.
if (!loader[INSTALLED]) {
  loader[INSTALLED] = true
  install(reporter())
}
