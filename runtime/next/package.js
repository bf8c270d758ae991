// In: the project folder. Out: the user's own `next`, the one its compiled entries require, and nothing of it loaded.

const { readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const { codedError } = require('../errors')
const { loadSparing } = require('./spared-modules')

/**
 * @typedef {object} NextPackage
 * @property {string} dir folder of the package
 * @property {string} version its version
 * @property {(id: string) => any} require loads a module of this copy of `next`, e.g. `next/dist/server/config`, or what it
 *   depends on, e.g. `@next/env`
 * @property {(id: string, spared: Record<string, object>) => any} requireSparing the same, with modules that are loaded only if
 *   something of them is used (spared-modules.js)
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
  // What `next` depends on is its own business: package managers like pnpm do not show it to the project.
  const nextRequire = createRequire(manifestPath)
  const load = remembering(id => (id.startsWith('next/') ? projectRequire : nextRequire)(id))
  const next = {
    dir: path.dirname(manifestPath),
    version,
    require: load,
    requireSparing: (/** @type {string} */ id, /** @type {Record<string, object>} */ spared) =>
      loadSparing(projectRequire, id, spared),
  }
  found.set(projectDir, next)
  return next
}

/**
 * Modules of `next` are asked for on each request, after the require hook of `next` has made that slow.
 * @param {NextPackage['require']} load
 * @returns {NextPackage['require']}
 */
function remembering(load) {
  /** @type {Map<string, any>} */
  const loaded = new Map()
  return id => {
    let exports = loaded.get(id)
    if (exports === undefined) {
      exports = load(id)
      loaded.set(id, exports)
    }
    return exports
  }
}

module.exports = { findNext }
