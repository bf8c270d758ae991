// `npm run bench`: upstream, ferronext and a bare `http` server that sends the same bytes, in one run on one build.
// See README.md for what is measured and how.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeLargeFile, writePictures } from './files.mjs'
import { measureFirstBytes } from './first-byte.mjs'
import { prepareApps } from './fixture.mjs'
import { plotLatency } from './latency-plot.mjs'
import { describeMachine } from './machine.mjs'
import { measure } from './measure.mjs'
import { measureLatency } from './open-loop.mjs'
import { plot } from './plot.mjs'
import { makeTable } from './report.mjs'
import { CLIENTS, FIRST_BYTES, makeScenarios } from './scenarios.mjs'
import { measureStarts } from './starts.mjs'
import { inTurns, middle } from './turns.mjs'
import { appOf, clientsOf, keyOf, limitOf, takesPart, verify } from './verify.mjs'
import { describeVinext } from './vinext.mjs'
import { CONNECTIONS, explainMissingWrk } from './wrk.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const scratch = mkdtempSync(path.join(tmpdir(), 'ferronext-bench-'))

/** @typedef {import('./server-process.mjs').Engine} Engine */
/** @typedef {import('./scenarios.mjs').Scenario} Scenario */

/** @typedef {{ scenario: string, client: string, engine: Engine } & Measured} Cell */
/** @typedef {import('./wrk.mjs').Load & { rss?: number, peak?: number, bytes: number, encoding: string }} Measured */
/**
 * At a fixed rate, `share` of upstream's maximum.
 * @typedef {{ scenario: string, client: string, engine: Engine, share: number, target: number } & import('./open-loop.mjs').Latency} Latency
 */
/** @typedef {{ page: string, client: string, engine: Engine, first: number, last: number }} FirstByte medians in milliseconds */

/**
 * @typedef {object} Results
 * @property {string} date
 * @property {ReturnType<typeof describeMachine> & { next: string, vinext?: string }} machine
 * @property {{ seconds: number, warmUp: number, rounds: number, connections: number, latencySeconds: number }} options
 * @property {Partial<Record<Engine, import('./starts.mjs').Start>>} starts
 * @property {{ name: string, title: string, answeredBy: string, limit?: Engine }[]} scenarios
 * @property {Cell[]} cells
 * @property {Latency[]} latencies
 * @property {FirstByte[]} firstBytes
 */

/** `bare` stands for whatever the limit of a scenario is. */
const ENGINES = ['upstream', 'next-start', 'ferronext', 'vinext', 'bare']

function readOptions() {
  const { values } = parseArgs({
    options: {
      duration: { type: 'string' },
      'warm-up': { type: 'string' },
      rounds: { type: 'string', default: '1' },
      starts: { type: 'string', default: '5' },
      share: { type: 'string', multiple: true, default: ['0.5'] },
      'latency-duration': { type: 'string' },
      scenario: { type: 'string', multiple: true },
      client: { type: 'string', multiple: true },
      engines: { type: 'string', default: 'upstream,next-start,ferronext,bare' },
      short: { type: 'boolean', default: false },
      out: { type: 'string', default: path.join(here, 'results') },
      plot: { type: 'string', default: path.join(here, '../docs/images/bench.svg') },
      'latency-plot': { type: 'string', default: path.join(here, '../docs/images/latency.svg') },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(`node bench/run.mjs [--duration 5] [--warm-up 2] [--rounds 1] [--starts 5] [--short]
  [--share 0.5]... [--latency-duration 20] [--scenario name]... [--client gzip|identity]...
  [--engines upstream,next-start,ferronext,bare[,vinext]] [--out dir] [--plot file.svg] [--latency-plot file.svg]`)
    process.exit(0)
  }
  const engines = /** @type {Engine[]} */ (values.engines.split(','))
  const unknown = engines.find(name => !ENGINES.includes(name))
  if (unknown) stop(`unknown engine ${unknown}`)
  if (!engines.some(name => name !== 'bare')) stop('bare repeats what another engine answered: name one of them, too')
  if (engines[0] === 'vinext') stop('vinext is compared with upstream: name that first')
  return {
    engines,
    seconds: Number(values.duration ?? (values.short ? 2 : 5)),
    warmUp: Number(values['warm-up'] ?? (values.short ? 1 : 2)),
    rounds: Number(values.rounds),
    starts: values.short ? 3 : Number(values.starts),
    shares: values.share.map(Number),
    latencySeconds: Number(values['latency-duration'] ?? (values.short ? 3 : 20)),
    firstBytes: values.short ? 200 : 1000,
    scenarios: values.scenario,
    clients: values.client,
    out: values.out,
    plot: values.plot,
    latencyPlot: values['latency-plot'],
  }
}

/** @param {string} message @returns {never} */
function stop(message) {
  console.error(message)
  process.exit(1)
}

/** @typedef {ReturnType<typeof readOptions>} Options */
/** @typedef {Record<string, Record<string, string>>} Dirs */

/**
 * Throughput of every scenario, with every client, on every engine.
 *
 * @param {Options} options
 * @param {Dirs} dirs
 * @param {Scenario[]} scenarios
 * @param {typeof CLIENTS} clients
 * @param {Awaited<ReturnType<typeof verify>>['captured']} captured
 */
async function measureRates(options, dirs, scenarios, clients, captured) {
  /** @type {Cell[]} */
  const cells = []
  for (const scenario of scenarios) {
    const engines = options.engines
      .map(engine => (engine === 'bare' ? limitOf(scenario) : engine))
      .filter(engine => engine !== undefined)
      .filter(engine => takesPart(engine, scenario))
    for (const client of clientsOf(scenario, clients)) {
      const { file, bytes, encoding } = /** @type {import('./verify.mjs').Captured} */ (
        captured.get(keyOf(scenario, client))
      )
      const { seconds, warmUp, rounds } = options
      const measured = await inTurns(rounds, engines, async engine => {
        const target = dirs[appOf(scenario)][engine] ?? file
        const one = await measure({ engine, target, scenario, headers: client.headers, seconds, warmUp })
        return { ...one, bytes, encoding }
      })
      for (const engine of engines) {
        const cell = { scenario: scenario.name, client: client.name, engine, ...middle(measured[engine], 'rate') }
        cells.push(cell)
        const memory = `RSS ${cell.rss} MB, at most ${cell.peak} MB`
        const numbers = `${cell.rate.toFixed(cell.rate < 100 ? 1 : 0).padStart(7)}/s  p99 ${cell.p99.toFixed(1)} ms  errors ${cell.errors}  ${memory}`
        console.log(`${scenario.name.padEnd(18)} ${client.name.padEnd(9)} ${engine.padEnd(10)} ${numbers}`)
      }
    }
  }
  return cells
}

/**
 * Latency at shares of the rate that upstream reached in this very run.
 *
 * @param {Options} options
 * @param {Dirs} dirs
 * @param {Scenario[]} scenarios
 * @param {typeof CLIENTS[number]} client
 * @param {Cell[]} cells
 */
async function measureLatencies(options, dirs, scenarios, client, cells) {
  /** @type {Latency[]} */
  const latencies = []
  const engines = /** @type {const} */ (['upstream', 'ferronext'])
  if (!engines.every(engine => options.engines.includes(engine))) return []
  for (const scenario of scenarios.filter(each => each.openLoop)) {
    const isUpstreams = (/** @type {Cell} */ cell) =>
      cell.scenario === scenario.name && cell.client === client.name && cell.engine === 'upstream'
    const maximum = cells.find(isUpstreams)?.rate
    if (!maximum) continue
    for (const share of options.shares) {
      const target = maximum * share
      const { latencySeconds: seconds, warmUp, rounds } = options
      const measured = await inTurns(rounds, [...engines], engine => {
        const from = dirs[appOf(scenario)][engine]
        const { headers } = client
        return measureLatency({ engine, target: from, scenario, headers, rate: target, seconds, warmUp })
      })
      for (const engine of engines) {
        const one = middle(measured[engine], 'p99')
        latencies.push({ scenario: scenario.name, client: client.name, engine, share, target, ...one })
        console.log(
          `${scenario.name.padEnd(18)} ${client.name.padEnd(9)} ${engine.padEnd(10)} ${one.rate.toFixed(0)} of ${target.toFixed(0)}/s  p50 ${one.p50.toFixed(2)}  p99 ${one.p99.toFixed(2)}  p99.9 ${one.p999.toFixed(2)} ms  client late by ${one.late.toFixed(2)} ms`,
        )
      }
    }
  }
  return latencies
}

/**
 * @param {Options} options
 * @param {Dirs} dirs
 * @param {Engine[]} engines
 * @param {typeof CLIENTS} clients
 */
async function measureAllFirstBytes(options, dirs, engines, clients) {
  /** @type {FirstByte[]} */
  const firstBytes = []
  const pages = FIRST_BYTES.filter(page => dirs[page.app])
  for (const client of clients) {
    for (const engine of engines.filter(each => pages.some(page => dirs[page.app][each]))) {
      const { headers, name } = client
      const dir = dirs[pages[0].app][engine]
      const paths = pages.map(page => page.path)
      const medians = await measureFirstBytes({ engine, dir, paths, headers, times: options.firstBytes })
      for (const [index, page] of pages.entries()) {
        firstBytes.push({ page: page.name, client: name, engine, ...medians[index] })
        const { first, last } = medians[index]
        console.log(
          `first byte         ${name.padEnd(9)} ${engine.padEnd(10)} ${page.name} ${first.toFixed(2)} ms, all after ${last.toFixed(2)} ms`,
        )
      }
    }
  }
  return firstBytes
}

async function main() {
  const options = readOptions()
  const missing = explainMissingWrk()
  if (missing) stop(missing)
  // The path of the chunk is known when the app has been built; what apps are needed is known before.
  const isAsked = (/** @type {Scenario} */ { name }) => !options.scenarios || options.scenarios.includes(name)
  const apps = [...new Set(['main', ...makeScenarios('').filter(isAsked).map(appOf)])]
  const engines = options.engines.filter(engine => engine !== 'bare')
  const { dirs, nextVersion, chunk, remove } = await prepareApps({
    engines,
    apps: /** @type {import('./fixture.mjs').App[]} */ (apps),
  })
  process.on('exit', () => {
    remove()
    rmSync(scratch, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))

  const scenarios = makeScenarios(chunk).filter(isAsked)
  const clients = CLIENTS.filter(({ name }) => !options.clients || options.clients.includes(name))
  if (scenarios.length === 0 || clients.length === 0) stop('no such scenario or client')
  const needs = (/** @type {string} */ what) => scenarios.some(scenario => scenario.needs === what)
  const asked = engines.filter(engine => engine !== 'vinext').map(engine => dirs.main[engine])
  if (needs('pictures')) await writePictures(asked)
  if (needs('large')) writeLargeFile(asked)

  const { captured, mismatches } = await verify({ engines, dirs, scenarios, clients, scratch })
  for (const mismatch of mismatches) console.error(`MISMATCH ${mismatch}`)
  if (mismatches.length > 0) stop(`${mismatches.length} answers differ; nothing was measured.`)
  console.log(`the answers to all ${captured.size} questions are equal`)

  const starts = await measureStarts(engines, dirs.main, options.starts)
  const cells = await measureRates(options, dirs, scenarios, clients, captured)
  const latencies = await measureLatencies(options, dirs, scenarios, clients[0], cells)
  const firstBytes = dirs.partial ? await measureAllFirstBytes(options, dirs, engines, clients) : []

  const vinext = engines.includes('vinext') ? describeVinext() : undefined
  const { seconds, warmUp, rounds, latencySeconds } = options
  /** @type {Results} */
  const results = {
    date: new Date().toISOString(),
    machine: { ...describeMachine(), next: nextVersion, vinext },
    options: { seconds, warmUp, rounds, connections: CONNECTIONS, latencySeconds },
    starts,
    scenarios: scenarios.map(({ name, title, answeredBy, limit }) => ({ name, title, answeredBy, limit })),
    cells,
    latencies,
    firstBytes,
  }
  const table = makeTable(results)
  mkdirSync(options.out, { recursive: true })
  writeFileSync(path.join(options.out, 'latest.json'), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(path.join(options.out, 'latest.md'), table)
  console.log(`\n${table}`)
  if (engines.includes('upstream') && engines.includes('ferronext')) writeFileSync(options.plot, plot(results))
  if (latencies.length > 0) writeFileSync(options.latencyPlot, plotLatency(results))
}

main().then(
  () => process.exit(0),
  error => stop(error.stack),
)
