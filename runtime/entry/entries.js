// In: the path of a compiled entry below `.next`. Out: its exports, loaded once, and its manifests, read once.

const { closeSync, openSync } = require('node:fs')
const path = require('node:path')

/** Too many open files, in the process or in the system. */
const OF_THE_MOMENT = new Set(['EMFILE', 'ENFILE'])

/** Loads compiled entries of one build. */
class Entries {
  /** @type {Map<string, any>} */
  #loaded = new Map()
  /** Entries whose manifests have been read. @type {WeakSet<object>} */
  #complete = new WeakSet()

  /**
   * @param {string} distDir absolute path of the build folder
   * @param {string} projectDir the project folder, as entries name it
   * @param {() => void} beforeFirst prepares the process for entries; does nothing the second time
   */
  constructor(distDir, projectDir, beforeFirst) {
    this.distDir = distDir
    this.projectDir = projectDir
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

  /**
   * Reads the manifests of an entry's page and the code of its client components before the first request does. Upstream treats a manifest that
   * cannot be opened as missing, and the compiler's runtime caches the failure of a chunk: without descriptors at that moment, the page
   * would fail for ever.
   * @param {any} entry
   * @param {string} file
   * @param {string} page as the manifests name it
   */
  readManifests(entry, file, page) {
    if (this.#complete.has(entry)) return
    try {
      closeSync(openSync(path.join(this.distDir, file), 'r'))
    } catch (error) {
      // A deleted entry is in memory.
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error
    }
    let manifests
    try {
      manifests = entry.routeModule?.loadManifests?.(page, this.projectDir)
    } catch (error) {
      // The request gets the same error, and reports it. The next request tries again if descriptors are missing.
      if (OF_THE_MOMENT.has(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) return
    }
    for (const chunk of chunksOf(manifests)) this.#loadChunk(chunk)
    this.#complete.add(entry)
  }

  /** Loads a chunk without running it; the compiler's runtime finds it in Node's cache. @param {string} chunk */
  #loadChunk(chunk) {
    try {
      require(path.join(this.distDir, chunk))
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'MODULE_NOT_FOUND') throw error
    }
  }

  /** @param {string} file */
  async #require(file) {
    this.beforeFirst()
    const exports = await require(`${this.distDir}/${file}`)
    this.#loaded.set(file, exports)
    return exports
  }
}

/**
 * The code of the client components of a page, as Turbopack compiles it for the server.
 * @param {any} manifests
 * @returns {Set<string>} paths below the build folder
 */
function chunksOf(manifests) {
  /** @type {{ '*'?: { chunks?: any[] } }[]} */
  const modules = Object.values(manifests?.clientReferenceManifest?.ssrModuleMapping ?? {})
  const chunks = modules.flatMap(module => module['*']?.chunks ?? [])
  return new Set(chunks.filter(chunk => typeof chunk === 'string' && /^server\/.*\.js$/.test(chunk)))
}

module.exports = { Entries }
