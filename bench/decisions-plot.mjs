// In: the results of `decisions.mjs`. Out: an SVG: the dearest request of each set over the number of routes or rules, on
// two log axes, ferronext's line and upstream's.

import { drawing, escapeXml, footer, machineOf } from './plot-style.mjs'

const PANEL = { width: 210, height: 150, gap: 58, columns: 4 }
const LEFT = 60
const TOP = 70
/** @param {import('./decisions.mjs').Decisions} results */
export function plotDecisions({ cells, machine }) {
  const sets = [...new Set(cells.map(cell => cell.set))]
  const all = cells.flatMap(cell => [cell.ferronext, cell.upstream])
  const [low, high] = [10 ** Math.floor(Math.log10(Math.min(...all))), 10 ** Math.ceil(Math.log10(Math.max(...all)))]
  const width = LEFT + PANEL.columns * (PANEL.width + PANEL.gap)
  const height = TOP + Math.ceil(sets.length / PANEL.columns) * (PANEL.height + PANEL.gap) + 20
  const parts = [
    '<text class="title" x="20" y="26">Time of one routing decision, the slowest request of each app</text>',
    '<path class="line ferronext" d="M20 44h18"/><text class="small" x="44" y="48">ferronext, with the call from Node</text>',
    '<path class="line upstream" d="M230 44h18"/><text class="small" x="254" y="48">Next.js</text>',
  ]
  for (const [index, set] of sets.entries()) {
    const left = LEFT + (index % PANEL.columns) * (PANEL.width + PANEL.gap)
    const top = TOP + Math.floor(index / PANEL.columns) * (PANEL.height + PANEL.gap) + 10
    const own = cells.filter(cell => cell.set === set)
    const sizes = [...new Set(own.map(cell => cell.size))]
    const x = (/** @type {number} */ size) =>
      left + (Math.log(size / sizes[0]) / Math.log(sizes[sizes.length - 1] / sizes[0])) * PANEL.width
    const y = (/** @type {number} */ time) =>
      top + PANEL.height - (Math.log(time / low) / Math.log(high / low)) * PANEL.height
    parts.push(`<text x="${left}" y="${top - 8}">${escapeXml(own[0].title.replaceAll('`', ''))}</text>`)
    for (let time = low; time <= high; time *= 10) {
      const at = y(time).toFixed(1)
      parts.push(`<line class="grid" x1="${left}" x2="${left + PANEL.width}" y1="${at}" y2="${at}"/>`)
      const label = time >= 1e6 ? `${time / 1e6} ms` : time >= 1e3 ? `${time / 1e3} µs` : `${time} ns`
      parts.push(`<text class="small" x="${left - 4}" y="${Number(at) + 3}" text-anchor="end">${label}</text>`)
    }
    for (const size of sizes) {
      const label = size.toLocaleString('en-US')
      parts.push(
        `<text class="small" x="${x(size).toFixed(1)}" y="${top + PANEL.height + 14}" text-anchor="middle">${label}</text>`,
      )
    }
    for (const side of /** @type {const} */ (['upstream', 'ferronext'])) {
      const points = sizes.map(size => {
        const slowest = Math.max(...own.filter(cell => cell.size === size).map(cell => cell[side]))
        return `${x(size).toFixed(1)} ${y(slowest).toFixed(1)}`
      })
      parts.push(`<path class="line ${side}" d="M${points.join('L')}"/>`)
    }
  }
  parts.push(footer(width - 20, height - 10, machineOf(machine)))
  return drawing({ width, height, label: 'time of one routing decision by the number of routes and rules', parts })
}
