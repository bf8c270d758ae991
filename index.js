// In: `require('ferronext')` or `import next from 'ferronext'`. Out: next(options). Loads the addon of this platform and
// gives it the JavaScript that must be JavaScript.

require('./runtime/node-version')
const { loadAddon } = require('./runtime/addon')
const runtime = require('./runtime/server')

const native = loadAddon(__dirname)
native.setRuntime((/** @type {unknown} */ options) => runtime.createServer(native, options))
native.setPrinter((/** @type {'error' | 'warn'} */ method, /** @type {string} */ text) => console[method](text))

/** @type {any} */
const next = (/** @type {unknown} */ options) => native.next(options)

// `import next from`, `import { default as next }` and TypeScript's interop all end at the function.
module.exports = next
module.exports.default = next
