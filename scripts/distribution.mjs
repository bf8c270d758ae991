// In: the folder of a published `next`, and this repository. Out: the folder of `@ferronext/next`, a package that stands in for
// that `next`. Upstream's files stay as they are but for EDITS; ours go into a folder of their own.

import { cpSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** The folder of our own files in the package. */
const FOLDER = 'ferronext'

/**
 * What is changed in upstream's files: text that occurs once, and what takes its place.
 * @type {{ file: string, find: string, replace: string, why: string }[]}
 */
export const EDITS = [
  {
    file: 'dist/server/lib/start-server.js',
    find: 'require("./router-server")',
    replace: `require("../../../${FOLDER}/router-server")`,
    why: 'the door through which `next start` and the server of a standalone build get their handlers',
  },
  {
    file: 'dist/server/next.d.ts',
    find: 'declare function createServer(options: NextServerOptions & ',
    replace: `declare function createServer(options: import('../../${FOLDER}/options').FerronextOptions & NextServerOptions & `,
    why: 'the type of the options of next()',
  },
]

/** What package.json has to say before we change it. */
const EXPECTED = { name: 'next', main: './dist/server/next.js', bin: { next: './dist/bin/next' }, license: 'MIT' }

/**
 * @param {object} options
 * @param {string} options.folder an unpacked `next`, changed in place
 * @param {string} options.repository this repository
 * @param {string} options.ferronextVersion
 * @returns {{ name: string, version: string }}
 */
export function distribute({ folder, repository, ferronextVersion }) {
  const manifestFile = path.join(folder, 'package.json')
  const upstream = JSON.parse(readFileSync(manifestFile, 'utf8'))
  checkManifest(upstream)
  for (const name of ['license.md', FOLDER]) {
    if (existsSync(path.join(folder, name)) !== (name === 'license.md')) moved(upstream, name, 'is there, or is not')
  }
  // All edits are checked before the first is made.
  const edited = EDITS.map(edit => [path.join(folder, edit.file), applyEdit(upstream, folder, edit)])
  for (const [file, text] of edited) writeFileSync(file, text)
  renameSync(path.join(folder, 'README.md'), path.join(folder, 'README.upstream.md'))
  const source = path.join(repository, 'npm/next')
  cpSync(source, path.join(folder, FOLDER), { recursive: true })
  cpSync(path.join(repository, 'LICENSE'), path.join(folder, FOLDER, 'LICENSE'))
  const readme = readFileSync(path.join(source, 'README.md'), 'utf8').replaceAll('VERSION', upstream.version)
  writeFileSync(path.join(folder, 'README.md'), readme)
  const manifest = manifestOf(upstream, ferronextVersion)
  writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`)
  return { name: manifest.name, version: manifest.version }
}

/** @param {any} upstream */
function checkManifest(upstream) {
  for (const [field, value] of Object.entries(EXPECTED)) {
    const found = JSON.stringify(upstream[field])
    if (found !== JSON.stringify(value)) moved(upstream, 'package.json', `has "${field}": ${found}`)
  }
  if (upstream.exports) moved(upstream, 'package.json', 'has "exports", which our folder would have to be in')
}

/**
 * @param {any} upstream
 * @param {string} folder
 * @param {(typeof EDITS)[number]} edit
 */
function applyEdit(upstream, folder, { file, find, replace, why }) {
  const target = path.join(folder, file)
  if (!existsSync(target)) moved(upstream, file, `is not there: ${why}`)
  const parts = readFileSync(target, 'utf8').split(find)
  if (parts.length !== 2) moved(upstream, file, `has ${parts.length - 1} times \`${find}\`, not once: ${why}`)
  return parts.join(replace)
}

/**
 * @param {any} upstream
 * @param {string} file
 * @param {string} what
 * @returns {never}
 */
function moved({ version }, file, what) {
  throw new Error(
    `next@${version} is not what scripts/distribution.mjs expects: ${file} ${what}. Look at it and adapt the rule.`,
  )
}

/**
 * @param {any} upstream
 * @param {string} ferronextVersion
 */
function manifestOf(upstream, ferronextVersion) {
  const { version } = upstream
  const name = '@ferronext/next'
  const manifest = {
    ...upstream,
    name,
    description: `Next.js ${version} with ferronext as its production server`,
    main: `./${FOLDER}/entry.js`,
    bin: { ...upstream.bin, ferronext: `./${FOLDER}/bin.js` },
    files: [...upstream.files, FOLDER, 'README.upstream.md'],
    dependencies: {
      ...upstream.dependencies,
      // A range: a fix of ferronext reaches apps without another version of this package, which could not be called the same.
      ferronext: `^${ferronextVersion}`,
    },
  }
  // What is wrong with this package is not for upstream to hear about.
  for (const field of ['bugs', 'repository', 'homepage', 'scripts', 'devDependencies']) delete manifest[field]
  return manifest
}
