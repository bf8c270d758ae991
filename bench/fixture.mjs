// Builds the benchmark's app once, and gives each engine a copy of its own: a server writes into `.next`.

import { cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildFixture, copyApp } from '../__test__/support/build.mjs'
import { ensureWorkspace, installFerronext } from '../__test__/support/workspace.mjs'

const LINE = '16.4'
const source = fileURLToPath(new URL('app', import.meta.url))

/**
 * @param {{ engines: string[] }} options
 * @returns {Promise<{ dirs: Record<string, string>, nextVersion: string, chunk: string, remove: () => void }>}
 */
export async function prepareApps({ engines }) {
  const workspace = await ensureWorkspace({ line: LINE })
  if (engines.includes('ferronext')) await installFerronext(workspace.dir)
  const { dir } = await buildFixture({ line: LINE, source: writeSource() })
  /** @type {Record<string, string>} */
  const dirs = {}
  for (const engine of engines) dirs[engine] = await copyApp(dir, `bench-${engine}`)
  const remove = () => {
    for (const copy of Object.values(dirs)) rmSync(copy, { recursive: true, force: true })
  }
  return { dirs, nextVersion: workspace.nextVersion, chunk: findLargeChunk(dir), remove }
}

/** The app plus the one file that is too dull to be kept: builds are cached by content, so it must not vary. */
function writeSource() {
  const dir = path.join(tmpdir(), 'ferronext-bench', 'bench-app')
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  const isSource = (/** @type {string} */ file) => !/[\\/](\.next|node_modules)$/.test(file)
  cpSync(source, dir, { recursive: true, filter: isSource })
  writeFileSync(path.join(dir, 'app/heavy/catalogue-data.js'), makeCatalogue())
  return dir
}

/** A module of about 350 kB that looks like data: repeats enough to compress, but not to nothing. */
function makeCatalogue() {
  let seed = 1
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed
  }
  const rows = Array.from({ length: 3400 }, (_, id) => {
    const row = { id, name: `Product ${random().toString(36)}`, price: random() % 9000, stock: random() % 100 }
    return JSON.stringify({ ...row, tags: [`tag-${random() % 40}`, `tag-${random() % 40}`] })
  })
  return `export const catalogue = [\n${rows.join(',\n')},\n]\n`
}

/**
 * @param {string} dir
 * @returns {string} the URL path of the chunk with the catalogue
 */
function findLargeChunk(dir) {
  const root = path.join(dir, '.next/static')
  const chunks = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.js'))
  const size = (/** @type {string} */ name) => statSync(path.join(root, name)).size
  const [largest] = chunks.sort((a, b) => size(b) - size(a))
  if (!largest || size(largest) < 300_000) throw new Error(`the build has no chunk of about 350 kB: ${largest}`)
  return `/_next/static/${largest.split(path.sep).join('/')}`
}
