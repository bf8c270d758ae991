// Builds fixture apps with the real `next build`, once per content and version, and hands out independent copies.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { isAlive, withLock } from './lock.mjs'
import { progress, runCommand } from './run-command.mjs'
import { ensureWorkspace } from './workspace.mjs'

/** What building leaves in a fixture that somebody worked on in place. */
const GENERATED = new Set(['.next', 'node_modules'])

const MARKER = '.ferronext-built'

/** Names the fixture whose files an app has beside its own. */
const BASE = 'extends'

/** Says what writes the app, beside the fixture's own files: `{ package, args }` of `npm exec`. */
const CREATE = 'create.json'

/**
 * @param {{ line: import("./workspace.mjs").Line, source: string }} options `source` is the fixture's folder
 * @returns {Promise<{ dir: string }>} the built app; do not serve it, serve a copy
 */
export async function buildFixture({ line, source }) {
  const workspace = await ensureWorkspace({ line })
  const name = path.basename(source)
  const sources = [...baseOf(source), source]
  const hash = sources.map(folder => hashFolder(folder, GENERATED)).join('-')
  const dir = path.join(workspace.dir, 'apps', `${name}-${hash}`)
  const marker = path.join(dir, MARKER)
  if (existsSync(marker)) return { dir }
  await withLock(`${dir}.lock`, async () => {
    if (existsSync(marker)) return
    progress(`next build: ${name} with next@${workspace.nextVersion}`)
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir, { recursive: true })
    await createApp(source, dir)
    for (const folder of sources) await cp(folder, dir, { recursive: true })
    await runNextBuild(workspace.dir, dir)
    // The bundler's own cache is large and no server reads it; `.next/cache/fetch-cache` stays.
    for (const cache of ['webpack', 'turbopack', 'swc']) {
      rmSync(path.join(dir, await distDirOf(dir), 'cache', cache), { recursive: true, force: true })
    }
    writeFileSync(marker, `${workspace.nextVersion}\n`)
  })
  return { dir }
}

/**
 * Writes the app that a new user gets, if the fixture is one.
 *
 * @param {string} source
 * @param {string} dir empty
 */
async function createApp(source, dir) {
  const file = path.join(source, CREATE)
  if (!existsSync(file)) return
  const { package: creator, args } = JSON.parse(readFileSync(file, 'utf8'))
  await runCommand('npm', ['exec', '--yes', '--', creator, '.', ...args, '--skip-install', '--disable-git', '--yes'], {
    cwd: dir,
  })
}

/** @param {string} source @returns {string[]} the folder of the fixture that it extends */
function baseOf(source) {
  const file = path.join(source, BASE)
  return existsSync(file) ? [path.join(path.dirname(source), readFileSync(file, 'utf8').trim())] : []
}

/**
 * Where the app's configuration puts the build, `.next` unless it says otherwise.
 *
 * @param {string} dir
 * @returns {Promise<string>} relative to `dir`
 */
export async function distDirOf(dir) {
  const file = path.join(dir, 'next.config.mjs')
  const config = existsSync(file) ? (await import(pathToFileURL(file).href)).default : {}
  return config.distDir ?? '.next'
}

/**
 * @param {string} workspaceDir
 * @param {string} dir
 */
export async function runNextBuild(workspaceDir, dir) {
  const cli = path.join(workspaceDir, 'node_modules/next/dist/bin/next')
  // A test runner's own settings (NODE_OPTIONS, VITEST, a forced colour) must not end up in the build.
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1' }
  for (const name of Object.keys(env)) {
    if (/^(VITEST|NODE_OPTIONS|FORCE_COLOR|TURBOPACK|__NEXT)/.test(name)) delete env[name]
  }
  const log = path.join(dir, 'build.log')
  try {
    const { output } = await runCommand(process.execPath, [cli, 'build'], { cwd: dir, env })
    writeFileSync(log, output)
  } catch (error) {
    writeFileSync(log, /** @type {{ output?: string }} */ (error).output ?? String(error))
    throw error
  }
}

/**
 * A copy of a built app beside it: a server writes into its build, so two servers must never share one.
 *
 * @param {string} buildDir
 * @param {string} name
 * @returns {Promise<string>} the copy's folder
 */
export async function copyApp(buildDir, name) {
  await removeOrphans(buildDir)
  const copy = `${buildDir}.${name}.${process.pid}`
  await removeApp(copy)
  // `cp -a` keeps modification times to the nanosecond. They are part of the ETags, where how a server rounds matters.
  await runCommand('cp', ['-a', buildDir, copy], { cwd: path.dirname(buildDir) })
  freshen(path.join(copy, await distDirOf(buildDir), 'server'), new Date())
  return copy
}

/**
 * Copies that a killed test run left behind. Their last name part is the process that made them.
 *
 * @param {string} buildDir
 */
async function removeOrphans(buildDir) {
  const parent = path.dirname(buildDir)
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(`${path.basename(buildDir)}.`) && Number(/\.(\d+)$/.exec(name)?.[1])
    if (!pid) continue
    if (!isAlive(pid)) await removeApp(path.join(parent, name))
  }
}

/**
 * Not by Node, whose stack does not reach into the folders that a path of two thousand segments leaves in a cache.
 *
 * @param {string} dir
 */
export async function removeApp(dir) {
  await runCommand('rm', ['-rf', '--', dir], { cwd: path.dirname(dir) })
}

/**
 * A build is reused for days, and the age of a prerendered file decides whether it is stale. Every copy starts as if it
 * had just been built.
 *
 * @param {string} dir
 * @param {Date} now
 */
function freshen(dir, now) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const file = path.join(dir, entry.name)
    if (entry.isDirectory()) freshen(file, now)
    else utimesSync(file, now, now)
  }
}

/**
 * @param {string} root
 * @param {Set<string>} skipped names of files and folders that do not count
 * @returns {string} a short hash over the names and bytes of all files
 */
export function hashFolder(root, skipped) {
  const hash = createHash('sha256')
  /** @param {string} dir */
  const walk = dir => {
    for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (skipped.has(entry.name)) continue
      const file = path.join(dir, entry.name)
      if (entry.isDirectory()) walk(file)
      else
        hash
          .update(`${path.relative(root, file)}\0`)
          .update(readFileSync(file))
          .update('\0')
    }
  }
  walk(root)
  return hash.digest('hex').slice(0, 10)
}
