// In: the files of an app. Out: a folder that holds them below `app/`, in the places that they have to each other, and
// a `server.js` that starts the user's server file there.

const { copyFileSync, lstatSync, mkdirSync, readlinkSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } =
  require('node:fs')
const path = require('node:path')
const { emittedName } = require('./sources')

/** @typedef {import('./trace').App} App */

/**
 * @param {App} app
 * @param {Set<string>} files absolute paths
 * @param {import('./sources').Sources} sources
 */
function writeFolder(app, files, sources) {
  const { dir, out, serverFile } = app
  const root = commonFolder([...files, dir + path.sep])
  const within = (/** @type {string} */ file) => path.join(out, 'app', path.relative(root, file))
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  let bytes = 0
  for (const file of files) {
    const emitted = sources.emitted(file)
    const target = within(emitted === undefined ? file : emittedName(file))
    mkdirSync(path.dirname(target), { recursive: true })
    if (emitted === undefined) copy(file, target, within)
    else writeFileSync(target, emitted)
    bytes += statSync(file, { throwIfNoEntry: false })?.size ?? 0
  }
  const to = (/** @type {string} */ file) => path.relative(out, within(file)).split(path.sep).join('/')
  writeFileSync(
    path.join(out, 'server.js'),
    bootstrap({
      dir: to(dir),
      server: to(emittedName(serverFile)),
      register: to(path.join(__dirname, '../../runtime/register.js')),
      config: configOf(app),
    }),
  )
  // The folder is its own package, whatever lies above it.
  writeFileSync(path.join(out, 'package.json'), '{ "private": true, "type": "commonjs" }\n')
  return { count: files.size, bytes }
}

/**
 * Links stay links, so that package managers' layouts keep their meaning.
 * @param {string} file
 * @param {string} target
 * @param {(file: string) => string} within
 */
function copy(file, target, within) {
  if (!lstatSync(file).isSymbolicLink()) {
    if (statSync(file).isFile()) copyFileSync(file, target)
    return
  }
  const linked = path.resolve(path.dirname(file), readlinkSync(file))
  const relative = path.relative(path.dirname(target), within(realpathSync(linked)))
  symlinkSync(relative, target, statSync(file).isDirectory() ? 'dir' : 'file')
}

/** The deepest folder that holds all files. @param {string[]} files */
function commonFolder(files) {
  let parts = path.dirname(files[0]).split(path.sep)
  for (const file of files) {
    const other = path.dirname(file.endsWith(path.sep) ? `${file}.` : file).split(path.sep)
    const differs = parts.findIndex((part, at) => part !== other[at])
    if (differs >= 0) parts = parts.slice(0, differs)
  }
  return parts.join(path.sep) || path.sep
}

/** What `next build` made of next.config, as upstream's standalone server has it. @param {App} app */
function configOf({ config, dir, distDir }) {
  return { ...config, distDir: `./${path.relative(dir, distDir).split(path.sep).join('/')}` }
}

/** @param {{ dir: string, server: string, register: string, config: object }} places */
function bootstrap({ dir, server, register, config }) {
  return `// Made by \`ferronext standalone\`. Starts the app's own server file.

const path = require('node:path')
const { pathToFileURL } = require('node:url')

process.env.NODE_ENV = 'production'
// What \`next build\` made of next.config, which is not here.
process.env.__NEXT_PRIVATE_STANDALONE_CONFIG = JSON.stringify(${JSON.stringify(config, null, 2)})
process.chdir(path.join(__dirname, ${JSON.stringify(dir)}))
require(${JSON.stringify(`./${register}`)})
import(pathToFileURL(path.join(__dirname, ${JSON.stringify(server)})).href).catch(error => {
  console.error(error)
  process.exit(1)
})
`
}

module.exports = { writeFolder }
