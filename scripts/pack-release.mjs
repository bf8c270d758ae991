// Packs what a release publishes into `dist/release`: one package for each platform whose addon is there, `ferronext` without an
// addon, and `@ferronext/next` for each given version of Next.js. Prints one tarball per line, in the order of publication.
//
//   node scripts/pack-release.mjs [--addons folder] [--out folder] [--next-only] [next version ...]
//
// `--addons` holds `ferronext.<platform>.node` for every platform; without it, the repository, where `npm run build` leaves the one
// of this machine.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { distribute } from './distribution.mjs'
import { PLATFORMS, writePlatformPackage } from './platforms.mjs'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const { values, positionals: nextVersions } = parseArgs({
  allowPositionals: true,
  options: {
    addons: { type: 'string', default: repository },
    out: { type: 'string', default: path.join(repository, 'dist/release') },
    'next-only': { type: 'boolean', default: false },
  },
})
const out = path.resolve(values.out)
mkdirSync(out, { recursive: true })
const staging = mkdtempSync(path.join(out, 'staging-'))
const manifest = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8'))

/** @param {string[]} args @param {string} cwd */
function npm(args, cwd) {
  // npm is a script there.
  const shell = process.platform === 'win32'
  // It lists every file, and upstream has some ten thousand.
  const maxBuffer = 64 * 1024 * 1024
  const { status, stdout, error } = spawnSync('npm', args, {
    cwd,
    maxBuffer,
    encoding: 'utf8',
    shell,
    stdio: ['ignore', 'pipe', 2],
  })
  if (error) throw error
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}`)
  return stdout
}

/**
 * @param {string} source a folder, or the name of a published package
 * @param {string} destination
 * @returns {string} the tarball
 */
function pack(source, destination) {
  const printed = JSON.parse(
    npm(['pack', source, '--json', '--ignore-scripts', '--pack-destination', destination], out),
  )
  // npm 10 prints a list, npm 11 an object by package name.
  const [{ filename }] = Array.isArray(printed) ? printed : /** @type {any[]} */ (Object.values(printed))
  return path.join(destination, filename)
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

/** @param {string} version */
function packNext(version) {
  const folder = path.join(staging, `next-${version}`)
  mkdirSync(folder)
  const upstream = pack(`next@${version}`, folder)
  // Every system that builds has it: GNU tar, or bsdtar on macOS and Windows.
  const { status, stderr } = spawnSync('tar', ['-xzf', path.basename(upstream)], { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(`tar cannot unpack ${upstream}: ${stderr}`)
  const unpacked = path.join(folder, 'package')
  distribute({ folder: unpacked, repository, ferronextVersion: manifest.version })
  return pack(unpacked, out)
}

try {
  const ours = values['next-only'] ? [] : [...packPlatforms(), packFerronext()]
  const tarballs = [...ours, ...nextVersions.map(packNext)]
  for (const tarball of tarballs) console.log(tarball)
} finally {
  rmSync(staging, { recursive: true, force: true })
}
