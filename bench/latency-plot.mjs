// In: the results. Out: an SVG of the latency at a fixed rate: for each scenario and engine a line from p50 to p99, in milliseconds, on a log axis.
// `node bench/latency-plot.mjs results.json out.svg` draws again without measuring.

import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { drawing, escapeXml, footer, machineOf } from './plot-style.mjs'

const WIDTH = 900
const ROW = 46
const TOP = 92
const AXIS = { from: 250, to: 720 }
/** As they stand in the legend. */
const ENGINES = /** @type {const} */ ([
  ['upstream', 'Next.js'],
  ['ferronext', 'ferronext'],
])

/**
 * @param {import('./run.mjs').Results} results
 * @returns {string}
 */
export function plotLatency({ latencies, scenarios, machine, options }) {
  const share = latencies[0].share
  const own = latencies.filter(latency => latency.share === share)
  const rows = scenarios.filter(scenario => own.some(latency => latency.scenario === scenario.name))
  const low = 10 ** Math.floor(Math.log10(Math.min(...own.map(({ p50 }) => p50))))
  const high = 10 ** Math.ceil(Math.log10(Math.max(...own.map(({ p99 }) => p99))))
  const x = (/** @type {number} */ value) =>
    AXIS.from + (Math.log(value / low) / Math.log(high / low)) * (AXIS.to - AXIS.from)
  const bottom = TOP + rows.length * ROW
  const parts = [
    `<text class="title" x="20" y="26">p50 to p99 in ms, at ${share === 0.5 ? 'half' : share} of the rate that upstream can answer at most</text>`,
  ]
  for (const [at, [engine, name]] of ENGINES.entries()) {
    const left = AXIS.from + at * 110
    parts.push(
      `<path class="line ${engine}" d="M${left} 46h18"/><text class="small" x="${left + 24}" y="50">${name}</text>`,
    )
  }
  for (let tick = low; tick <= high; tick *= 10) {
    const at = x(tick).toFixed(1)
    parts.push(
      `<line class="grid" x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${bottom + 4}"/><text class="small" x="${at}" y="${TOP - 14}" text-anchor="middle">${Number(tick.toPrecision(1))}</text>`,
    )
  }
  for (const [index, { name, title }] of rows.entries()) {
    const y = TOP + index * ROW
    const rate = own.find(latency => latency.scenario === name)?.target ?? 0
    parts.push(
      `<text x="${AXIS.from - 14}" y="${y + 18}" text-anchor="end">${escapeXml(title)}</text>`,
      `<text class="small" x="${AXIS.from - 14}" y="${y + 32}" text-anchor="end">${Math.round(rate).toLocaleString('en-US')} requests/s</text>`,
    )
    for (const [at, [engine]] of ENGINES.entries()) {
      const found = own.find(latency => latency.scenario === name && latency.engine === engine)
      if (!found) continue
      const [from, to, line] = [x(found.p50), x(found.p99), y + 14 + at * 16]
      parts.push(
        `<path class="line ${engine}" d="M${from.toFixed(1)} ${line}H${to.toFixed(1)}m0 -5v10"/>`,
        `<text class="small" x="${(to + 8).toFixed(1)}" y="${line + 4}">${milliseconds(found.p50)} to ${milliseconds(found.p99)} ms</text>`,
      )
    }
  }
  const facts = [...machineOf(machine), `${options.connections} connections`]
  parts.push(footer(WIDTH - 20, bottom + 44, facts))
  const label = 'latency of ferronext and upstream at the same rate'
  return drawing({ width: WIDTH, height: bottom + 58, label, parts })
}

/** @param {number} value */
const milliseconds = value => value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0)

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [from = 'bench/results/latest.json', to = 'docs/images/latency.svg'] = process.argv.slice(2)
  writeFileSync(to, plotLatency(JSON.parse(readFileSync(from, 'utf8'))))
}
