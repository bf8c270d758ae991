// Builds the addon in release mode and puts it beside index.js, where the loader looks first.
// `--debug` builds without optimisation, `--quick` without that of the link.

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { features } from './cargo.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const { platformName } = createRequire(import.meta.url)('../runtime/process/addon.js')

/** @type {Partial<Record<NodeJS.Platform, string>>} */
const LIBRARY = { linux: 'libferronext.so', darwin: 'libferronext.dylib', win32: 'ferronext.dll' }

const profile = process.argv.includes('--debug') ? 'dev' : process.argv.includes('--quick') ? 'quick' : 'release'
const found = features()
if (found.length === 0) console.log('nasm is not installed: AVIF images will take longer to make.')
const cargo = spawnSync('cargo', ['build', '--locked', '--profile', profile, ...found], {
  cwd: root,
  stdio: 'inherit',
})
if (cargo.error) {
  console.error('Cannot run cargo. Install Rust from https://rustup.rs and try again.')
  process.exit(1)
}
if (cargo.status !== 0) process.exit(cargo.status ?? 1)

const target = process.env.CARGO_TARGET_DIR ?? path.join(root, 'target')
const built = path.join(target, profile === 'dev' ? 'debug' : profile, LIBRARY[process.platform] ?? 'libferronext.so')
if (!existsSync(built)) {
  console.error(`cargo built no ${built}`)
  process.exit(1)
}
const addon = path.join(root, `ferronext.${platformName()}.node`)
copyFileSync(built, addon)
console.log(addon)
