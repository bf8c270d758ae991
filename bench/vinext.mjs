// vinext, another implementation of Next.js: it builds the app's source itself, with Vite, and needs a newer Node than we do.

import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { isAlive, withLock } from '../__test__/support/lock.mjs'
import { progress, runCommand } from '../__test__/support/run-command.mjs'
import { testRoot } from '../__test__/support/workspace.mjs'

const VERSION = '1.4.0'
/** The first that it starts with: it takes `glob` from `node:fs/promises`. */
const NODE = 22

const PACKAGES = [
  `vinext@${VERSION}`,
  'vite@8.3.8',
  '@vitejs/plugin-react@6',
  '@vitejs/plugin-rsc@0.5',
  'react@19.3.1',
  'react-dom@19.3.1',
  'react-server-dom-webpack@19.3.1',
]
const runsHere = Number(process.versions.node.split('.')[0]) >= NODE

/**
 * The program that serves a built copy: this Node, or the one of the npm package `node`.
 *
 * @param {string} dir
 */
export const nodeOfVinext = dir => (runsHere ? process.execPath : path.join(dir, 'node_modules/node/bin/node'))

/** What the report must say about it. */
export const describeVinext = () => `vinext ${VERSION}${runsHere ? '' : ` on Node ${NODE}`}`

/**
 * @param {string} source the sources of the benchmark's main app
 * @returns {Promise<string>} a folder with a build of it
 */
export async function buildVinext(source) {
  const root = path.join(testRoot(), `vinext-${VERSION}`)
  const marker = path.join(root, '.installed')
  await withLock(`${root}.lock`, async () => {
    if (existsSync(marker)) return
    progress(`installing vinext@${VERSION} into ${root}`)
    mkdirSync(root, { recursive: true })
    writeFileSync(path.join(root, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    const packages = runsHere ? PACKAGES : [...PACKAGES, `node@${NODE}`]
    await runCommand('npm', ['install', ...packages, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root })
    writeFileSync(marker, VERSION)
  })
  // What a killed run left behind.
  for (const name of readdirSync(root)) {
    const pid = Number(/^app\.(\d+)$/.exec(name)?.[1])
    if (pid && !isAlive(pid)) rmSync(path.join(root, name), { recursive: true, force: true })
  }
  const dir = path.join(root, `app.${process.pid}`)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir)
  for (const name of readdirSync(source)) cpSync(path.join(source, name), path.join(dir, name), { recursive: true })
  symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'))
  writeFileSync(
    path.join(dir, 'vite.config.mjs'),
    `import vinext from 'vinext'\n\nexport default { plugins: [vinext()] }\n`,
  )
  progress(`vite build with vinext@${VERSION}`)
  const vite = path.join(root, 'node_modules/vite/bin/vite.js')
  await runCommand(nodeOfVinext(dir), [vite, 'build'], { cwd: dir, env: { ...process.env, NODE_ENV: 'production' } })
  return dir
}
