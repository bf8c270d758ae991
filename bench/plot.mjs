// In: the results. Out: an SVG: how many times upstream's rate, on a log axis, and which part of the limit's.
// `node bench/plot.mjs results.json out.svg` draws again without measuring.

import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { drawing, escapeXml, footer, machineOf } from './plot-style.mjs'
import { CLIENTS } from './scenarios.mjs'

const WIDTH = 1070
const ROW = 42
const TOP = 92
/** Left and right end of the two panels; the longest title fits before them. */
const RATIO = { from: 420, to: 790 }
const SHARE = { from: 860, to: 1030 }

// A background of its own: an <img> follows the reader's system, which need not agree with the page around it.
const STYLE = `
  .back { fill: #fff }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .small, .tick { font-size: 11px; fill: #6e7781 }
  .grid { stroke: #8c959f; stroke-opacity: .3 }
  .one { stroke: #8c959f; stroke-width: 1.5 }
  .gzip { fill: #e8590c }
  .identity { fill: #f4a26b }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 }
    text { fill: #e6edf3 }
    .small, .tick { fill: #9198a1 }
    .identity { fill: #a34a1c }
  }
`

/**
 * @param {import('./run.mjs').Results} results
 * @returns {string}
 */
export function plot(results) {
  const rate = (/** @type {string} */ scenario, /** @type {string} */ client, /** @type {string} */ engine) =>
    results.cells.find(cell => cell.scenario === scenario && cell.client === client && cell.engine === engine)?.rate
  const rows = results.scenarios.map(({ name, title, limit = 'bare' }) => ({
    title,
    bars: CLIENTS.map(client => {
      const own = rate(name, client.name, 'ferronext')
      const divide = (/** @type {string} */ engine) => {
        const other = rate(name, client.name, engine)
        return own && other ? own / other : undefined
      }
      return { client: client.name, times: divide('upstream'), share: divide(limit) }
    }),
  }))

  const times = rows.flatMap(row => row.bars.map(bar => bar.times ?? 1))
  const low = Math.min(1, ...times) < 1 ? 0.5 : 1
  const high = [2, 5, 10, 20, 50, 100, 200, 500].find(end => end >= Math.max(...times)) ?? 1000
  const x = (/** @type {number} */ value) =>
    RATIO.from + (Math.log(value / low) / Math.log(high / low)) * (RATIO.to - RATIO.from)
  const shareEnd = Math.max(1, ...rows.flatMap(row => row.bars.map(bar => bar.share ?? 0)))
  const shareX = (/** @type {number} */ value) => SHARE.from + (value / shareEnd) * (SHARE.to - SHARE.from)

  const bottom = TOP + rows.length * ROW
  const parts = [
    `<text class="title" x="${RATIO.from}" y="24">Requests/s, times upstream</text>`,
    `<text class="title" x="${SHARE.from}" y="24">Share of the limit</text>`,
    ...drawLegend(),
  ]
  for (const tick of [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].filter(value => value >= low && value <= high)) {
    parts.push(drawTick(x(tick), bottom, `${tick}×`, tick === 1))
  }
  for (const tick of [0, 0.5, 1]) parts.push(drawTick(shareX(tick), bottom, `${tick * 100} %`, tick === 1))
  for (const [index, row] of rows.entries()) {
    const y = TOP + index * ROW
    parts.push(`<text x="${RATIO.from - 14}" y="${y + 24}" text-anchor="end">${escapeXml(row.title)}</text>`)
    for (const [at, { client, times, share }] of row.bars.entries()) {
      const top = y + 5 + at * 16
      if (times) parts.push(drawBar(client, x(1), x(times), top, `${times.toFixed(times < 10 ? 1 : 0)}×`))
      if (share) parts.push(drawBar(client, SHARE.from, shareX(share), top, percent(share)))
    }
  }
  const { machine, options } = results
  const facts = [...machineOf(machine), `${options.connections} connections`]
  parts.push(footer(WIDTH - 20, bottom + 44, facts))
  const label = 'ferronext against upstream and against what Node can do at best'
  return drawing({ width: WIDTH, height: bottom + 58, label, style: STYLE, parts })
}

/** @param {number} share */
const percent = share => (share * 100).toFixed(share < 0.1 ? 1 : 0)

function drawLegend() {
  return CLIENTS.map(({ name, title }, index) => {
    const x = RATIO.from + index * 190
    return `<rect class="${name}" x="${x}" y="40" width="12" height="12" rx="2"/><text class="small" x="${x + 18}" y="50">${title}</text>`
  })
}

/** @param {number} x @param {number} bottom @param {string} label @param {boolean} isOne */
function drawTick(x, bottom, label, isOne) {
  const at = x.toFixed(1)
  return `<line class="${isOne ? 'one' : 'grid'}" x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${bottom + 4}"/><text class="tick" x="${at}" y="${TOP - 14}" text-anchor="middle">${label}</text>`
}

/** @param {string} client @param {number} from @param {number} to @param {number} y @param {string} label */
function drawBar(client, from, to, y, label) {
  const [left, right] = from < to ? [from, to] : [to, from]
  const width = Math.max(1, right - left).toFixed(1)
  return `<rect class="${client}" x="${left.toFixed(1)}" y="${y}" width="${width}" height="14" rx="2"/><text class="small" x="${(right + 5).toFixed(1)}" y="${y + 11}">${label}</text>`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [from = 'bench/results/latest.json', to = 'docs/images/bench.svg'] = process.argv.slice(2)
  writeFileSync(to, plot(JSON.parse(readFileSync(from, 'utf8'))))
}
