// A workspace is a folder outside the repository with one exact version of `next` installed. Apps are built and served
// in its subfolders, so that Node and Turbopack find that version, and no other, by looking upwards.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { compareVersions } from '../../scripts/next-versions.mjs'
import { withLock } from './lock.mjs'
import { progress, runCommand } from './run-command.mjs'

/**
 * A minor line by its last patch, or one exact version beside it: the first patch of a line, or the other side of a boundary that lies
 * between two patches (src/build/capabilities.rs).
 *
 * @typedef {string} Line
 */

/**
 * The exact versions tested, by line. Exact, because a difference must come from us and never from a release that appeared overnight. The
 * same list lets `ferronext info` say of a version that nobody has tried it.
 *
 * @type {Record<Line, string>}
 */
export const LINES = withUntried(createRequire(import.meta.url)('../../runtime/next/tested-versions.json'))

/**
 * FERRONEXT_TEST_NEXT is a version that is not in the list: last night's canary, a new patch. It is a line by its own name, and has
 * what the lines before it have.
 *
 * @param {Record<Line, string>} tested
 * @returns {Record<Line, string>}
 */
function withUntried(tested) {
  const version = process.env.FERRONEXT_TEST_NEXT
  if (!version || Object.values(tested).includes(version)) return tested
  if (!/^\d+\.\d+\.\d+(-canary\.\d+)?$/.test(version)) {
    throw new Error(`FERRONEXT_TEST_NEXT is an exact version like 16.4.7 or 16.5.0-canary.40, not ${version}`)
  }
  return { ...tested, [version]: version }
}

/** The line of an exact version, whether or not it has been tried. @param {string} version @returns {Line} */
export const lineOf = version => Object.keys(LINES).find(line => LINES[line] === version) ?? version

/** The newest release: the reference, and what tests of no line in particular run on. @type {Line} */
export const NEWEST = '16.4'

/** Newest first. `Object.keys` would put the integer-like keys in an order of its own. @type {Line[]} */
export const LINE_NAMES = Object.keys(LINES).toSorted((a, b) => compareVersions(LINES[b] ?? '', LINES[a] ?? ''))

/**
 * The lines from one version to another, for what only they have.
 *
 * @param {string} from the first version
 * @param {string} [before] the first version that has it no more
 */
export const linesFrom = (from, before = '1000') =>
  LINE_NAMES.filter(
    line => compareVersions(LINES[line] ?? '', from) >= 0 && compareVersions(LINES[line] ?? '', before) < 0,
  )

const REACT_VERSION = '19.3.1'
const repository = fileURLToPath(new URL('../../', import.meta.url))

/** Where everything that tests install and build lives; it survives between runs. */
export function testRoot() {
  return process.env.FERRONEXT_TEST_DIR ?? path.join(tmpdir(), 'ferronext-test')
}

/**
 * @param {{ line: Line }} options
 * @returns {Promise<{ dir: string, nextVersion: string }>}
 */
export async function ensureWorkspace({ line }) {
  const nextVersion = LINES[line]
  if (!nextVersion) throw new Error(`unknown Next.js line ${line}; known: ${LINE_NAMES.join(', ')}`)
  const manifest = {
    name: 'ferronext-test-workspace',
    private: true,
    dependencies: { next: nextVersion, react: REACT_VERSION, 'react-dom': REACT_VERSION },
  }
  const hash = createHash('sha256').update(JSON.stringify(manifest)).digest('hex').slice(0, 8)
  const dir = path.join(testRoot(), `${line}-${hash}`)
  const marker = path.join(dir, '.installed')
  if (!existsSync(marker)) {
    await withLock(`${dir}.lock`, async () => {
      if (existsSync(marker)) return
      progress(`installing next@${nextVersion} into ${dir}`)
      mkdirSync(dir, { recursive: true })
      writeFileSync(path.join(dir, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
      await npm(['install'], dir)
      // Written last: an interrupted install is repeated.
      writeFileSync(marker, `${nextVersion}\n`)
    })
  }
  return { dir, nextVersion }
}

/**
 * Installs the tarball that users get. Nothing happens when the workspace already holds these very bytes.
 *
 * @param {string} workspaceDir
 */
export async function installFerronext(workspaceDir) {
  const tarball = await localTarball()
  const hash = createHash('sha256').update(readFileSync(tarball)).digest('hex')
  const marker = path.join(workspaceDir, '.ferronext-tarball')
  const installed = () => existsSync(marker) && readFileSync(marker, 'utf8') === hash
  if (installed()) return
  await withLock(`${workspaceDir}.lock`, async () => {
    if (installed()) return
    progress(`installing ${path.basename(tarball)} into ${workspaceDir}`)
    rmSync(marker, { force: true })
    await npm(['install', '--no-save', tarball], workspaceDir)
    writeFileSync(marker, hash)
  })
}

/** @type {Promise<string> | undefined} */
let packed

/** FERRONEXT_TARBALL, or a fresh one packed from this repository, once per process. */
export function localTarball() {
  if (process.env.FERRONEXT_TARBALL) return Promise.resolve(path.resolve(process.env.FERRONEXT_TARBALL))
  packed ??= (async () => {
    progress('packing ferronext (npm run pack:local)')
    const { stdout } = await runCommand('npm', ['run', '--silent', 'pack:local'], { cwd: repository })
    const tarball = stdout.trimEnd().split('\n').at(-1)?.trim() ?? ''
    if (!existsSync(tarball)) throw new Error(`npm run pack:local did not end with a tarball's path: ${tarball}`)
    return tarball
  })()
  return packed
}

/**
 * @param {string[]} args
 * @param {string} cwd
 */
async function npm(args, cwd) {
  await runCommand('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd })
}
