// `npm run test:lines`: the whole conformance suite on every version of runtime/tested-versions.json, or on the lines that are named. Every
// difference fails. Takes some ten minutes a line; builds are kept. The table at the end says what was asked and what differed.
//
//   npm run test:lines -- [line ...] [--next 16.4.7 | --next canary]
//
// `--next` takes a version that is not in the file, or the newest canary of the registry.

import { spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { LINE_NAMES, LINES, lineOf } from '../__test__/support/workspace.mjs'
import { newestCanary } from './next-versions.mjs'
import { publishedVersions } from './npm.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const { values, positionals } = parseArgs({ allowPositionals: true, options: { next: { type: 'string' } } })
const unknown = positionals.filter(line => !LINE_NAMES.includes(line))
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. Lines are ${LINE_NAMES.join(', ')}; \`--next\` takes any version.`)
  process.exit(1)
}
const untried = values.next === 'canary' ? newestCanary(publishedVersions('next')) : values.next
const named = untried ? [...new Set([...positionals, lineOf(untried)])] : positionals

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [env]
 * @returns {Promise<{ status: number, output: string }>}
 */
function run(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
      process.stdout.write(chunk)
    })
    child.on('error', reject)
    child.on('close', status => resolve({ status: status ?? 1, output }))
  })
}

let { FERRONEXT_TARBALL } = process.env
if (!FERRONEXT_TARBALL) {
  const packed = await run(process.execPath, ['scripts/pack-local.mjs', '--quick'])
  if (packed.status !== 0) process.exit(packed.status)
  FERRONEXT_TARBALL = packed.output.trim().split('\n').at(-1)
}

/** @type {{ line: string, version: string | undefined, cases: string, different: string, passed: boolean }[]} */
const rows = []
for (const line of named.length > 0 ? named : LINE_NAMES) {
  const { status, output } = await run(process.execPath, ['__test__/conformance/run.mjs', '--line', line], {
    FERRONEXT_TARBALL,
    ...(untried && { FERRONEXT_TEST_NEXT: untried }),
  })
  const [, cases = '-', different = '-'] = /^(\d+) cases on \S+, (\d+) different/m.exec(output) ?? []
  rows.push({ line, version: LINES[line] ?? untried, cases, different, passed: status === 0 })
}
console.table(rows)
const failed = rows.filter(({ passed }) => !passed).length
console.log(`Lines: ${rows.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
