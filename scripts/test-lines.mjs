// `npm run test:lines`: the whole conformance suite on every version of runtime/next/tested-versions.json, or on the lines that are named. Every
// difference fails. Takes some ten minutes a line; builds are kept. The table at the end says what was asked and what differed.
//
//   npm run test:lines -- [line ...] [--next 16.4.7 | --next canary]
//
// `--next` takes a version that is not in the file, or the newest canary of the registry.

import { parseArgs } from 'node:util'
import { LINE_NAMES, LINES, lineOf } from '../__test__/support/workspace.mjs'
import { run } from './command.mjs'
import { newestCanary } from './next-versions.mjs'
import { publishedVersions } from './npm.mjs'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { next: { type: 'string' } } })
const unknown = positionals.filter(line => !LINE_NAMES.includes(line))
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. Lines are ${LINE_NAMES.join(', ')}; \`--next\` takes any version.`)
  process.exit(1)
}
const untried = values.next === 'canary' ? newestCanary(publishedVersions('next')) : values.next
const named = untried ? [...new Set([...positionals, lineOf(untried)])] : positionals

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
