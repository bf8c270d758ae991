// `node bench/decisions.mjs`: what one routing decision costs, by the number of routes and of rules.
//
// Both routers run in this process, on one thread, over the same build folders: upstream's `resolveRoutes`, and ferronext's
// `begin` through the addon, so that its column includes the way from Node to Rust and back. See README.md.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  makeRequest,
  nextVersion,
  openQuestion,
  openUpstream,
  upstreamDecision,
  writeBuild,
} from '../__test__/support/upstream-router.mjs'
import { SETS } from './decision-sets.mjs'
import { plotDecisions } from './decisions-plot.mjs'
import { describeMachine } from './machine.mjs'
import { median } from './turns.mjs'

const require = createRequire(import.meta.url)
const here = path.dirname(fileURLToPath(import.meta.url))
const HEADERS = [
  'Host',
  'example.com',
  'User-Agent',
  'Mozilla/5.0 (X11; Linux x86_64)',
  'Accept',
  'text/html',
  'Cookie',
  'a=1; b=2',
]

/** @typedef {{ set: string, title: string, linear: boolean, size: number, request: string, upstream: number, ferronext: number }} Cell */
/** @typedef {{ date: string, machine: ReturnType<typeof describeMachine> & { next: string }, rounds: number, boundary: number, cells: Cell[] }} Decisions */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    milliseconds: { type: 'string', default: '20' },
    set: { type: 'string', multiple: true },
    out: { type: 'string', default: path.join(here, 'results') },
    plot: { type: 'string', default: path.join(here, '../docs/images/decisions.svg') },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(`node bench/decisions.mjs [--rounds 7] [--milliseconds 20] [--set name]... [--out dir] [--plot file.svg]
sets: ${SETS.map(set => set.name).join(', ')}`)
  process.exit(0)
}
const rounds = Number(values.rounds)
const nanoseconds = Number(values.milliseconds) * 1e6

/** The processor time of this process, which others on the machine do not add to. */
function processorTime() {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

/** Nanoseconds per call, over as many calls as fit. @param {() => void} call */
function timeCalls(call) {
  let calls = 8
  for (;;) {
    const start = processorTime()
    for (let i = 0; i < calls; i++) call()
    const spent = processorTime() - start
    if (spent >= nanoseconds) return spent / calls
    calls = Math.min(calls * 8, Math.max(calls + 1, Math.ceil((calls * nanoseconds * 1.2) / spent)))
  }
}

/** The same for calls that have to be awaited, one after another. @param {() => Promise<unknown>} call */
async function timeAwaited(call) {
  let calls = 4
  for (;;) {
    const start = processorTime()
    for (let i = 0; i < calls; i++) await call()
    const spent = processorTime() - start
    if (spent >= nanoseconds) return spent / calls
    calls = Math.min(calls * 8, Math.max(calls + 1, Math.ceil((calls * nanoseconds * 1.2) / spent)))
  }
}

const native = require('../runtime/process/addon.js').loadAddon(path.join(here, '..'))
const scratch = mkdtempSync(path.join(tmpdir(), 'ferronext-decisions-'))

/** @param {import('../__test__/support/upstream-router.mjs').Synthetic} app @param {string} name */
async function open(app, name) {
  const dir = path.join(scratch, name)
  await writeBuild(dir, app)
  const { distDir, version, config } = openQuestion(dir, app.config)
  const options = { dir, distDir, nextVersion: version, config: JSON.stringify(config) }
  const engine = await native.openEngine(options)
  return { engine, resolve: await openUpstream(dir, app.config) }
}

/** See runtime/steps/handler.js. */
const ONCE = -(2 ** 31)

/** @param {any} engine @param {string} target */
function ferronextCall(engine, target) {
  const head = ['GET', target, ...HEADERS].join('\0')
  const { key } = engine
  return () => {
    const id = native.begin(key, head, false)
    if (id === ONCE) native.takeAnswer(key)
    else if (id < 0) engine.free(-id - 1)
  }
}

/** @param {(req: any, res: any) => Promise<any>} resolve @param {string} target */
function upstreamCall(resolve, target) {
  const res = { setHeader() {} }
  // One request object again and again, whose parsing is not counted; ferronext parses its head each time.
  const req = makeRequest(target, HEADERS)
  return () => resolve(req, res)
}

/** What ferronext decided, in short. @param {any} engine @param {string} target */
function ferronextDecides(engine, target) {
  const id = native.begin(engine.key, ['GET', target, ...HEADERS].join('\0'), false)
  const once = id === ONCE ? native.takeAnswer(engine.key) : undefined
  if (typeof once === 'string') {
    const [status, ...headers] = once.split('\0')
    return status === '308' ? `308 ${headers[headers.indexOf('location') + 1]}` : status
  }
  const answer = id < 0 ? engine.step(-id - 1) : engine.answer(id)
  if (id < 0) engine.free(-id - 1)
  const { status, headers, pathname } = answer.render ?? answer
  if (answer.render && (status ?? 200) < 400) return pathname
  return status === 308 ? `308 ${headers[headers.indexOf('location') + 1]}` : `${status}`
}

/** The same of upstream. @param {(req: any, res: any) => Promise<any>} resolve @param {string} target */
async function upstreamDecides(resolve, target) {
  const decision = await upstreamDecision(resolve, { target, headers: HEADERS })
  if (decision.kind === 'redirect') return `${decision.status} ${decision.location}`
  return decision.kind === 'output' ? decision.itemPath : '404'
}

try {
  /** @type {Cell[]} */
  const cells = []
  const chosen = SETS.filter(({ name }) => !values.set || values.set.includes(name))
  for (const { name, title, linear, sizes, make } of chosen) {
    const apps = []
    for (const size of sizes) {
      const { app, requests } = make(size)
      apps.push({ size, requests, ...(await open(app, `${name}-${size}`)) })
    }
    // All sizes take turns within a round, and both routers within a size, so that drift of the machine hits all of them.
    /** @type {Map<string, { upstream: number[], ferronext: number[] }>} */
    const times = new Map()
    for (let round = 0; round < rounds; round++) {
      for (const { size, requests, engine, resolve } of apps) {
        for (const [request, target] of Object.entries(requests)) {
          const key = `${size} ${request}`
          const list = times.get(key) ?? { upstream: [], ferronext: [] }
          times.set(key, list)
          const asked = upstreamCall(resolve, target)
          if (round === 0) {
            // A wrong answer is always fast.
            const [own, wanted] = [ferronextDecides(engine, target), await upstreamDecides(resolve, target)]
            if (own !== wanted) throw new Error(`${name}, ${size}, ${target}: ${own}, but upstream decides ${wanted}`)
          }
          list.ferronext.push(timeCalls(ferronextCall(engine, target)))
          list.upstream.push(await timeAwaited(asked))
        }
      }
    }
    for (const { size, requests } of apps) {
      for (const request of Object.keys(requests)) {
        const list = times.get(`${size} ${request}`)
        if (!list) continue
        const cell = {
          set: name,
          title,
          linear,
          size,
          request,
          upstream: median(list.upstream),
          ferronext: median(list.ferronext),
        }
        cells.push(cell)
        const us = (/** @type {number} */ value) => `${(value / 1000).toFixed(2)} µs`.padStart(12)
        console.log(
          `${name.padEnd(22)} ${String(size).padStart(6)} ${request.padEnd(14)}${us(cell.ferronext)}${us(cell.upstream)}`,
        )
      }
    }
  }
  // A target with two slashes is answered before any rule or route is looked at: what is left is the way there and back.
  const { engine } = await open({}, 'empty')
  const boundary = median(Array.from({ length: rounds }, () => timeCalls(ferronextCall(engine, '//a'))))
  console.log(`without any rule or route: ${(boundary / 1000).toFixed(2)} µs`)
  /** @type {Decisions} */
  const results = {
    date: new Date().toISOString(),
    machine: { ...describeMachine(), next: nextVersion },
    rounds,
    boundary,
    cells,
  }
  const table = makeTable(results)
  console.log(`\n${table}`)
  mkdirSync(values.out, { recursive: true })
  writeFileSync(path.join(values.out, 'decisions.json'), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(path.join(values.out, 'decisions.md'), table)
  writeFileSync(values.plot, plotDecisions(results))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** @param {Decisions} results */
function makeTable({ machine, rounds: times, boundary, cells, date }) {
  const us = (/** @type {number} */ value) => (value / 1000).toFixed(value < 100_000 ? 1 : 0)
  const lines = [
    `${machine.cpu}, Node ${machine.node}, Next.js ${machine.next}; ${date.slice(0, 10)}. Microseconds of processor time per decision, median of ${times} rounds; ferronext | upstream.`,
    `Of each figure of ferronext, ${us(boundary)} µs is the call from Node, taking the request apart, and the answer: what a target costs that is decided before any rule.`,
    '',
  ]
  for (const set of [...new Set(cells.map(cell => cell.set))]) {
    const own = cells.filter(cell => cell.set === set)
    const sizes = [...new Set(own.map(cell => cell.size))]
    const requests = [...new Set(own.map(cell => cell.request))]
    const find = (/** @type {number} */ size, /** @type {string} */ request) =>
      own.find(cell => cell.size === size && cell.request === request)
    lines.push(
      `| ${own[0].title.replaceAll('|', '\\|')} | ${sizes.map(size => size.toLocaleString('en-US')).join(' | ')} | ${sizes[0]} → ${sizes.at(-1)} |`,
    )
    lines.push(`| :-- |${' --: |'.repeat(sizes.length + 1)}`)
    for (const request of requests) {
      const found = sizes.map(size => find(size, request))
      const shown = found.map(cell => (cell ? `${us(cell.ferronext)} \\| ${us(cell.upstream)}` : '-'))
      const [first, last] = [found[0], found.at(-1)]
      const growth = (/** @type {'ferronext' | 'upstream'} */ side) =>
        first && last ? `${(last[side] / first[side]).toFixed(last[side] > 10 * first[side] ? 0 : 1)}×` : '-'
      lines.push(`| ${request} | ${shown.join(' | ')} | ${growth('ferronext')} \\| ${growth('upstream')} |`)
    }
    lines.push('')
  }
  return `${lines.join('\n').trim()}\n`
}
