// Packs what a release publishes into `dist/release`: one package for each platform whose addon is there, `ferronext` without an
// addon, and `@ferronext/next` for each given version of Next.js; without any, for the last two patches of every line that are not
// dangerous. Prints one tarball per line, in the order of publication.
//
//   node scripts/pack-release.mjs [--addons folder] [--out folder] [--next-only | --no-next] [next version ...]
//
// `--addons` holds `ferronext.<platform>.node` for every platform; without it, the repository, where `npm run build` leaves the one
// of this machine. That one also says which versions are dangerous.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { checkVersions, defaultVersions } from './next-versions.mjs'
import { pack, publishedVersions } from './npm.mjs'
import { failWith, objectionOf, packNext } from './pack-next.mjs'
import { PLATFORMS, writePlatformPackage } from './platforms.mjs'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    addons: { type: 'string', default: repository },
    out: { type: 'string', default: path.join(repository, 'dist/release') },
    'next-only': { type: 'boolean', default: false },
    'no-next': { type: 'boolean', default: false },
  },
})
const out = path.resolve(values.out)
mkdirSync(out, { recursive: true })
const staging = mkdtempSync(path.join(out, 'staging-'))
const manifest = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8'))

/** Checked before anything is packed. */
function nextVersions() {
  if (values['no-next']) return []
  const objection = objectionOf([values.addons, repository])
  const published = publishedVersions('next')
  if (positionals.length === 0) return defaultVersions(published, objection)
  checkVersions(positionals, published, objection)
  return positionals
}

function packPlatforms() {
  const tarballs = []
  const missing = []
  for (const platform of Object.keys(PLATFORMS)) {
    const addon = path.join(values.addons, `ferronext.${platform}.node`)
    if (!existsSync(addon)) {
      missing.push(platform)
      continue
    }
    const folder = path.join(staging, platform)
    writePlatformPackage({ platform, folder, addon, repository, manifest })
    tarballs.push(pack(folder, out))
  }
  if (missing.length > 0) {
    throw new Error(`There is no addon for ${missing.join(', ')} in ${values.addons}.`)
  }
  return tarballs
}

function packFerronext() {
  const folder = path.join(staging, 'ferronext')
  const files = manifest.files.filter((/** @type {string} */ name) => name !== '*.node')
  for (const name of files) cpSync(path.join(repository, name), path.join(folder, name), { recursive: true })
  const { devDependencies, scripts, ...published } = manifest
  const optionalDependencies = Object.fromEntries(
    Object.keys(PLATFORMS).map(platform => [`@ferronext/${platform}`, manifest.version]),
  )
  writeFileSync(
    path.join(folder, 'package.json'),
    `${JSON.stringify({ ...published, files, optionalDependencies }, null, 2)}\n`,
  )
  return pack(folder, out)
}

try {
  const versions = nextVersions()
  console.error(`@ferronext/next of ${versions.join(', ') || 'no version'}`)
  const ours = values['next-only'] ? [] : [...packPlatforms(), packFerronext()]
  const ferronextVersion = manifest.version
  const tarballs = [...ours, ...versions.map(version => packNext({ version, out, repository, ferronextVersion }))]
  for (const tarball of tarballs) console.log(tarball)
} catch (error) {
  failWith(error)
} finally {
  rmSync(staging, { recursive: true, force: true })
}
