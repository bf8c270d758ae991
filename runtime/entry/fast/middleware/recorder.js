// In: a call of upstream's middleware adapter. Out: its result, and what it has passed to its async storages: the user's function with its
// request and event, and the two stores. The bundle keeps all of them to itself, so this is where they can be seen.

const { AsyncLocalStorage } = require('node:async_hooks')

/**
 * @typedef {object} Seen
 * @property {AsyncLocalStorage<any>} workStorage
 * @property {any} workStore
 * @property {AsyncLocalStorage<any>} unitStorage
 * @property {any} requestStore
 * @property {(request: any, event: any) => any} handler
 * @property {any} request
 * @property {any} event
 * @property {unknown} description of the request, before the handler could change it
 */

/** Tells the call that is recorded from others that run meanwhile. @type {AsyncLocalStorage<Partial<Seen>>} */
const recording = new AsyncLocalStorage()

/**
 * @param {() => Promise<any>} adapter
 * @param {(request: any) => unknown} describe
 * @returns {Promise<{ result: any, seen: Seen | undefined }>} `seen` is absent if the adapter works in an unknown way
 */
async function record(adapter, describe) {
  const { prototype } = AsyncLocalStorage
  const { run } = prototype
  /** @type {Partial<Seen>} */
  const seen = {}
  // Someone else may have replaced it since, and calls ours; it notes nothing any more.
  const restore = () => {
    if (prototype.run === patched) prototype.run = run
  }
  /** @this {AsyncLocalStorage<any>} @param {any[]} args */
  const patched = function (...args) {
    if (recording.getStore() === seen) {
      try {
        note(seen, this, args, describe)
      } catch {
        // A request of an unknown shape: there is nothing to learn, and the handler runs all the same.
      }
      // The handler may take its time, and needs nothing of this.
      if (seen.handler !== undefined) restore()
    }
    return Reflect.apply(run, this, args)
  }
  prototype.run = patched
  try {
    const result = await Reflect.apply(run, recording, [seen, adapter])
    return { result, seen: seen.workStore && seen.handler ? /** @type {Seen} */ (seen) : undefined }
  } finally {
    restore()
  }
}

/**
 * @param {Partial<Seen>} seen
 * @param {AsyncLocalStorage<any>} storage
 * @param {any[]} args of `run`
 * @param {(request: any) => unknown} describe
 */
function note(seen, storage, [store, handler, request, event], describe) {
  if (seen.handler !== undefined) return
  if (store?.afterContext !== undefined && seen.workStore === undefined) {
    Object.assign(seen, { workStorage: storage, workStore: store })
  } else if (store?.type === 'request' && typeof handler === 'function' && event !== undefined) {
    const description = describe(request)
    Object.assign(seen, { unitStorage: storage, requestStore: store, handler, request, event, description })
  }
}

module.exports = { record }
