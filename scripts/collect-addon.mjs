// Copies the addon that cargo has built for a platform to where `pack-release` looks: node scripts/collect-addon.mjs <platform> <folder>

import { copyFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { PLATFORMS } from './platforms.mjs'

const [platform = '', folder = 'addons'] = process.argv.slice(2)
const known = PLATFORMS[platform]
if (!known) {
  console.error(`There is no platform "${platform}"; there are ${Object.keys(PLATFORMS).join(', ')}.`)
  process.exit(1)
}
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
/** @type {Record<string, string>} */
const LIBRARY = { linux: 'libferronext.so', darwin: 'libferronext.dylib', win32: 'ferronext.dll' }
const built = path.join(
  process.env.CARGO_TARGET_DIR ?? path.join(root, 'target'),
  known.target,
  'release',
  LIBRARY[known.os],
)
mkdirSync(folder, { recursive: true })
const addon = path.join(folder, `ferronext.${platform}.node`)
copyFileSync(built, addon)
console.log(addon)
