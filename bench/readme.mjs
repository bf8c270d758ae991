// Puts the newest results into the project's README, five rows of them: `node bench/readme.mjs`. Run by hand after a full benchmark on a
// quiet machine, so that no trial run ends up there. All rows are in results/latest.md.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ratio } from './report.mjs'

/** What an answer comes from, from memory to React, as a browser asks for it. The row in which nothing is gained is one of them. */
const ROWS = {
  prerendered: 'a prerendered page',
  chunk: 'a hashed JS chunk, 350 kB',
  'api-route': 'an API route of the Pages Router',
  'route-handler': 'a route handler of the App Router',
  'app-dynamic': 'a dynamic page of the App Router, 50 items',
}

/** Its `Accept-Encoding` is `gzip, br`. */
const CLIENT = 'gzip'

const START = '<!-- bench:start -->'
const END = '<!-- bench:end -->'

const readme = fileURLToPath(new URL('../README.md', import.meta.url))
/** @type {import('./run.mjs').Results} */
const { cells, date, machine, options } = JSON.parse(
  readFileSync(new URL('./results/latest.json', import.meta.url), 'utf8'),
)

/** @param {string} scenario @param {string} engine */
function rateOf(scenario, engine) {
  const cell = cells.find(cell => cell.scenario === scenario && cell.client === CLIENT && cell.engine === engine)
  if (!cell) throw new Error(`No rate of ${scenario} for ${engine} in the results.`)
  return cell.rate
}

const rows = Object.entries(ROWS).map(([scenario, title]) => {
  const [upstream, ferronext] = [rateOf(scenario, 'upstream'), rateOf(scenario, 'ferronext')]
  const rates = [upstream, ferronext].map(rate => Math.round(rate).toLocaleString('en-US'))
  return `| ${[title, ...rates, `${ratio(ferronext, upstream, 1)} ×`].join(' | ')} |`
})

const count = options.rounds === 1 ? 'one round' : `the middle of ${options.rounds} rounds`
const rounds = `${count} of ${options.seconds} s`

const table = `| requests/s | Next.js | ferronext | factor |
| --- | --: | --: | --: |
${rows.join('\n')}

Custom server, Node ${machine.node.replace(/^v/, '')}, Next.js ${machine.next}, ${machine.cpu} with ${machine.cores} shared cores; wrk with ${options.connections} connections, ${rounds}, \`Accept-Encoding: gzip, br\`; ${date.slice(0, 10)}.`

const text = readFileSync(readme, 'utf8')
const [from, to] = [text.indexOf(START), text.indexOf(END)]
if (from < 0 || to < from) throw new Error(`README.md has no ${START} … ${END}`)
writeFileSync(readme, `${text.slice(0, from)}${START}\n${table}\n${text.slice(to)}`)
