// Builds the addon in release mode and puts it beside index.js, where the loader looks first.
// `--debug` builds without optimisation, `--quick` without that of the link.

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const { platformName } = createRequire(import.meta.url)('../runtime/addon.js')

/** @type {Partial<Record<NodeJS.Platform, string>>} */
const LIBRARY = { linux: 'libferronext.so', darwin: 'libferronext.dylib', win32: 'ferronext.dll' }

const profile = process.argv.includes('--debug') ? 'dev' : process.argv.includes('--quick') ? 'quick' : 'release'
// The AVIF encoder has assembly for x86-64, which is several times as fast and needs this assembler.
const assembles = process.arch !== 'x64' || spawnSync('nasm', ['-v']).status === 0
if (!assembles) console.log('nasm is not installed: AVIF images will take longer to make.')
const flags = ['--profile', profile, ...(assembles ? ['--features', 'asm'] : [])]
const cargo = spawnSync('cargo', ['build', '--locked', ...flags], {
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
