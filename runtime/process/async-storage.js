// In: the first import of ferronext. Out: AsyncLocalStorage on the global object, where modules of `next` look for it while they are loaded;
// without it they get a fake that throws, and keep it. `import { notFound } from 'next/navigation'` in a server file loads them
// before any app does. Upstream: next/dist/server/node-environment-baseline.js, next/dist/server/app-render/async-local-storage.js.

const { AsyncLocalStorage } = require('node:async_hooks')

/** A storage of `next` that was created before. @typedef {Record<PropertyKey, any> & { constructor: any }} Storage */

const METHODS = ['disable', 'enterWith', 'exit', 'getStore', 'run']

/** The storage that does the work of a fake. */
const REAL = Symbol('ferronext.storage')

const holder = /** @type {any} */ (globalThis)

if (typeof holder.AsyncLocalStorage !== 'function') {
  holder.AsyncLocalStorage = AsyncLocalStorage
  for (const storage of storagesOfNext()) if (isStandIn(storage)) giveWork(storage.constructor)
}

/**
 * Storages that exist already: one of each copy of upstream's module that Node has loaded, and those that newer versions share by the global
 * object between copies, such as one in a bundle.
 * @returns {Storage[]}
 */
function storagesOfNext() {
  const loaded = Object.keys(require.cache)
    .filter(file => /[\\/]app-render[\\/]async-local-storage\.js$/.test(file))
    .map(file => require.cache[file]?.exports?.createAsyncLocalStorage?.())
  const shared = Object.getOwnPropertySymbols(holder)
    .filter(symbol => symbol.description?.startsWith('@next/'))
    .map(symbol => holder[symbol])
  return [...loaded, ...shared].filter(storage => METHODS.every(name => typeof storage?.[name] === 'function'))
}

/** @param {Storage} storage */
function isStandIn(storage) {
  try {
    storage.run(undefined, () => {})
    return false
  } catch {
    return true
  }
}

/**
 * Makes all storages of the class work. They cannot be replaced, because modules have references to them.
 * @param {any} StandIn
 */
function giveWork(StandIn) {
  for (const name of METHODS) {
    StandIn.prototype[name] = function (/** @type {any[]} */ ...args) {
      this[REAL] ??= new AsyncLocalStorage()
      return this[REAL][name](...args)
    }
  }
  StandIn.bind = AsyncLocalStorage.bind
}
