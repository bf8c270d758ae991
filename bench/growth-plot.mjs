// In: the results of `growth.mjs`. Out: an SVG: requests per second over what grows, on two log axes, one line for each server.

import { drawing, escapeXml, footer, machineOf } from './plot-style.mjs'

const PANEL = { width: 230, height: 170, gap: 62 }
const LEFT = 62
const TOP = 78
/** As they stand in the legend. */
const ENGINES = /** @type {const} */ ([
  ['ferronext', 'ferronext'],
  ['upstream', 'Next.js'],
  ['bare', 'bare http, one answer in memory'],
])

/**
 * @param {import('./growth.mjs').Growth} growth
 * @param {Record<string, { title: string, sizes: number[] }>} sets
 */
export function plotGrowth({ points, machine }, sets) {
  const rates = points.map(({ rate }) => rate).filter(rate => rate > 0)
  const [low, high] = [
    10 ** Math.floor(Math.log10(Math.min(...rates))),
    10 ** Math.ceil(Math.log10(Math.max(...rates))),
  ]
  const shown = Object.entries(sets).filter(([set]) => points.some(point => point.set === set))
  const width = LEFT + shown.length * (PANEL.width + PANEL.gap)
  const height = TOP + PANEL.height + 60
  const parts = ['<text class="title" x="20" y="26">Requests/s when there is more of everything</text>']
  for (const [at, [engine, name]] of ENGINES.entries()) {
    const x = 20 + at * 110
    parts.push(`<path class="line ${engine}" d="M${x} 46h18"/><text class="small" x="${x + 24}" y="50">${name}</text>`)
  }
  for (const [index, [set, { title }]] of shown.entries()) {
    const left = LEFT + index * (PANEL.width + PANEL.gap)
    const own = points.filter(point => point.set === set)
    const sizes = [...new Set(own.map(point => point.size))]
    const [first, last] = [sizes[0] ?? 1, sizes.at(-1) ?? 1]
    const x = (/** @type {number} */ size) => left + (Math.log(size / first) / Math.log(last / first)) * PANEL.width
    const y = (/** @type {number} */ rate) =>
      TOP + PANEL.height - (Math.log(Math.max(rate, low) / low) / Math.log(high / low)) * PANEL.height
    parts.push(`<text x="${left}" y="${TOP - 8}">${escapeXml(title)}</text>`)
    for (let rate = low; rate <= high; rate *= 10) {
      const at = y(rate).toFixed(1)
      parts.push(
        `<line class="grid" x1="${left}" x2="${left + PANEL.width}" y1="${at}" y2="${at}"/><text class="small" x="${left - 4}" y="${Number(at) + 3}" text-anchor="end">${rate.toLocaleString('en-US')}</text>`,
      )
    }
    for (const size of sizes) {
      parts.push(
        `<text class="small" x="${x(size).toFixed(1)}" y="${TOP + PANEL.height + 14}" text-anchor="middle">${size.toLocaleString('en-US')}</text>`,
      )
    }
    for (const [engine] of ENGINES) {
      const line = own.filter(point => point.engine === engine)
      if (line.length === 0) continue
      const at = line.map(({ size, rate }) => `${x(size).toFixed(1)} ${y(rate).toFixed(1)}`)
      parts.push(`<path class="line ${engine}" d="M${at.join('L')}"/>`)
    }
  }
  parts.push(footer(width - 20, height - 12, machineOf(machine)))
  const label = 'requests per second by the number of pages, headers, cookies and connections'
  return drawing({ width, height, label, parts })
}
