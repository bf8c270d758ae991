// What the plots share: the look of lines, how a text goes into an SVG, the frame, and the line that names the machine.

export const LINES = `
  .back { fill: #fff }
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .small { font-size: 10px; fill: #6e7781 }
  .grid { stroke: #8c959f; stroke-opacity: .3 }
  .line { fill: none; stroke-width: 2 }
  .ferronext { stroke: #e8590c } .upstream { stroke: #6e7781 } .bare { stroke: #4c9be8; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 }
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
  }
`

/** @param {string} text */
export const escapeXml = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/**
 * @param {object} options
 * @param {number} options.width
 * @param {number} options.height
 * @param {string} options.label what is shown, for who cannot see it
 * @param {string} [options.style]
 * @param {string[]} options.parts
 */
export const drawing = ({ width, height, label, style = LINES, parts }) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">
<style>${style}</style>
<rect class="back" width="100%" height="100%" rx="8"/>
${parts.join('\n')}
</svg>
`

/** At the lower right. @param {number} x @param {number} y @param {string[]} facts */
export const footer = (x, y, facts) =>
  `<text class="small" x="${x}" y="${y}" text-anchor="end">${escapeXml(facts.join(', '))}</text>`

/** @param {ReturnType<typeof import('./machine.mjs').describeMachine> & { next: string }} machine */
export const machineOf = ({ cpu, cores, node, next }) => [cpu, `${cores} cores`, `Node ${node}`, `Next.js ${next}`]
