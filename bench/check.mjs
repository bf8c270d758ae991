// `npm run bench:check`: has ferronext become slower than it was, beside upstream? In: `results/ratios.json`. Out: an exit code.
//
// Rates of one machine say nothing on another, and little on the same one an hour later. Ratios of servers that take turns, a second each,
// say more: what slows the machine down slows all of them. Each round gives one ratio, and the median of the rounds counts.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { prepareApps } from './fixture.mjs'
import { describeMachine } from './machine.mjs'
import { CLIENTS, makeScenarios } from './scenarios.mjs'
import { startServer } from './server-process.mjs'
import { median } from './turns.mjs'
import { keyOf, verify } from './verify.mjs'
import { explainMissingWrk, load } from './wrk.mjs'

/** @typedef {{ upstream: number, bare: number }} Ratios ferronext's rate through theirs */
/** @typedef {{ date: string, machine: ReturnType<typeof describeMachine> & { next: string }, ratios: Record<string, Ratios> }} Kept */
/** @typedef {import('./server-process.mjs').Running} Running */

const FILE = fileURLToPath(new URL('results/ratios.json', import.meta.url))
const SCENARIOS = ['prerendered', 'chunk', 'redirect', 'revalidated', 'route-handler', 'api-route']
const [CLIENT] = CLIENTS

/** What the medians of a few seconds vary by on a machine that is shared is about half of this. */
const LOST = 0.2

/** Seconds of a turn; wrk takes whole ones. */
const TURN = 1
const ROUNDS = 5
/** To look again before saying that something is wrong, and for the ratios that are kept. */
const MANY_ROUNDS = 9

/** One in so many answers of ferronext may be missing: what wrk cuts off when it ends. */
const ANSWERS_PER_ERROR = 1000

const { values } = parseArgs({ options: { update: { type: 'boolean', default: false } } })

/**
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {{ upstream: Running, ferronext: Running, bare: Running }} servers
 * @param {number} rounds
 * @returns {Promise<Ratios>}
 */
async function compare(scenario, servers, rounds) {
  const ask = (/** @type {Running} */ { port }) => {
    const url = `http://127.0.0.1:${port}${scenario.path}`
    return load({ url, headers: CLIENT.headers, status: scenario.status, seconds: TURN })
  }
  await ask(servers.upstream)
  await ask(servers.ferronext)
  /** @type {Ratios[]} */
  const ratios = []
  for (let round = 0; round < rounds; round++) {
    const turns = /** @type {const} */ (['upstream', 'ferronext', 'bare'])
    const rates = { upstream: 0, ferronext: 0, bare: 0 }
    // There and back, so that none of them always comes after the same one.
    for (const engine of round % 2 === 0 ? turns : turns.toReversed()) {
      const { rate, requests, errors } = await ask(servers[engine])
      if (engine === 'ferronext' && errors * ANSWERS_PER_ERROR > requests) {
        stop(`${scenario.name}: ${errors} of ${requests} answers of ferronext were errors`)
      }
      rates[engine] = rate
    }
    ratios.push({ upstream: rates.ferronext / rates.upstream, bare: rates.ferronext / rates.bare })
  }
  return { upstream: median(ratios.map(each => each.upstream)), bare: median(ratios.map(each => each.bare)) }
}

/** @returns {Kept['ratios']} */
function readKept() {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')).ratios
  } catch (error) {
    stop(`${FILE} cannot be read (${error}): \`npm run bench:check -- --update\` writes it`)
  }
}

/**
 * A loss of ferronext's shows beside both others. Beside one alone it is that one's luck: on a shared machine the rate of a server in one
 * second is up to twice what it is in the next.
 * @param {Ratios} now @param {Ratios} kept
 */
const isLost = (now, kept) => now.upstream < kept.upstream * (1 - LOST) && now.bare < kept.bare * (1 - LOST)

async function main() {
  const missing = explainMissingWrk()
  if (missing) return void console.log(`Skipped: ${missing}`)
  const kept = values.update ? {} : readKept()
  const unknown = SCENARIOS.filter(name => !values.update && !kept[name])
  if (unknown.length > 0)
    throw new Error(`${FILE} lacks ${unknown}: \`npm run bench:check -- --update\` writes it anew`)

  const scratch = mkdtempSync(path.join(tmpdir(), 'ferronext-bench-check-'))
  const engines = /** @type {const} */ (['upstream', 'ferronext'])
  const { dirs, nextVersion, chunk, remove } = await prepareApps({ engines: [...engines] })
  process.on('exit', () => {
    remove()
    rmSync(scratch, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))

  const scenarios = makeScenarios(chunk).filter(({ name }) => SCENARIOS.includes(name))
  const all = { engines: [...engines], dirs, scenarios, clients: [CLIENT], scratch }
  const { captured, mismatches } = await verify(all)
  if (mismatches.length > 0) stop(`Answers differ:\n${mismatches.join('\n')}`)

  const upstream = await startServer('upstream', dirs.main.upstream)
  const ferronext = await startServer('ferronext', dirs.main.ferronext)
  /** @type {Kept['ratios']} */
  const ratios = {}
  /** @type {string[]} */
  const lost = []
  for (const scenario of scenarios) {
    const answer = /** @type {import('./verify.mjs').Captured} */ (captured.get(keyOf(scenario, CLIENT)))
    const bare = await startServer('bare', answer.file)
    const before = kept[scenario.name]
    let now = await compare(scenario, { upstream, ferronext, bare }, values.update ? MANY_ROUNDS : ROUNDS)
    show(scenario.name, now, before)
    if (before && isLost(now, before)) {
      now = await compare(scenario, { upstream, ferronext, bare }, MANY_ROUNDS)
      show('  once more', now, before)
      if (isLost(now, before)) lost.push(scenario.name)
    }
    ratios[scenario.name] = now
    await bare.stop()
  }
  await Promise.all([upstream.stop(), ferronext.stop()])

  if (values.update) {
    const round = (/** @type {number} */ value) => Number(value.toPrecision(3))
    const entries = Object.entries(ratios).map(([name, { upstream: a, bare: b }]) => [
      name,
      { upstream: round(a), bare: round(b) },
    ])
    /** @type {Kept} */
    const file = {
      date: new Date().toISOString().slice(0, 10),
      machine: { ...describeMachine(), next: nextVersion },
      ratios: Object.fromEntries(entries),
    }
    writeFileSync(FILE, `${JSON.stringify(file, null, 2)}\n`)
    console.log(`Written: ${FILE}`)
  }
  if (lost.length > 0) {
    stop(
      `Slower than before by more than ${LOST * 100} %, beside upstream and beside bare http: ${lost.join(', ')}. Profile it; if the loss is meant, write the new ratios down: npm run bench:check -- --update`,
    )
  }
}

/** @param {string} name @param {Ratios} now @param {Ratios} [before] */
function show(name, now, before) {
  const was = (/** @type {number | undefined} */ value, /** @type {number} */ digits) =>
    value === undefined ? '' : ` (kept: ${value.toFixed(digits)})`
  console.log(
    `${name.padEnd(14)} ${now.upstream.toFixed(1).padStart(6)}x upstream${was(before?.upstream, 1)}, ${now.bare.toFixed(2)} of bare http${was(before?.bare, 2)}`,
  )
}

/** @param {string} message @returns {never} */
function stop(message) {
  console.error(message)
  process.exit(1)
}

main().then(
  () => process.exit(0),
  error => stop(error.stack),
)
