// In: a built app and its server file. Out: every file that they load. The server file and ferronext are followed with
// @vercel/nft, in the copy that `next build` has used. What the compiled entries load, and what upstream's server does, of which
// ferronext needs a part, `next build` has written down.

const { existsSync, readFileSync, readdirSync } = require('node:fs')
const { createRequire, isBuiltin } = require('node:module')
const path = require('node:path')
const { loadAddon, platformName } = require('../../runtime/process/addon')
const { codedError } = require('../../runtime/errors')
const { serverModules } = require('../../runtime/next/modules')
const { Sources } = require('./sources')

const ROOT = path.join(__dirname, '../..')

/** What the build folder holds for others than a server. */
const NOT_SERVED = new Set([
  'cache',
  'dev',
  'diagnostics',
  'lock',
  'standalone',
  'trace',
  'trace-build',
  'turbopack',
  'types',
])

/** What no production server loads, although the files that it does load name it. */
const IGNORED = [
  /[\\/]next[\\/]dist[\\/](docs|cli|build[\\/](webpack|babel|polyfills)|lib[\\/]upgrade|next-devtools)[\\/]/,
  /[\\/]next[\\/]dist[\\/]server[\\/]image-optimizer(\.js$|[\\/])/,
  /[\\/]next[\\/]dist[\\/]compiled[\\/](webpack|babel|babel-packages|terser|jest-worker)[\\/]/,
  /[\\/]next[\\/]dist[\\/]compiled[\\/]next-server[\\/].*\.dev\.js$/,
  /[\\/]@next[\\/]swc-/,
  /[\\/]node_modules[\\/](\.pnpm[\\/][^\\/]+[\\/]node_modules[\\/])?(typescript|sass|@swc[\\/]core)[\\/]/,
  /\.(d\.ts|map)$/,
]

/**
 * The bundles in `next` are large and take half a minute to read through. What `next build` has listed is not read again; it
 * does list the rest, but not all that the rest loads.
 */
const BUNDLE = /[\\/]next[\\/]dist[\\/]compiled[\\/]/

/** Upstream's image optimiser works with these; ferronext's is in the addon. An app that uses sharp itself brings it itself. */
const UPSTREAM_ONLY = /[\\/](sharp|@img)[\\/]/

/**
 * @typedef {object} App
 * @property {string} dir
 * @property {string} distDir
 * @property {string} serverFile
 * @property {string} out
 * @property {any} config the configuration of the build
 * @property {import('../../runtime/next/package').NextPackage} next
 */

/**
 * @param {App} app
 * @returns {Promise<{ files: Set<string>, sources: Sources, warnings: string[] }>} absolute paths
 */
async function traceApp(app) {
  const { dir, next, serverFile } = app
  const nft = next.load('nft')
  const sources = new Sources(app)
  const known = new Set([...filesOfServer(app), ...filesOfEntries(app)])
  const entries = [serverFile, ...ferronextFiles(), ...modulesOfNext(app)]
  const base = path.parse(dir).root
  const { fileList, esmFileList, warnings } = await nft.nodeFileTrace(entries, {
    // Everything: packages may lie anywhere above the app.
    base,
    processCwd: dir,
    mixedModules: true,
    ts: true,
    ignore: (/** @type {string} */ file) =>
      isIgnored(path.sep + file) || (BUNDLE.test(file) && known.has(path.join(base, file))),
    readFile: (/** @type {string} */ file) => sources.read(file),
    resolve: async (
      /** @type {string} */ id,
      /** @type {string} */ parent,
      /** @type {any} */ job,
      /** @type {boolean} */ cjs,
    ) =>
      sources.resolve(id, parent) ?? [
        ...new Set([await nft.resolve(id, parent, job, cjs), ...byNode(id, parent)].flat()),
      ],
  })
  const traced = [...fileList, ...esmFileList].map(file => path.join(base, file))
  const files = new Set([...known, ...traced, ...builtFiles(app), ...publicFiles(app), addonFile()])
  for (const file of files) if (file.startsWith(app.out + path.sep)) files.delete(file)
  return { files, sources, warnings: warningsOf(warnings, sources) }
}

/**
 * What this version of Node would `require()`, beside what the tracer finds: it does not know every form of `exports`, such as
 * lists of alternatives with conditions of newer versions.
 * @param {string} id
 * @param {string} parent
 */
function byNode(id, parent) {
  if (!/^(@[^/]+\/)?[\w-]/.test(id) || isBuiltin(id)) return []
  try {
    return [createRequire(parent).resolve(id)]
  } catch {
    return []
  }
}

/** @param {string} file */
const isIgnored = file => IGNORED.some(pattern => pattern.test(file))

/** All of ferronext that runs in production. The rest is loaded in development, or is this command. */
function ferronextFiles() {
  const runtime = path.join(ROOT, 'runtime')
  const files = filesBelow(runtime, (_, name) => /^dev-/.test(name))
  return [path.join(ROOT, 'index.js'), path.join(ROOT, 'package.json'), ...files]
}

/** The modules that ferronext loads of `next`. @param {App} app */
function modulesOfNext({ next, dir }) {
  const [fromProject, fromNext] = [
    createRequire(path.join(dir, 'package.json')),
    createRequire(`${next.dir}/package.json`),
  ]
  /** @type {string[]} */
  const found = []
  for (const id of ['next/package.json', ...serverModules()]) {
    try {
      found.push((id.startsWith('next/') ? fromProject : fromNext).resolve(id))
    } catch {
      // This version of Next.js does not have it, and ferronext does not need it there.
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
  return traces.flatMap(readTrace)
}

/** What upstream's own server loads. @param {App} app */
function filesOfServer({ distDir }) {
  const files = readTrace(path.join(distDir, 'next-server.js.nft.json'))
  return files.filter(file => !isIgnored(file) && !UPSTREAM_ONLY.test(file))
}

/**
 * @param {string} trace a file in which `next build` lists others, relative to it
 * @returns {string[]}
 */
function readTrace(trace) {
  const { files } = JSON.parse(readFileSync(trace, 'utf8'))
  return files.map((/** @type {string} */ name) => {
    const file = path.join(path.dirname(trace), name)
    if (existsSync(file)) return file
    throw codedError(
      'FERRONEXT_CORRUPT_MANIFEST',
      `${trace} names ${file}, which is not there. Run \`next build\` again, here and with the packages that are installed now.`,
    )
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
  return [...warnings]
    .map(({ message }) => message)
    .filter(message => sources.files.some(file => message.includes(file)))
}

module.exports = { traceApp }
