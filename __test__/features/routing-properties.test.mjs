// Random rules, page sets and requests: the decision is the one that upstream's own router makes, on the same build folder.
// Upstream's side is its `setupFsCheck` and `getResolveRoutes`; ferronext's is its router, through the program in `decide.rs`.
//
// `SEED=… RUNS=…` repeat or lengthen a run; a failure prints its seed and the smallest case that still fails.

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { config, expressions, matchers, pages, request, rules } from '../support/arbitrary-rules.mjs'
import { openQuestion, openUpstream, Refused, upstreamDecision, writeBuild } from '../support/upstream-router.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const scratch = mkdtempSync(path.join(tmpdir(), 'ferronext-routing-'))
const seed = Number(process.env.SEED ?? 20_260_101)
const runs = Number(process.env.RUNS ?? 0)

/** @type {import('node:child_process').ChildProcess} */
let program
/** @type {(question: object) => Promise<any>} */
let ask

beforeAll(() => {
  const build = [
    'build',
    '--locked',
    '--quiet',
    '--no-default-features',
    '--example',
    'decide',
    '--message-format=json',
  ]
  const messages = execFileSync('cargo', build, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
    .trim()
    .split('\n')
  const built = messages.map(line => JSON.parse(line)).findLast(message => message.executable)
  program = spawn(built.executable, { stdio: ['pipe', 'pipe', 'inherit'] })
  const stdin = /** @type {import('node:stream').Writable} */ (program.stdin)
  const lines = createInterface({ input: /** @type {any} */ (program.stdout) })[Symbol.asyncIterator]()
  ask = async question => {
    stdin.write(`${JSON.stringify(question)}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error('the program has ended, see above')
    return JSON.parse(value)
  }
})

afterAll(() => {
  program?.stdin?.end()
  rmSync(scratch, { recursive: true, force: true })
})

/** Names of headers mean the same in any case, and the one that was set last is sent. @param {[string, any][]} headers */
function sent(headers) {
  const last = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]))
  return [...last].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Whether Node refuses to send these. @param {any} decision */
function isUnsendable({ headers = [], location }) {
  try {
    for (const [name, value] of headers) {
      validateHeaderName(name)
      for (const line of [value].flat()) validateHeaderValue(name, line)
    }
    if (location !== undefined) validateHeaderValue('location', location)
    return false
  } catch {
    return true
  }
}

/** A decision without what nobody can see. @param {any} decision */
function visible(decision) {
  if (isUnsendable(decision)) return { kind: 'fault' }
  const { kind, headers, query, message, ...rest } = decision
  if (kind === 'middleware') return { kind }
  if (kind === 'redirect' || kind === 'proxy') return { kind, ...rest }
  return {
    kind,
    ...rest,
    ...(headers && { headers: sent(headers) }),
    ...(query && { query: query.filter((/** @type {any} */ [, value]) => value != null).sort() }),
  }
}

/** What was compared, so that a generator that no longer reaches something is noticed. @type {Record<string, number>} */
const seen = {}

/**
 * @param {any} app
 * @param {{ target: string, headers: string[] }[]} requests
 */
async function compare(app, requests) {
  try {
    await writeBuild(scratch, { ...app, ...app.pages })
  } catch (error) {
    // Each rule is fine, but not below this `basePath` or with these locales.
    fc.pre(!(error instanceof Refused))
    throw error
  }
  const answer = await ask({ ...openQuestion(scratch, app.config), requests })
  let upstream
  try {
    upstream = await openUpstream(scratch, app.config)
  } catch (error) {
    expect(answer, `upstream refuses: ${error}`).toHaveProperty('error')
    return
  }
  expect(answer.error).toBeUndefined()
  for (const [at, asked] of requests.entries()) {
    const expected = visible(await upstreamDecision(upstream, asked))
    const actual = visible(answer.decisions[at])
    seen[expected.kind] = (seen[expected.kind] ?? 0) + 1
    // A rule's header that Node cannot send fails the request whatever middleware says, so it is not asked here.
    const unsendable = /^(Header name must be|Invalid character in header)/.test(answer.decisions[at].message)
    if (expected.kind === 'middleware' && unsendable) continue
    // Two things are for the renderer to say, which is not asked here: what becomes of a path that was found but that no
    // page is registered under, and whether a data URL is one. It refuses a URL before it would run middleware for it.
    const unregistered = expected.kind === 'output' && expected.page === undefined
    const data = ['output', 'middleware'].includes(expected.kind) && asked.target.includes('/_next/data')
    if (unregistered || (data && actual.kind !== expected.kind)) {
      const possible = expected.kind === 'middleware' ? ['unrendered'] : ['output', 'unrendered', 'badRequest']
      expect(possible, asked.target).toContain(actual.kind)
      continue
    }
    if (data && expected.kind === 'output') actual.data = expected.data
    expect({ asked: asked.target, ...actual }).toEqual({ asked: asked.target, ...expected })
  }
}

/** @param {fc.Arbitrary<any>} app @param {number} numRuns */
async function holds(app, numRuns) {
  await holdsFor(
    app.chain(made => fc.tuple(fc.constant(made), fc.array(request(made), { minLength: 6, maxLength: 12 }))),
    numRuns,
  )
}

/** @param {fc.Arbitrary<[any, { target: string, headers: string[] }[]]>} cases @param {number} numRuns */
async function holdsFor(cases, numRuns) {
  const property = fc.asyncProperty(cases, ([made, requests]) => compare(made, requests))
  await fc.assert(property, { seed, numRuns: runs || numRuns, verbose: 0, endOnFailure: false })
}

describe('decisions are those of upstream', () => {
  it('for random rules', async () => {
    await holds(fc.record({ rules }), 150)
  })

  it('for random page sets', async () => {
    await holds(fc.record({ pages }), 100)
  })

  it('for random rules, page sets and configurations', async () => {
    await holds(fc.record({ rules, pages, config }), 150)
  })

  it('for random matchers of middleware', async () => {
    await holds(
      fc.record({ middleware: matchers, pages, config, rules: fc.option(rules, { nil: undefined, freq: 2 }) }),
      120,
    )
  })

  it('for random expressions in conditions', async () => {
    await holdsFor(expressions, 100)
  })

  it('of every kind', () => {
    for (const kind of ['redirect', 'proxy', 'output', 'none', 'fault', 'middleware'])
      expect(seen[kind] ?? 0, kind).toBeGreaterThan(10)
  })
})
