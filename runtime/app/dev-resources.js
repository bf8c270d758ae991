// In: upstream's dev server at work. Out: its file watchers and workers, so that `close()` can end them; upstream's own
// `close()` leaves them to the end of the process.

const { AsyncLocalStorage } = require('node:async_hooks')

/** In whose name the code that runs works. @type {AsyncLocalStorage<DevResources>} */
const owner = new AsyncLocalStorage()

/** Classes whose objects are noted already. @type {WeakSet<object>} */
const tracked = new WeakSet()

/** What one dev server has to give back. */
class DevResources {
  /** @type {Set<{ close?: () => unknown, end?: () => unknown }>} */
  #all = new Set()
  #closed = false

  /** @param {import('../next/package').NextPackage} next */
  constructor(next) {
    // Watchers of the dev server and of webpack; they share the class.
    track(next.load('watchpack').prototype, 'watch')
    // Processes and threads: static paths, probes of `use cache`, validation. Each gets its output connected at once.
    track(next.load('jestWorker').Worker.prototype, 'getStdout')
  }

  /**
   * Runs `work`; what it and everything that follows from it opens belongs here.
   * @template T
   * @param {() => T} work
   * @returns {T}
   */
  collect(work) {
    return owner.run(this, work)
  }

  /** @param {{ close?: () => unknown, end?: () => unknown }} resource */
  add(resource) {
    if (this.#closed) dispose(resource)
    else this.#all.add(resource)
  }

  /** Ends everything, also what is opened from now on. */
  async close() {
    this.#closed = true
    const all = [...this.#all]
    this.#all.clear()
    await Promise.allSettled(all.map(dispose))
  }
}

/** @param {{ close?: () => unknown, end?: () => unknown }} resource */
async function dispose(resource) {
  await (resource.close ?? resource.end)?.call(resource)
}

/**
 * Notes the objects of a class when a method of theirs is called.
 * @param {any} prototype
 * @param {string} method
 */
function track(prototype, method) {
  if (tracked.has(prototype)) return
  tracked.add(prototype)
  const original = prototype[method]
  prototype[method] = function (/** @type {unknown[]} */ ...args) {
    const result = original.apply(this, args)
    owner.getStore()?.add(this)
    return result
  }
}

module.exports = { DevResources }
