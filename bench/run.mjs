// `npm run bench`: upstream, ferronext and a bare `http` server that sends the same bytes, in one run on one build.
// See README.md for what is measured and how.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { captureSettled, findMismatch } from './capture.mjs'
import { writeLargeFile, writePictures } from './files.mjs'
import { prepareApps } from './fixture.mjs'
import { describeMachine } from './machine.mjs'
import { measure } from './measure.mjs'
import { plot } from './plot.mjs'
import { makeTable } from './report.mjs'
import { CLIENTS, makeScenarios } from './scenarios.mjs'
import { readMemory, startServer } from './server-process.mjs'
import { CONNECTIONS, explainMissingWrk } from './wrk.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const scratch = mkdtempSync(path.join(tmpdir(), 'ferronext-bench-'))

/** @typedef {import('./server-process.mjs').Engine} Engine */

/** @typedef {{ scenario: string, client: string, engine: Engine } & Measured} Cell */
/** @typedef {import('./wrk.mjs').Load & { rss?: number, peak?: number, bytes: number, encoding: string }} Measured */

/** @typedef {{ prepare?: number, ready: number, idleRss?: number }} Start */

/**
 * @typedef {object} Results
 * @property {string} date
 * @property {ReturnType<typeof describeMachine> & { next: string }} machine
 * @property {{ seconds: number, warmUp: number, rounds: number, connections: number }} options
 * @property {Partial<Record<Engine, Start>>} starts
 * @property {{ name: string, title: string, answeredBy: string }[]} scenarios
 * @property {Cell[]} cells
 */

function readOptions() {
  const { values } = parseArgs({
    options: {
      duration: { type: 'string' },
      'warm-up': { type: 'string' },
      rounds: { type: 'string', default: '1' },
      starts: { type: 'string', default: '5' },
      scenario: { type: 'string', multiple: true },
      client: { type: 'string', multiple: true },
      engines: { type: 'string', default: 'upstream,ferronext,bare' },
      short: { type: 'boolean', default: false },
      out: { type: 'string', default: path.join(here, 'results') },
      plot: { type: 'string', default: path.join(here, '../docs/bench.svg') },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(`node bench/run.mjs [--duration 5] [--warm-up 2] [--rounds 1] [--starts 5] [--short]
  [--scenario name]... [--client gzip|identity]... [--engines upstream,ferronext,bare] [--out dir] [--plot file.svg]`)
    process.exit(0)
  }
  const engines = /** @type {Engine[]} */ (values.engines.split(','))
  const unknown = engines.find(name => !['upstream', 'ferronext', 'bare'].includes(name))
  if (unknown) stop(`unknown engine ${unknown}`)
  if (!engines.some(name => name !== 'bare')) stop('bare repeats what another engine answered: name one of them, too')
  return {
    engines,
    seconds: Number(values.duration ?? (values.short ? 2 : 5)),
    warmUp: Number(values['warm-up'] ?? (values.short ? 1 : 2)),
    rounds: Number(values.rounds),
    starts: values.short ? 3 : Number(values.starts),
    scenarios: values.scenario,
    clients: values.client,
    out: values.out,
    plot: values.plot,
  }
}

/** @param {string} message @returns {never} */
function stop(message) {
  console.error(message)
  process.exit(1)
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

/**
 * @param {Engine[]} engines
 * @param {Record<string, string>} dirs
 * @param {number} times
 */
async function measureStarts(engines, dirs, times) {
  /** @type {Partial<Record<Engine, Start[]>>} */
  const all = {}
  for (let time = 0; time < times; time++) {
    for (const engine of engines) {
      const server = await startServer(engine, dirs[engine])
      await delay(500) // Until what was begun while starting has ended.
      all[engine] = [...(all[engine] ?? []), { ...server.start, idleRss: readMemory(server.pid).rss }]
      await server.stop()
    }
  }
  /** @type {Partial<Record<Engine, Start>>} */
  const starts = {}
  for (const engine of engines) {
    const of = (/** @type {keyof Start} */ key) => median((all[engine] ?? []).map(start => start[key] ?? Number.NaN))
    starts[engine] = { prepare: of('prepare'), ready: of('ready'), idleRss: of('idleRss') }
    console.log(
      `${engine.padEnd(10)} prepare() ${of('prepare').toFixed(0)} ms, listens after ${of('ready').toFixed(0)} ms`,
    )
  }
  return starts
}

/**
 * Asks every engine every question once before anything is measured: a wrong answer is always fast. Keeps the answers
 * that the bare server is to repeat.
 *
 * @param {Engine[]} engines upstream first
 * @param {Record<string, string>} dirs
 * @param {import('./scenarios.mjs').Scenario[]} scenarios
 * @param {typeof CLIENTS} clients
 */
async function verify(engines, dirs, scenarios, clients) {
  const servers = await Promise.all(engines.map(engine => startServer(engine, dirs[engine])))
  /** @type {Map<string, { file: string, bytes: number, encoding: string }>} */
  const captured = new Map()
  let failed = 0
  for (const scenario of scenarios) {
    for (const client of clientsOf(scenario, clients)) {
      const answers = []
      const headers = { ...client.headers, ...scenario.headers }
      for (const { port } of servers) {
        answers.push(await captureSettled(port, scenario.path, headers))
      }
      const key = `${scenario.name}-${client.name}`
      for (const [index, answer] of answers.entries()) {
        const mismatch = findMismatch(scenario, answers[0], answer)
        if (mismatch) console.error(`MISMATCH ${key}, ${engines[index]} against ${engines[0]}: ${mismatch}`)
        if (mismatch) failed++
      }
      const { body, ...head } = answers[answers.length - 1]
      const streams = scenario.streams && path.join(dirs[engines[0]], 'public', scenario.streams)
      const file = path.join(scratch, `${key}.json`)
      writeFileSync(file, JSON.stringify({ ...head, streams, body: streams ? '' : body.toString('base64') }))
      captured.set(key, { file, bytes: body.length, encoding: head.encoding })
    }
  }
  await Promise.all(servers.map(server => server.stop()))
  if (failed > 0) stop(`${failed} answers differ; nothing was measured.`)
  console.log(`all ${captured.size} answers are equal`)
  return captured
}

/** @param {import('./scenarios.mjs').Scenario} scenario @param {typeof CLIENTS} clients */
const clientsOf = (scenario, clients) => clients.filter(({ name }) => (scenario.client ?? name) === name)

async function main() {
  const options = readOptions()
  const missing = explainMissingWrk()
  if (missing) stop(missing)
  const apps = options.engines.filter(engine => engine !== 'bare')
  const { dirs, nextVersion, chunk, remove } = await prepareApps({ engines: apps })
  process.on('exit', () => {
    remove()
    rmSync(scratch, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))

  const scenarios = makeScenarios(chunk).filter(({ name }) => !options.scenarios || options.scenarios.includes(name))
  const clients = CLIENTS.filter(({ name }) => !options.clients || options.clients.includes(name))
  if (scenarios.length === 0 || clients.length === 0) stop('no such scenario or client')
  const needs = (/** @type {string} */ what) => scenarios.some(scenario => scenario.needs === what)
  if (needs('pictures')) await writePictures(Object.values(dirs))
  if (needs('large')) writeLargeFile(Object.values(dirs))

  const captured = await verify(apps, dirs, scenarios, clients)
  const starts = await measureStarts(apps, dirs, options.starts)
  /** @type {Cell[]} */
  const cells = []
  for (const scenario of scenarios) {
    // Nobody repeats the work of making a picture.
    const engines = options.engines.filter(engine => engine !== 'bare' || scenario.kind === undefined)
    for (const client of clientsOf(scenario, clients)) {
      const { file, bytes, encoding } = /** @type {NonNullable<ReturnType<typeof captured.get>>} */ (
        captured.get(`${scenario.name}-${client.name}`)
      )
      /** @type {Partial<Record<Engine, Measured[]>>} */
      const rounds = {}
      // One engine after the other within each round: a machine that gets slower gets slower for all of them.
      for (let round = 0; round < options.rounds; round++) {
        for (const engine of engines) {
          const target = engine === 'bare' ? file : dirs[engine]
          const { seconds, warmUp } = options
          const one = await measure({ engine, target, scenario, headers: client.headers, seconds, warmUp })
          rounds[engine] = [...(rounds[engine] ?? []), { ...one, bytes, encoding }]
        }
      }
      for (const engine of engines) {
        const cell = { scenario: scenario.name, client: client.name, engine, ...middle(rounds[engine] ?? []) }
        cells.push(cell)
        const memory = `RSS ${cell.rss} MB, at most ${cell.peak} MB`
        const numbers = `${cell.rate.toFixed(cell.rate < 100 ? 1 : 0).padStart(7)}/s  p99 ${cell.p99.toFixed(1)} ms  errors ${cell.errors}  ${memory}`
        console.log(`${scenario.name.padEnd(18)} ${client.name.padEnd(9)} ${engine.padEnd(10)} ${numbers}`)
      }
    }
  }

  /** @type {Results} */
  const results = {
    date: new Date().toISOString(),
    machine: { ...describeMachine(), next: nextVersion },
    options: { seconds: options.seconds, warmUp: options.warmUp, rounds: options.rounds, connections: CONNECTIONS },
    starts,
    scenarios: scenarios.map(({ name, title, answeredBy }) => ({ name, title, answeredBy })),
    cells,
  }
  const table = makeTable(results)
  mkdirSync(options.out, { recursive: true })
  writeFileSync(path.join(options.out, 'latest.json'), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(path.join(options.out, 'latest.md'), table)
  console.log(`\n${table}`)
  const engines = new Set(options.engines)
  if (engines.has('upstream') && engines.has('ferronext')) writeFileSync(options.plot, plot(results))
}

/** The round whose rate is the median, whole, so that its numbers belong together. @param {Measured[]} rounds */
function middle(rounds) {
  return rounds.toSorted((a, b) => a.rate - b.rate)[rounds.length >> 1]
}

main().then(
  () => process.exit(0),
  error => stop(error.stack),
)
