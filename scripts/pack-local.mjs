// `npm run pack:local`: builds the addon in release mode and packs it with the JavaScript into one tarball that installs
// into any app on this platform. The last line printed is the path of the tarball. `--quick` as in build.mjs.

import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

/** @param {string} command @param {string[]} args @param {import('node:child_process').StdioOptions} stdio */
function run(command, args, stdio) {
  const { status, stdout, error } = spawnSync(command, args, { cwd: root, stdio, encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
  return stdout
}

run(process.execPath, ['scripts/build.mjs', ...process.argv.slice(2)], ['ignore', 2, 2])
mkdirSync(path.join(root, 'dist'), { recursive: true })
const packed = JSON.parse(
  run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', 'dist'], ['ignore', 'pipe', 2]),
)
// npm 10 prints a list, npm 11 an object by package name.
const [{ filename }] = Array.isArray(packed) ? packed : Object.values(packed)
console.log(path.join(root, 'dist', filename))
