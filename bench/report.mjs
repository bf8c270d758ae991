// Turns the results into markdown tables.

import { CLIENTS, FIRST_BYTES, LIMIT_TITLES } from './scenarios.mjs'

/** @typedef {import('./run.mjs').Results} Results */
/** @typedef {import('./server-process.mjs').Engine} Engine */

/** Servers of the app in the order of their columns; the limit comes after them. @type {Partial<Record<Engine, string>>} */
const COLUMNS = { upstream: 'upstream', 'next-start': '`next start`', ferronext: 'ferronext', vinext: 'vinext' }

/** A rate that is missed by more than this share was not reached. */
const REACHED = 0.99

/** A client that was later than this share of a p99 has a part in it. */
const PUNCTUAL = 0.2

/** Answers that p99.9 takes to be more than the slowest one. */
const ENOUGH_FOR_P999 = 2000

/** @param {number | undefined} value */
const rate = value => (value === undefined ? '-' : Math.round(value).toLocaleString('en-US'))

/** @param {number | undefined} part @param {number | undefined} whole @param {number} digits */
export const ratio = (part, whole, digits) => (part && whole ? (part / whole).toFixed(digits) : '-')

/** @param {number | undefined} value milliseconds */
const time = value =>
  value === undefined || Number.isNaN(value) ? '-' : value < 10 ? value.toFixed(2) : value.toFixed(0)

/** @param {number} value bytes */
const size = value => (value < 10_000 ? `${value} B` : `${(value / 1000).toFixed(1)} kB`)

/** @param {string[]} columns */
const row = columns => `| ${columns.join(' | ')} |`

/** Headings, the first of them of the column of names. @param {string[]} columns */
const heading = columns => [row(columns), `|---|${'--:|'.repeat(columns.length - 1)}`]

/**
 * @param {Results} results
 * @returns {string}
 */
export function makeTable(results) {
  const { machine, options } = results
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}; Node ${machine.node}, Next.js ${machine.next}${machine.vinext ? `, ${machine.vinext}` : ''}.`,
    `wrk, 1 thread, ${options.connections} connections, ${options.seconds} s after ${options.warmUp} s of warm-up; ${results.date.slice(0, 10)}.`,
    '',
    ...makeRates(results),
    ...makeLatencies(results),
    ...makeFirstBytes(results),
    ...makeStarts(results),
  ]
  return `${lines.join('\n').trim()}\n`
}

/** @param {{ engine: Engine }[]} cells */
const columnsOf = cells =>
  /** @type {Engine[]} */ (Object.keys(COLUMNS)).filter(engine => cells.some(cell => cell.engine === engine))

/** @param {Results} results */
function makeRates(results) {
  const engines = columnsOf(results.cells)
  const titles = engines.map(engine => COLUMNS[engine] ?? engine)
  const lines = []
  for (const client of CLIENTS) {
    const rows = results.scenarios.map(scenario => makeRow(results, scenario, client.name, engines)).filter(Boolean)
    if (rows.length === 0) continue
    const columns = ['', ...titles, 'limit', '× upstream', 'of limit', 'p50 ms', 'p99 ms', 'errors', 'RSS MB', 'body']
    lines.push(`### ${client.title}`, '', ...heading(columns), ...rows, '')
  }
  lines.push(
    `Rates are requests/s. p50, p99, errors and RSS (resident memory after the load): ${[...titles, 'limit'].join(' / ')}. × and "of" are ferronext's.`,
    'The limit is `http` that sends the same bytes from memory; (React): `http` and React alone that render the same tree for every request.',
    '',
  )
  return lines
}

/**
 * @param {Results} results
 * @param {Results['scenarios'][number]} scenario
 * @param {string} client
 * @param {Engine[]} engines
 */
function makeRow({ cells }, scenario, client, engines) {
  const found = cells.filter(cell => cell.scenario === scenario.name && cell.client === client)
  if (found.length === 0) return ''
  const of = (/** @type {string} */ engine) => found.find(cell => cell.engine === engine)
  const [upstream, ferronext, limit] = [of('upstream'), of('ferronext'), of(scenario.limit ?? 'bare')]
  const all = [...engines.map(of), limit]
  const each = (/** @type {(cell: import('./run.mjs').Cell) => string} */ show) =>
    all.map(cell => (cell ? show(cell) : '-')).join(' / ')
  const label = scenario.limit === 'raw-ssr' && limit ? ` (${LIMIT_TITLES['raw-ssr']})` : ''
  return row([
    scenario.title,
    ...engines.map(engine => rate(of(engine)?.rate)),
    `${rate(limit?.rate)}${label}`,
    ratio(ferronext?.rate, upstream?.rate, 1),
    ratio(ferronext?.rate, limit?.rate, 2),
    each(cell => time(cell.p50)),
    each(cell => time(cell.p99)),
    each(cell => String(cell.errors)),
    each(cell => cell.rss?.toFixed(0) ?? '-'),
    `${size(found[0].bytes)}${found[0].encoding && ` ${found[0].encoding}`}`,
  ])
}

/** @param {Results} results */
function makeLatencies({ latencies, scenarios, options }) {
  const lines = []
  for (const share of new Set(latencies.map(latency => latency.share))) {
    const own = latencies.filter(latency => latency.share === share)
    const rows = scenarios.map(scenario => makeLatencyRow(own, scenario)).filter(Boolean)
    lines.push(
      `### Latency at ${share === 0.5 ? 'half' : share} of upstream's maximum rate`,
      '',
      ...heading([
        '',
        'requests/s',
        'upstream p50 / p99 / p99.9 ms',
        'ferronext p50 / p99 / p99.9 ms',
        'p99, of upstream',
      ]),
      ...rows,
      '',
    )
  }
  if (lines.length > 0) {
    lines.push(
      `Requests are due at a constant rate for ${options.latencySeconds} s, whatever became of those before, and the time counts from then. p99.9 takes ${ENOUGH_FOR_P999.toLocaleString('en-US')} answers.`,
      '',
    )
  }
  return lines
}

/** @param {Results['latencies']} latencies @param {{ name: string, title: string }} scenario */
function makeLatencyRow(latencies, scenario) {
  const of = (/** @type {Engine} */ engine) =>
    latencies.find(latency => latency.scenario === scenario.name && latency.engine === engine)
  const [upstream, ferronext] = [of('upstream'), of('ferronext')]
  if (!upstream || !ferronext) return ''
  const show = (/** @type {Results['latencies'][number]} */ one) => {
    const notes = [
      ...(one.rate < REACHED * one.target ? [`only ${rate(one.rate)}/s`] : []),
      ...(one.late > PUNCTUAL * one.p99 ? [`client late by ${time(one.late)} ms`] : []),
      ...(one.errors > 0 ? [`${one.errors} errors`] : []),
    ]
    const p999 = one.requests < ENOUGH_FOR_P999 ? '-' : time(one.p999)
    return `${time(one.p50)} / ${time(one.p99)} / ${p999}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`
  }
  return row([
    scenario.title,
    rate(upstream.target),
    show(upstream),
    show(ferronext),
    ratio(ferronext.p99, upstream.p99, 2),
  ])
}

/** @param {Results} results */
function makeFirstBytes({ firstBytes }) {
  if (firstBytes.length === 0) return []
  const engines = columnsOf(firstBytes)
  const lines = ['### First byte', '', ...heading(['', ...engines.map(engine => `${COLUMNS[engine]} ms`)])]
  for (const client of CLIENTS) {
    for (const page of FIRST_BYTES) {
      const own = firstBytes.filter(one => one.page === page.name && one.client === client.name)
      if (own.length === 0) continue
      const cells = engines.map(engine => own.find(one => one.engine === engine))
      const title = `${page.title}, ${client.name === 'gzip' ? 'compressed' : 'not compressed'}`
      lines.push(row([title, ...cells.map(cell => `${time(cell?.first)} / ${time(cell?.last)}`)]))
    }
  }
  return [...lines, '', 'Medians, to the first byte of the body / to its end, one request at a time.', '']
}

/** @param {Results} results */
function makeStarts({ starts }) {
  const lines = ['### Starting', '', ...heading(['', '`prepare()`', 'process to listening', 'RSS, idle'])]
  for (const [engine, { prepare, ready, idleRss }] of Object.entries(starts)) {
    const name = COLUMNS[/** @type {Engine} */ (engine)] ?? engine
    const took = prepare === undefined ? '-' : `${prepare.toFixed(0)} ms`
    lines.push(row([name, took, `${ready.toFixed(0)} ms`, `${idleRss?.toFixed(0) ?? '-'} MB`]))
  }
  return lines
}
