// In: `require('ferronext')` or `import next from 'ferronext'`. Out: next(options). Loads the addon of this platform and
// gives it the JavaScript that must be JavaScript.

require('./runtime/process/node-version')
require('./runtime/process/async-storage')
const { loadAddon } = require('./runtime/process/addon')
const runtime = require('./runtime/app/server')

const native = loadAddon(__dirname)
const createServer = (/** @type {unknown} */ options) => runtime.createServer(native, options)

/** @type {any} */
const next = (/** @type {unknown} */ options) => native.next(options, createServer)

// `import next from`, `import { default as next }` and TypeScript's interop all end at the function.
module.exports = next
module.exports.default = next
