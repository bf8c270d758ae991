// In: the path of a compiled entry below `.next`. Out: its exports, loaded once.

/** Loads compiled entries of one build. */
class Entries {
  /** @type {Map<string, any>} */
  #loaded = new Map()

  /**
   * @param {string} distDir absolute path of the build folder
   * @param {() => void} beforeFirst prepares the process for entries; does its work the first time
   */
  constructor(distDir, beforeFirst) {
    this.distDir = distDir
    this.beforeFirst = beforeFirst
  }

  /**
   * The exports of an entry. A module with top-level await exports a promise, which is awaited.
   * @param {string} file path below the build folder, e.g. `server/app/page.js`
   * @returns {any} the exports, or a promise of them the first time
   */
  load(file) {
    return this.#loaded.get(file) ?? this.#require(file)
  }

  /** @param {string} file */
  async #require(file) {
    this.beforeFirst()
    const exports = await require(`${this.distDir}/${file}`)
    this.#loaded.set(file, exports)
    return exports
  }
}

module.exports = { Entries }
