// In: the project folder. Out: the user's own `next`, the one that its compiled entries require, and none of it loaded yet.

const { readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const { codedError } = require('../errors')
const { lazyObject } = require('./lazy')
const { MODULES, requiredModules } = require('./modules')

/**
 * @typedef {import('./modules').ModuleName} ModuleName
 *
 * @typedef {object} NextPackage
 * @property {string} dir folder of the package
 * @property {string} version its version
 * @property {(name: ModuleName) => any} load a module of this copy of `next`, or of what it depends on, by its name in modules.js
 * @property {(name: ModuleName, lazy: Partial<Record<ModuleName, object>>) => any} loadLazily the same; what it requires of `lazy` is loaded
 *   only when it is used
 * @property {(name: ModuleName) => string} fileOf the path of a file of the package
 * @property {() => string[]} missing the ids of required modules that this copy does not have
 */

/** @type {Map<string, NextPackage>} */
const found = new Map()

/**
 * Finds `next` as the project's own code would. One process must use one copy: the compiled entries share
 * async storages with it.
 * @param {string} projectDir absolute path of the project
 * @returns {NextPackage}
 */
function findNext(projectDir) {
  const known = found.get(projectDir)
  if (known) return known
  const projectRequire = createRequire(path.join(projectDir, 'package.json'))
  let manifestPath
  try {
    manifestPath = projectRequire.resolve('next/package.json')
  } catch (cause) {
    throw codedError(
      'FERRONEXT_NEXT_NOT_FOUND',
      `Cannot find the package "next" from ${projectDir}. Run \`npm install next\` there, or pass the project folder as \`dir\`.`,
      cause,
    )
  }
  const { version } = JSON.parse(readFileSync(manifestPath, 'utf8'))
  const dir = path.dirname(manifestPath)
  // Package managers such as pnpm do not show the dependencies of `next` to the project.
  const nextRequire = createRequire(manifestPath)
  const requireOf = (/** @type {string} */ id) => (id.startsWith('next/') ? projectRequire : nextRequire)
  /** @type {NextPackage} */
  const next = {
    dir,
    version,
    load: remembering(name => {
      const { id } = MODULES[name]
      return requireOf(id)(id)
    }),
    loadLazily: (name, lazy) => loadLazily(projectRequire, name, lazy),
    fileOf: name => path.join(dir, MODULES[name].id.slice('next/'.length)),
    missing: () => requiredModules().filter(id => resolved(requireOf(id), id) === undefined),
  }
  found.set(projectDir, next)
  return next
}

/**
 * Requests ask for modules of `next`, and the require hook of `next` makes `require()` slow.
 * @param {NextPackage['load']} load
 * @returns {NextPackage['load']}
 */
function remembering(load) {
  /** @type {Map<ModuleName, any>} */
  const loaded = new Map()
  return name => {
    let exports = loaded.get(name)
    if (exports === undefined) {
      exports = load(name)
      loaded.set(name, exports)
    }
    return exports
  }
}

/**
 * Loads a module with a lazy object in the place of each module of `lazy`. Such a module must do nothing while it is loaded, and
 * its users must take what it exports from it when they need it, as all code does that `next` compiles.
 * @param {NodeJS.Require} require of the project. Jest does not show its modules; nothing is lazy there
 * @param {ModuleName} name
 * @param {Partial<Record<ModuleName, object>>} lazy with the exports that are known without loading the module
 */
function loadLazily(require, name, lazy) {
  /** @type {string[]} */
  const replaced = []
  for (const [each, known] of Object.entries(lazy)) {
    const { id } = MODULES[/** @type {ModuleName} */ (each)]
    const file = resolved(require, id)
    if (file === undefined || file in require.cache) continue
    replaced.push(file)
    const exports = lazyObject(known, () => require(id))
    // The module loader reads nothing else of a module.
    require.cache[file] = /** @type {NodeModule} */ ({ id: file, filename: file, loaded: true, exports })
  }
  try {
    return require(MODULES[name].id)
  } finally {
    // Everyone who requires one of them later gets the module itself.
    for (const file of replaced) delete require.cache[file]
  }
}

/** @param {NodeJS.Require} require @param {string} id that this version of `next` may not have */
function resolved(require, id) {
  try {
    return require.resolve(id)
  } catch {
    return undefined
  }
}

module.exports = { findNext }
