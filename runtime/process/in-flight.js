// In: work that outlives its response (cache writes, `after()`), and requests that are not answered yet. Out: one promise for all of it, so that
// `close()` can drain.

const { report } = require('../observe/report')

/** Where a platform that keeps processes alive, or freezes them, offers its functions for the current request. */
const PLATFORM = Symbol.for('@next/request-context')

/** What a platform offers to the code of the current request. @returns {{ waitUntil?: (work: Promise<unknown>) => void } | undefined} */
const platformContext = () => /** @type {any} */ (globalThis)[PLATFORM]?.get()

/** Collects work that outlives a response, so that `close()` can wait for it. */
class WaitUntil {
  /** @type {Set<Promise<unknown>>} */
  #pending = new Set()

  /** @type {(work: Promise<unknown>) => void} */
  add = work => {
    const settled = Promise.resolve(work).then(
      () => {},
      error => report('error', error),
    )
    this.#pending.add(settled)
    settled.then(() => this.#pending.delete(settled))
  }

  /**
   * `waitUntil` for the code of a request. A platform's own comes first, as in upstream (`getWaitUntil` of
   * next/dist/server/base-server.js), where `after()` fails if there is a platform that has none. `close()` waits for either.
   * @returns {((work: Promise<unknown>) => void) | undefined}
   */
  ofRequest() {
    const platform = platformContext()
    if (!platform) return this.add
    if (!platform.waitUntil) return undefined
    return work => {
      this.add(work)
      platform.waitUntil?.(work)
    }
  }

  /** Resolves once nothing is pending, including work that was added meanwhile. */
  async settle() {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }
}

/** Counts requests in flight. */
class InFlight {
  #count = 0
  /** @type {(() => void)[]} */
  #waiting = []

  begin() {
    this.#count++
  }

  end() {
    if (--this.#count > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  get isIdle() {
    return this.#count === 0
  }

  /** Resolves once none is in flight. @returns {Promise<void>} */
  settle() {
    return this.#count === 0 ? Promise.resolve() : new Promise(resolve => this.#waiting.push(resolve))
  }
}

/**
 * Waits for work, up to a time limit.
 * @param {number} ms
 * @param {Promise<unknown>} work
 * @returns {Promise<boolean>} whether it is done
 */
async function within(ms, work) {
  /** @type {any} */
  let timer
  /** @type {Promise<boolean>} */
  const late = new Promise(resolve => {
    timer = setTimeout(resolve, Math.max(ms, 0), false)
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}

module.exports = { InFlight, WaitUntil, platformContext, within }
