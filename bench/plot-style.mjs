// What the plots of lines share: their look, and how a text goes into an SVG.

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
