// In: a server file. Out: how this process, or one that it starts, comes to understand TypeScript: Node's own type
// stripping, or the project's tsx or ts-node. JavaScript needs nothing.

const { existsSync, readFileSync } = require('node:fs')
const Module = require('node:module')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { codedError } = require('../runtime/errors')
const { badArgument } = require('./fault')

const WAYS = ['node', 'tsx', 'ts-node']

/**
 * @typedef {object} Way
 * @property {'node' | 'tsx' | 'ts-node'} by
 * @property {string} file the server file
 */

/**
 * @param {string} file
 * @param {string | undefined} asked the option `--typescript`
 * @returns {Way | undefined} `undefined` for JavaScript
 */
function wayOf(file, asked) {
  if (asked !== undefined && !WAYS.includes(asked))
    throw badArgument(`--typescript takes ${WAYS.join(', ')}, not "${asked}"`)
  if (!/\.[cm]?tsx?$/.test(file)) return undefined
  const by = asked ?? (stripsTypes(file) ? 'node' : WAYS.slice(1).find(name => find(file, name)))
  if (by === undefined) {
    throw codedError(
      'FERRONEXT_NO_TYPESCRIPT',
      `Node.js ${process.versions.node} cannot run ${file}: it has no type stripping${/x$/.test(file) ? ' for .tsx' : ''}. Use Node.js 22.18 or later, or install tsx: \`npm install --save-dev tsx\`.`,
    )
  }
  if (by === 'node' && !stripsTypes(file)) {
    throw badArgument(
      `Node.js ${process.versions.node} has no type stripping for ${path.extname(file)}, so --typescript node cannot work`,
    )
  }
  if (by !== 'node' && !find(file, by)) {
    throw codedError(
      'FERRONEXT_NO_TYPESCRIPT',
      `The package ${by} is not installed for ${file}. \`npm install --save-dev ${by}\` does it.`,
    )
  }
  return { by: /** @type {Way['by']} */ (by), file }
}

/** @param {string} file */
const stripsTypes = file => Boolean(/** @type {any} */ (process.features).typescript) && !file.endsWith('x')

/** @param {string} file @param {string} id */
function find(file, id) {
  try {
    return Module.createRequire(file).resolve(id)
  } catch {
    return undefined
  }
}

/**
 * Prepares this process. Before `ferronext/register`, whose hook has to run first.
 * @param {Way | undefined} way
 */
async function enable(way) {
  if (way?.by === 'tsx') await import(pathToFileURL(/** @type {string} */ (find(way.file, 'tsx'))).href)
  if (way?.by !== 'ts-node') return
  preferServerProject(way.file)
  Module.createRequire(way.file)('ts-node').register()
  if (isModule(way.file)) Module.register('ts-node/esm', pathToFileURL(way.file))
}

/** The documentation of Next.js gives a custom server a tsconfig of its own. @param {string} file */
function preferServerProject(file) {
  const project = path.join(path.dirname(file), 'tsconfig.server.json')
  if (process.env.TS_NODE_PROJECT === undefined && existsSync(project)) process.env.TS_NODE_PROJECT = project
}

/** Whether Node takes a file for an ES module, by its name and its package. @param {string} file */
function isModule(file) {
  if (/\.m[^.]*$/.test(file)) return true
  if (/\.c[^.]*$/.test(file)) return false
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    const manifest = path.join(dir, 'package.json')
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).type === 'module'
    if (dir === path.dirname(dir)) return false
  }
}

module.exports = { wayOf, enable, isModule }
