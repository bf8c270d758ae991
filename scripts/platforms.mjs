// The platforms that there are packages for, and what builds and installs each. The names are those of `runtime/process/addon.js`.

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/**
 * @typedef {object} Platform
 * @property {string} target of rustc
 * @property {string} os `process.platform`
 * @property {string} cpu `process.arch`
 * @property {string} [libc] as package managers tell them apart
 */

/** @type {Record<string, Platform>} */
export const PLATFORMS = {
  'linux-x64-gnu': { target: 'x86_64-unknown-linux-gnu', os: 'linux', cpu: 'x64', libc: 'glibc' },
  'linux-x64-musl': { target: 'x86_64-unknown-linux-musl', os: 'linux', cpu: 'x64', libc: 'musl' },
  'linux-arm64-gnu': { target: 'aarch64-unknown-linux-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc' },
  'linux-arm64-musl': { target: 'aarch64-unknown-linux-musl', os: 'linux', cpu: 'arm64', libc: 'musl' },
  'darwin-x64': { target: 'x86_64-apple-darwin', os: 'darwin', cpu: 'x64' },
  'darwin-arm64': { target: 'aarch64-apple-darwin', os: 'darwin', cpu: 'arm64' },
  'win32-x64-msvc': { target: 'x86_64-pc-windows-msvc', os: 'win32', cpu: 'x64' },
}

/**
 * Writes the folder of a platform package.
 * @param {object} options
 * @param {string} options.platform
 * @param {string} options.folder where to
 * @param {string} options.addon the built .node file
 * @param {string} options.repository
 * @param {any} options.manifest package.json of ferronext
 */
export function writePlatformPackage({ platform, folder, addon, repository, manifest }) {
  const { target, os, cpu, libc } = PLATFORMS[platform]
  const file = `ferronext.${platform}.node`
  mkdirSync(folder, { recursive: true })
  copyFileSync(addon, path.join(folder, file))
  copyFileSync(path.join(repository, 'LICENSE'), path.join(folder, 'LICENSE'))
  const { version, license, engines } = manifest
  const described = {
    name: `@ferronext/${platform}`,
    version,
    description: `The addon of ferronext for ${target}`,
    license,
    main: file,
    files: [file],
    engines,
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
  }
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(described, null, 2)}\n`)
  writeFileSync(
    path.join(folder, 'README.md'),
    `# @ferronext/${platform}\n\nThe addon of [ferronext](https://www.npmjs.com/package/ferronext) for \`${target}\`. Install \`ferronext\`, which brings it.\n`,
  )
}
