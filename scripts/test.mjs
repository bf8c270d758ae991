// `npm test`: everything from an empty clone to passed tests: dependencies, addon, tarball, fixtures, Rust tests, vitest.
// Arguments go to vitest: `npm test -- conformance`. The last line counts the tests of both runners.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { quick } from './cargo.mjs'
import { root, run } from './command.mjs'

const vitestArguments = process.argv.slice(2)

/**
 * @param {string} title
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [env]
 */
function step(title, command, args, env) {
  console.log(`\n> ${title}`)
  return run(command, args, env)
}

/** @param {{ status: number, output: string }} result */
function orExit(result) {
  if (result.status !== 0) process.exit(result.status)
  return result
}

/** Dependencies are installed when the lock file is newer than what is installed. */
async function installDependencies() {
  const lock = path.join(root, 'package-lock.json')
  const installed = path.join(root, 'node_modules', '.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  // Not `npm ci`: it wants an entry for every platform's optional binaries in the lock file, and fails where the registry
  // that wrote the lock file did not have them all.
  orExit(await step('Installing dependencies', 'npm', ['install', '--no-save', '--no-audit', '--no-fund']))
}

for (const [tool, url] of [['cargo', 'https://rustup.rs']]) {
  if (spawnSync(tool, ['--version']).error) {
    console.error(`${tool} is missing. Install it from ${url} and try again.`)
    process.exit(1)
  }
}

await installDependencies()

const onlyVitest = vitestArguments.length > 0
const rust = onlyVitest
  ? { status: 0, output: '' }
  : await step('Rust tests', 'cargo', ['test', ...quick(), '--no-default-features', '--quiet'])

const packed = orExit(
  await step('Building and packing the addon', process.execPath, ['scripts/pack-local.mjs', '--quick']),
)
const tarball = packed.output.trim().split('\n').at(-1) ?? ''

const results = path.join(root, 'dist', 'vitest.json')
mkdirSync(path.dirname(results), { recursive: true })
writeFileSync(results, '{}')
const vitest = await step(
  'Feature and conformance tests',
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
    ...vitestArguments,
  ],
  /** @type {any} */ ({ FERRONEXT_TARBALL: tarball }),
)

let passed = 0
let failed = 0
for (const [, ok, bad] of rust.output.matchAll(/(\d+) passed; (\d+) failed/g)) {
  passed += Number(ok)
  failed += Number(bad)
}
const report = JSON.parse(readFileSync(results, 'utf8'))
passed += report.numPassedTests ?? 0
failed += report.numFailedTests ?? 0
if (rust.status !== 0 || vitest.status !== 0) failed = Math.max(failed, 1)
console.log(`\nTests: ${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
