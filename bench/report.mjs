// Turns the results into a markdown table.

import { CLIENTS } from './scenarios.mjs'

/** @param {number | undefined} value */
const rate = value => (value === undefined ? '-' : Math.round(value).toLocaleString('en-US'))

/** @param {number | undefined} part @param {number | undefined} whole @param {number} digits */
export const ratio = (part, whole, digits) => (part && whole ? (part / whole).toFixed(digits) : '-')

/** @param {number} value milliseconds */
const time = value => (Number.isNaN(value) ? '-' : value < 10 ? value.toFixed(2) : value.toFixed(0))

/** @param {number} value bytes */
const size = value => (value < 10_000 ? `${value} B` : `${(value / 1000).toFixed(1)} kB`)

/**
 * @param {import('./run.mjs').Results} results
 * @returns {string}
 */
export function makeTable(results) {
  const { machine, options, starts } = results
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}; Node ${machine.node}, Next.js ${machine.next}.`,
    `wrk, 1 thread, ${options.connections} connections, ${options.seconds} s after ${options.warmUp} s of warm-up; ${results.date.slice(0, 10)}.`,
    '',
  ]
  for (const client of CLIENTS) {
    const rows = results.scenarios.map(scenario => makeRow(results, scenario, client.name)).filter(row => row !== '')
    if (rows.length === 0) continue
    lines.push(
      `### ${client.title}`,
      '',
      '| | upstream | ferronext | bare `http` | × upstream | of bare | p50 ms | p99 ms | errors | RSS MB | body |',
      '|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
      ...rows,
      '',
    )
  }
  lines.push(
    'Rates are requests/s. p50, p99, errors and RSS (resident memory after the load): upstream / ferronext / bare.',
    '',
    '### Starting',
    '',
    '| | `prepare()` | process to listening | RSS, idle |',
    '|---|--:|--:|--:|',
  )
  for (const [engine, { prepare, ready, idleRss }] of Object.entries(starts)) {
    lines.push(`| ${engine} | ${prepare?.toFixed(0)} ms | ${ready.toFixed(0)} ms | ${idleRss?.toFixed(0) ?? '-'} MB |`)
  }
  return `${lines.join('\n')}\n`
}

/**
 * @param {import('./run.mjs').Results} results
 * @param {{ name: string, title: string }} scenario
 * @param {string} client
 */
function makeRow({ cells }, scenario, client) {
  const found = cells.filter(cell => cell.scenario === scenario.name && cell.client === client)
  if (found.length === 0) return ''
  const of = (/** @type {string} */ engine) => found.find(cell => cell.engine === engine)
  const [upstream, ferronext, bare] = [of('upstream'), of('ferronext'), of('bare')]
  const each = (/** @type {(cell: import('./run.mjs').Cell) => string} */ show) =>
    [upstream, ferronext, bare].map(cell => (cell ? show(cell) : '-')).join(' / ')
  const columns = [
    scenario.title,
    rate(upstream?.rate),
    rate(ferronext?.rate),
    rate(bare?.rate),
    ratio(ferronext?.rate, upstream?.rate, 1),
    ratio(ferronext?.rate, bare?.rate, 2),
    each(cell => time(cell.p50)),
    each(cell => time(cell.p99)),
    each(cell => String(cell.errors)),
    each(cell => cell.rss?.toFixed(0) ?? '-'),
    `${size(found[0].bytes)}${found[0].encoding && ` ${found[0].encoding}`}`,
  ]
  return `| ${columns.join(' | ')} |`
}
