// In: upstream's dev server at work. Out: its file watchers and workers, so that `close()` can end them. Upstream's own
// `close()` leaves them until the process ends.

const { AsyncLocalStorage } = require('node:async_hooks')

/** The dev server that the current code runs for. @type {AsyncLocalStorage<DevResources>} */
const owner = new AsyncLocalStorage()

/** Classes whose objects are tracked already. @type {WeakSet<object>} */
const tracked = new WeakSet()

/** The watchers and workers of one dev server. */
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
   * Runs `work`, and adds everything that it opens, now or later.
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

  /** Ends everything, and everything that is opened later. */
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
 * Tracks the objects of a class when one of their methods is called.
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
