// npm as the scripts run it: to pack folders and published packages, and to ask the registry for versions.

import { spawnSync } from 'node:child_process'
import path from 'node:path'

// npm is a script there.
const shell = process.platform === 'win32'
// `npm pack` lists every file, and upstream has some ten thousand.
const maxBuffer = 64 * 1024 * 1024

/** @param {string[]} args @param {string} cwd @returns {string} what it printed */
export function npm(args, cwd) {
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
export function pack(source, destination) {
  const printed = JSON.parse(
    npm(['pack', source, '--json', '--ignore-scripts', '--pack-destination', destination], destination),
  )
  // npm 10 prints a list, npm 11 an object by package name.
  const [{ filename }] = Array.isArray(printed) ? printed : /** @type {any[]} */ (Object.values(printed))
  return path.join(destination, filename)
}

/**
 * @param {string} name of a package
 * @returns {string[]} all its versions in the registry that npm is configured for; none of a package that does not exist
 */
export function publishedVersions(name) {
  const args = ['view', name, 'versions', '--json']
  const { stdout, stderr, error } = spawnSync('npm', args, { maxBuffer, encoding: 'utf8', shell })
  if (error) throw error
  const printed = stdout.trim() ? JSON.parse(stdout) : {}
  if (printed.error?.code === 'E404') return []
  // A package of one version has it as text.
  const versions = [printed].flat()
  if (!versions.every(version => typeof version === 'string')) throw new Error(`npm ${args.join(' ')}:\n${stderr}`)
  return versions
}
