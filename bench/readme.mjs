// Puts the newest results into the project's README: `node bench/readme.mjs`. Run by hand after a full benchmark on a quiet
// machine, so that no trial run ends up there.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const readme = fileURLToPath(new URL('../README.md', import.meta.url))
const results = readFileSync(new URL('./results/latest.md', import.meta.url), 'utf8')
/** As a browser asks; the rest stands in the results. */
const table = results
  .split(/\n(?=### )/)
  .filter(part => !part.startsWith('### no Accept-Encoding'))
  .join('\n')

const REST = '[Without `Accept-Encoding`, large files and cold pictures](bench/results/latest.md)'
const START = '<!-- bench:start -->'
const END = '<!-- bench:end -->'

const text = readFileSync(readme, 'utf8')
const [from, to] = [text.indexOf(START), text.indexOf(END)]
if (from < 0 || to < from) throw new Error(`README.md has no ${START} … ${END}`)
const pictures = ['![ferronext against upstream, and against what Node can do at best](docs/bench.svg)']
if (existsSync(new URL('../docs/latency.svg', import.meta.url))) {
  pictures.push('![latency of ferronext and upstream at the same rate](docs/latency.svg)')
}
const block = `${START}\n${pictures.join('\n\n')}\n\n${table.trim()}\n\n${REST}\n${END}`
writeFileSync(readme, text.slice(0, from) + block + text.slice(to + END.length))
