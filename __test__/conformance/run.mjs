// The conformance cases on the command line, with every difference shown. Nothing is built twice.
//
//   node __test__/conformance/run.mjs [--line 16.4] [--fixture app-router] [--filter text] [--self] [--tarball path] [-v]
//
// --self compares upstream with upstream: the harness itself must find no difference. --filter takes text or /regex/.
import { parseArgs } from 'node:util'
import { LINE_NAMES } from '../support/workspace.mjs'
import { overlaps, SUITES, suitesOf } from './cases/index.mjs'
import { openSession, unusedDifferences, writeReport } from './session.mjs'

const { values: options } = parseArgs({
  options: {
    line: { type: 'string', default: '16.4' },
    fixture: { type: 'string' },
    filter: { type: 'string' },
    tarball: { type: 'string' },
    self: { type: 'boolean', default: false },
    verbose: { type: 'boolean', short: 'v', default: false },
  },
})
// A signal alone would end this process without its exit handlers, and the servers would live on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))
if (options.tarball) process.env.FERRONEXT_TARBALL = options.tarball

const line = LINE_NAMES.find(name => name === options.line)
if (!line) throw new Error(`--line takes one of ${LINE_NAMES.join(', ')}`)
const suites = suitesOf(line).filter(({ fixture }) => !options.fixture || options.fixture.split(',').includes(fixture))
if (suites.length === 0) throw new Error(`--fixture takes ${SUITES.map(({ fixture }) => fixture).join(', ')}`)

const pattern = options.filter?.match(/^\/(.*)\/$/)?.[1]
const matches = (/** @type {string} */ name) =>
  pattern ? new RegExp(pattern).test(name) : name.includes(options.filter ?? '')

/** @type {{ fixture: string, results: import('./session.mjs').Result[] }[]} */
const outcomes = []
let total = 0
let different = 0

/** As many as vitest.config.mjs lets run at once. */
const AT_ONCE = 6

for (const suite of suites) {
  const { fixture, cases, serverFile, env, prepare, alter, target } = suite
  const chosen = cases.filter(({ name }) => matches(name))
  if (chosen.length === 0) continue
  const session = await openSession({ line, fixture, serverFile, env, prepare, alter, target, self: options.self })
  /** @type {import('./session.mjs').Result[]} */
  const results = []
  const started = performance.now()
  try {
    const run = async (/** @type {import('./case.mjs').Case} */ test) => {
      const result = await session.run(test)
      results.push(result)
      if (result.differences.length > 0) show(fixture, result)
      else if (options.verbose) console.log(`  ok  ${fixture}  ${result.name} -> ${result.statuses.join(', ')}`)
    }
    const queue = [...chosen]
    while (queue[0] && !overlaps(suite, queue[0])) await run(/** @type {any} */ (queue.shift()))
    const lane = async () => {
      while (queue[0] && overlaps(suite, queue[0])) await run(/** @type {any} */ (queue.shift()))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
    for (const test of queue) await run(test)
  } finally {
    if (options.verbose) {
      const { expected, actual } = session.outputs()
      console.log(
        `--- upstream printed\n${expected}\n--- ${options.self ? 'upstream' : 'ferronext'} printed\n${actual}`,
      )
    }
    await session.close()
  }
  const failed = results.filter(({ differences }) => differences.length > 0).length
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${fixture} on ${line}: ${results.length} cases, ${failed} different (${seconds} s)`)
  outcomes.push({ fixture, results })
  total += results.length
  different += failed
}

console.log(`${total} cases on ${line}, ${different} different; details in ${writeReport(line, outcomes)}`)
const declared = outcomes.flatMap(({ results }) => results.flatMap(result => result.declared))
const whole = !options.filter && !options.fixture && !options.self
const unused = whole ? unusedDifferences(declared, line) : []
if (declared.length > 0) console.log(`declared: ${[...new Set(declared)].join(', ')}`)
if (unused.length > 0) console.log(`declared, but not seen: ${unused.join(', ')}`)
process.exitCode = different + unused.length > 0 ? 1 : 0

/**
 * @param {string} fixture
 * @param {import('./session.mjs').Result} result
 */
function show(fixture, { name, differences }) {
  console.log(`\nDIFFERENT  ${fixture}  ${name}`)
  for (const { step, kind, expected, actual } of differences) {
    const [left, right] = kind === 'body' ? aroundFirstDifference(expected, actual) : [expected, actual]
    console.log(`    ${kind}${differences.some(other => other.step !== step) ? `  (${step})` : ''}`)
    console.log(`      - ${printable(left)}\n      + ${printable(right)}`)
  }
}

/**
 * Long bodies differ in one place as a rule; only that is shown.
 *
 * @param {string} left
 * @param {string} right
 */
function aroundFirstDifference(left, right) {
  let at = 0
  while (at < left.length && left[at] === right[at]) at++
  const from = Math.max(0, at - 60)
  const cut = (/** @type {string} */ text) =>
    `[${text.length} bytes]${from > 0 ? ' …' : ' '}${text.slice(from, at + 160)}${text.length > at + 160 ? '…' : ''}`
  return [cut(left), cut(right)]
}

/** @param {string} text */
function printable(text) {
  return JSON.stringify(text.length > 600 ? `${text.slice(0, 600)}…` : text).slice(1, -1)
}
