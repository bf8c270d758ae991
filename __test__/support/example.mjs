// An example, installed and built in a folder of its own: tests leave the one in the repository alone, and never serve
// what somebody may just be building.

import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { hashFolder } from './build.mjs'
import { withLock } from './lock.mjs'
import { progress, runCommand } from './run-command.mjs'
import { installFerronext, testRoot } from './workspace.mjs'

const GENERATED = new Set(['node_modules', '.next', 'dist', 'next-env.d.ts', 'tsconfig.tsbuildinfo'])

/** What stays with the build and its packages. */
const LEFT = new Set(['node_modules', 'run', 'app', 'pages', 'package-lock.json'])

/**
 * @param {import('./server.mjs').Engine} engine
 * @param {string} name of a folder in `examples`
 * @returns {Promise<{ dir: string, remove: () => void }>} a copy of the built example for one server alone
 */
export async function prepareExample(engine, name) {
  const built = await buildExample(name)
  if (engine === 'ferronext') await installFerronext(built)
  // Beside the build, so that the packages are found, and deep enough that Node.js looks there: dir/run/<name>.
  const dir = path.join(built, 'run', `${engine}-${process.pid}`)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  for (const entry of readdirSync(built)) {
    if (LEFT.has(entry) || (entry.startsWith('.') && entry !== '.next')) continue
    cpSync(path.join(built, entry), path.join(dir, entry), { recursive: true, preserveTimestamps: true })
  }
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/**
 * @param {string} name
 * @returns {Promise<string>} the folder of the built example; built once per content
 */
export async function buildExample(name) {
  const source = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))
  const dir = path.join(testRoot(), `example-${name}-${hashFolder(source, GENERATED)}`)
  const marker = path.join(dir, '.built')
  if (existsSync(marker)) return dir
  await withLock(`${dir}.lock`, async () => {
    if (existsSync(marker)) return
    progress(`installing and building the example in ${dir}`)
    rmSync(dir, { recursive: true, force: true })
    cpSync(source, dir, { recursive: true, filter: file => !GENERATED.has(path.basename(file)) })
    /** @type {NodeJS.ProcessEnv} */
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }
    // The test runner's own NODE_ENV would end up in the build.
    for (const name of Object.keys(env)) if (/^(NODE_ENV|NODE_OPTIONS|VITEST)/.test(name)) delete env[name]
    // Not `npm ci`: it refuses a lockfile without the packages of platforms that a registry mirror does not carry.
    const install = ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
    await runCommand('npm', install, { cwd: dir, env })
    await runCommand('npm', ['run', 'build'], { cwd: dir, env })
    writeFileSync(marker, '')
  })
  return dir
}
