// In: a built app and its server file. Out: every file that they load. The server file, ferronext and what ferronext takes from
// `next` are followed with @vercel/nft, in the copy that `next build` has used; what the compiled entries load, `next build`
// has written down beside each of them.

const { existsSync, readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { loadAddon, platformName } = require('../../runtime/addon')
const { Sources } = require('./sources')

const ROOT = path.join(__dirname, '../..')

/** What the build folder holds for others than a server. */
const NOT_SERVED = new Set(['cache', 'dev', 'diagnostics', 'lock', 'standalone', 'trace', 'trace-build', 'turbopack', 'types'])

/** What no production server loads, although the files that it does load name it. */
const IGNORED = [
  /[\\/]next[\\/]dist[\\/]compiled[\\/](webpack|babel|babel-packages|terser|jest-worker)[\\/]/,
  /[\\/]next[\\/]dist[\\/](build[\\/](webpack|swc|babel)|telemetry|server[\\/]dev)[\\/]/,
  /[\\/]@next[\\/]swc-/,
  /[\\/]node_modules[\\/](\.pnpm[\\/][^\\/]+[\\/]node_modules[\\/])?(typescript|sass|@swc[\\/]core)[\\/]/,
  /\.(d\.ts|map)$/,
]

/**
 * @typedef {object} App
 * @property {string} dir
 * @property {string} distDir
 * @property {string} serverFile
 * @property {string} out
 * @property {any} config the configuration of the build
 * @property {import('../../runtime/next-package').NextPackage} next
 */

/**
 * @param {App} app
 * @returns {Promise<{ files: Set<string>, sources: Sources, warnings: string[] }>} absolute paths
 */
async function traceApp(app) {
  const { dir, next, serverFile } = app
  const nft = next.require('next/dist/compiled/@vercel/nft')
  const sources = new Sources(app)
  const entries = [serverFile, ...ferronextFiles(), ...modulesOfNext(app)]
  const { fileList, esmFileList, warnings } = await nft.nodeFileTrace(entries, {
    // Everything: packages may lie anywhere above the app.
    base: path.parse(dir).root,
    processCwd: dir,
    mixedModules: true,
    ts: true,
    ignore: (/** @type {string} */ file) => IGNORED.some(pattern => pattern.test(path.sep + file)),
    readFile: (/** @type {string} */ file) => sources.read(file),
    resolve: (/** @type {string} */ id, /** @type {string} */ parent, /** @type {any} */ job, /** @type {boolean} */ cjs) =>
      sources.resolve(id, parent, () => nft.resolve(id, parent, job, cjs)),
  })
  const base = path.parse(dir).root
  const files = new Set([...fileList, ...esmFileList].map(file => path.join(base, file)))
  for (const file of [...builtFiles(app), ...filesOfEntries(app), ...publicFiles(app), addonFile()]) files.add(file)
  for (const file of files) if (file.startsWith(app.out + path.sep)) files.delete(file)
  return { files, sources, warnings: warningsOf(warnings, sources) }
}

/** All of ferronext that runs in production. The rest is loaded in development, or is this command. */
function ferronextFiles() {
  const runtime = path.join(ROOT, 'runtime')
  const names = readdirSync(runtime).filter(name => !/^dev\b/.test(name))
  return [path.join(ROOT, 'index.js'), path.join(ROOT, 'package.json'), ...names.map(name => path.join(runtime, name))]
}

/** The modules that ferronext asks of `next`, by name, read from its own code. @param {App} app */
function modulesOfNext({ next, dir }) {
  /** @type {Set<string>} */
  const ids = new Set(['next/package.json'])
  for (const file of ferronextFiles()) {
    for (const [, id] of readFileSync(file, 'utf8').matchAll(/\.require\(\s*'((?:next\/|@next\/)[^']+)'/g)) ids.add(id)
  }
  const { createRequire } = require('node:module')
  const [fromProject, fromNext] = [createRequire(path.join(dir, 'package.json')), createRequire(`${next.dir}/package.json`)]
  /** @type {string[]} */
  const found = []
  for (const id of ids) {
    try {
      found.push((id.startsWith('next/') ? fromProject : fromNext).resolve(id))
    } catch {
      // Not in this version of Next.js; ferronext asks for it only where it is.
    }
  }
  return found
}

/** @param {App} app */
function builtFiles({ distDir, out }) {
  return filesBelow(
    distDir,
    (file, name, depth) => file === out || (depth === 0 && NOT_SERVED.has(name)) || name.endsWith('.nft.json'),
  )
}

/** What the compiled entries load from outside the build. @param {App} app */
function filesOfEntries({ distDir }) {
  const traces = filesBelow(path.join(distDir, 'server'), () => false).filter(file => file.endsWith('.nft.json'))
  return traces.flatMap(trace => {
    const { files } = JSON.parse(readFileSync(trace, 'utf8'))
    return files.map((/** @type {string} */ file) => path.join(path.dirname(trace), file))
  })
}

/** @param {App} app */
function publicFiles({ dir }) {
  const names = ['package.json', '.env', '.env.production']
  const own = names.map(name => path.join(dir, name)).filter(file => existsSync(file))
  return [...own, ...filesBelow(path.join(dir, 'public'), () => false)]
}

/** The addon is one file, beside index.js or in a package that the tracer finds by itself. */
function addonFile() {
  const local = path.join(ROOT, `ferronext.${platformName()}.node`)
  if (existsSync(local)) return local
  loadAddon(ROOT) // or says what is missing
  return require.resolve(`@ferronext/${platformName()}`)
}

/**
 * @param {string} folder
 * @param {(file: string, name: string, depth: number) => boolean} isSkipped
 * @returns {string[]}
 */
function filesBelow(folder, isSkipped, depth = 0) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const file = path.join(folder, entry.name)
    if (isSkipped(file, entry.name, depth)) return []
    return entry.isDirectory() ? filesBelow(file, isSkipped, depth + 1) : [file]
  })
}

/**
 * What could not be followed in the user's own code. Packages try much that need not be there.
 * @param {Set<Error>} warnings
 * @param {Sources} sources
 */
function warningsOf(warnings, sources) {
  return [...warnings].map(({ message }) => message).filter(message => sources.files.some(file => message.includes(file)))
}

module.exports = { traceApp }
