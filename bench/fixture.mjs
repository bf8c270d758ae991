// Builds the benchmark's apps once, and gives each engine a copy of its own: a server writes into `.next`.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildFixture, copyApp } from '../__test__/support/build.mjs'
import { ensureWorkspace, installFerronext } from '../__test__/support/workspace.mjs'
import { buildVinext } from './vinext.mjs'

const LINE = '16.4'

/**
 * Those with middleware (`proxy` in Node's runtime, `middleware-edge`) and the one that is prerendered in part are apart, because with either of
 * them every figure of the main app would be another. `new` is what `create-next-app` writes.
 *
 * @typedef {'main' | 'middleware' | 'middleware-edge' | 'partial' | 'new'} App
 */

/** What the small apps have from the main one; their own files come on top. */
const SHARED = ['package.json', 'server.mjs', 'next.config.mjs', 'app/layout.jsx', 'app/page.jsx', 'app/items-list.jsx']

/** Where the source of each app is, and what it has from the main one. @type {Record<App, { folder: string, shared: string[] }>} */
const APPS = {
  main: { folder: 'app', shared: [] },
  middleware: { folder: 'app-middleware', shared: SHARED },
  'middleware-edge': { folder: 'app-middleware-edge', shared: SHARED },
  partial: { folder: 'app-partial', shared: SHARED },
  new: { folder: '../__test__/fixtures/default-app', shared: ['server.mjs'] },
}

/** Where an app's source is. @param {App} app */
export const sourceOf = app => fileURLToPath(new URL(APPS[app].folder, import.meta.url))

/**
 * @param {{ engines: string[], apps?: App[] }} options
 * @returns {Promise<{ dirs: Record<string, Record<string, string>>, nextVersion: string, chunk: string, remove: () => void }>}
 *   `dirs` by app and engine; `chunk` is '' without the main app
 */
export async function prepareApps({ engines, apps = ['main'] }) {
  const workspace = await ensureWorkspace({ line: LINE })
  if (engines.includes('ferronext')) await installFerronext(workspace.dir)
  /** @type {Record<string, Record<string, string>>} */
  const dirs = {}
  let chunk = ''
  for (const app of apps) {
    const { source, remove } = writeSource(app)
    try {
      const { dir } = await buildFixture({ line: LINE, source })
      dirs[app] = {}
      for (const engine of engines) {
        if (engine !== 'vinext') dirs[app][engine] = await copyApp(dir, `bench-${engine}`)
        else if (app === 'main') dirs[app][engine] = await buildVinext(source)
      }
      if (app === 'main') chunk = findLargeChunk(dir)
    } finally {
      remove()
    }
  }
  const remove = () => {
    for (const copies of Object.values(dirs)) {
      for (const copy of Object.values(copies)) rmSync(copy, { recursive: true, force: true })
    }
  }
  return { dirs, nextVersion: workspace.nextVersion, chunk, remove }
}

/**
 * The sources of an app put together, with the one file that is too dull to be kept: builds are cached by content, so it must not vary.
 *
 * @param {App} app
 */
function writeSource(app) {
  const parent = mkdtempSync(path.join(tmpdir(), 'ferronext-bench-source-'))
  const source = path.join(parent, app === 'main' ? 'bench-app' : `bench-${app}`)
  mkdirSync(source)
  const isSource = (/** @type {string} */ file) => !/[\\/](\.next|node_modules)$/.test(file)
  for (const file of APPS[app].shared) {
    cpSync(path.join(sourceOf('main'), file), path.join(source, file), { recursive: true })
  }
  cpSync(sourceOf(app), source, { recursive: true, filter: isSource })
  if (app === 'main') writeFileSync(path.join(source, 'app/heavy/catalogue-data.js'), makeCatalogue())
  return { source, remove: () => rmSync(parent, { recursive: true, force: true }) }
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
