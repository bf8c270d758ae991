// `node bench/growth.mjs`: what a request costs when there is more of everything: prerendered pages, header lines, bytes of cookies,
// connections. Upstream, ferronext and the bare server in one run, sizes and servers in turns.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { copyApp, removeApp } from '../__test__/support/build.mjs'
import { captureSettled } from './capture.mjs'
import { prepareApps } from './fixture.mjs'
import { plotGrowth } from './growth-plot.mjs'
import { describeMachine } from './machine.mjs'
import { multiplyPages } from './pages.mjs'
import { readMemory, startServer } from './server-process.mjs'
import { explainMissingWrk, load } from './wrk.mjs'

/** @typedef {import('./server-process.mjs').Engine} Engine */
/**
 * @typedef {object} Point
 * @property {string} set
 * @property {number} size
 * @property {Engine} engine
 * @property {number} rate requests per second
 * @property {number} p99 ms
 * @property {number} errors
 * @property {number} [ready] ms from the start of the process until it listens
 * @property {number} [readAtStart] MB read from files by then
 * @property {number} [idle] MB resident before the load
 * @property {number} [rss] MB resident after it
 */
/** @typedef {{ date: string, machine: ReturnType<typeof describeMachine> & { next: string }, seconds: number, points: Point[] }} Growth */

const here = path.dirname(fileURLToPath(import.meta.url))

/** What grows. `pages` changes the build, the others the request or the number of clients. */
export const SETS = {
  pages: { title: 'Prerendered pages, asked at random', sizes: [100, 1000, 10_000, 100_000] },
  headers: { title: 'Header lines of the request', sizes: [10, 30, 60, 90] },
  cookie: { title: 'Bytes of cookies', sizes: [100, 1000, 4000, 12_000] },
  connections: { title: 'Connections', sizes: [32, 500, 2000, 5000] },
}

const { values } = parseArgs({
  options: {
    set: { type: 'string', multiple: true },
    duration: { type: 'string', default: '4' },
    engines: { type: 'string', default: 'upstream,ferronext,bare' },
    out: { type: 'string', default: path.join(here, 'results') },
    plot: { type: 'string', default: path.join(here, '../docs/images/growth.svg') },
  },
})
const seconds = Number(values.duration)
const engines = /** @type {Engine[]} */ (values.engines.split(','))
const sets = /** @type {(keyof typeof SETS)[]} */ (values.set ?? Object.keys(SETS))
const missing = explainMissingWrk()
if (missing) {
  console.error(missing)
  process.exit(1)
}

const scratch = mkdtempSync(path.join(tmpdir(), 'ferronext-growth-'))
const {
  dirs: { main: dirs },
  nextVersion,
  remove,
} = await prepareApps({ engines: engines.filter(engine => engine !== 'bare') })

/** @param {keyof typeof SETS} set @param {number} size */
function requestOf(set, size) {
  /** @type {Record<string, string>} */
  const headers = { 'accept-encoding': 'gzip, br' }
  if (set === 'headers') for (let at = 3; at < size; at++) headers[`x-header-${at}`] = `value number ${at}`
  if (set === 'cookie') headers.cookie = `session=${'c'.repeat(size - 8)}`
  return headers
}

/** A script for wrk that asks for a page by chance. @param {number} count */
function randomPages(count) {
  const file = path.join(scratch, 'pages.lua')
  writeFileSync(
    file,
    `math.randomseed(7)\nrequest = function() return wrk.format(nil, '/article/' .. math.random(0, ${count - 1})) end\n`,
  )
  return file
}

/** MB that a process has read so far, `undefined` where there is no /proc. @param {number} pid */
function readBytes(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/io`, 'utf8').match(/rchar: (\d+)/)?.[1]) / 1e6
  } catch {
    return undefined
  }
}

/** @param {keyof typeof SETS} set @param {number} size @param {Engine} engine @param {string} target @returns {Promise<Point>} */
async function measure(set, size, engine, target) {
  const server = await startServer(engine, target)
  const start =
    set === 'pages'
      ? { ready: server.start.ready, readAtStart: readBytes(server.pid), idle: readMemory(server.pid).rss }
      : {}
  const options = {
    url: `http://127.0.0.1:${server.port}/`,
    headers: requestOf(set, size),
    status: 200,
    connections: set === 'connections' ? size : undefined,
    script: set === 'pages' ? randomPages(size) : undefined,
  }
  await load({ ...options, seconds: set === 'pages' ? seconds : 1 })
  const { rate, p99, errors } = await load({ ...options, seconds })
  const { rss } = readMemory(server.pid)
  await server.stop()
  return { set, size, engine, rate, p99, errors, ...start, rss }
}

/** The bare server repeats what ferronext answers. @param {string} dir */
async function captureAnswer(dir) {
  const server = await startServer('ferronext', dir)
  const { body, ...head } = await captureSettled(server.port, '/', { 'accept-encoding': 'gzip, br' })
  await server.stop()
  const file = path.join(scratch, 'answer.json')
  writeFileSync(file, JSON.stringify({ ...head, body: body.toString('base64') }))
  return file
}

try {
  const answer = engines.includes('bare') ? await captureAnswer(dirs.ferronext) : ''
  /** @type {Point[]} */
  const points = []
  for (const set of sets) {
    for (const size of SETS[set].sizes) {
      for (const engine of engines) {
        if (set === 'pages' && engine === 'bare') continue
        let target = engine === 'bare' ? answer : dirs[engine]
        if (set === 'pages') {
          target = await copyApp(dirs[engine], `pages-${size}`)
          multiplyPages(target, size)
        }
        const point = await measure(set, size, engine, target)
        if (set === 'pages') await removeApp(target)
        points.push(point)
        const more =
          set === 'pages'
            ? `, listens after ${point.ready?.toFixed(0)} ms, read ${point.readAtStart?.toFixed(0)} MB, idle ${point.idle} MB`
            : ''
        console.log(
          `${set.padEnd(12)} ${String(size).padStart(6)} ${engine.padEnd(10)} ${point.rate.toFixed(0).padStart(7)}/s  p99 ${point.p99.toFixed(1)} ms  errors ${point.errors}, ${point.rss} MB${more}`,
        )
      }
    }
  }
  /** @type {Growth} */
  const growth = {
    date: new Date().toISOString(),
    machine: { ...describeMachine(), next: nextVersion },
    seconds,
    points,
  }
  mkdirSync(values.out, { recursive: true })
  writeFileSync(path.join(values.out, 'growth.json'), `${JSON.stringify(growth, null, 2)}\n`)
  writeFileSync(path.join(values.out, 'growth.md'), makeTable(growth))
  if (!values.set) writeFileSync(values.plot, plotGrowth(growth, SETS))
} finally {
  remove()
  rmSync(scratch, { recursive: true, force: true })
}

/** @param {Growth} growth */
function makeTable({ date, machine, seconds, points }) {
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, Next.js ${machine.next}; ${date.slice(0, 10)}. ${seconds} s each; requests/s, p99 in ms, MB resident after the load.`,
    '',
  ]
  for (const set of [...new Set(points.map(point => point.set))]) {
    const own = points.filter(point => point.set === set)
    const isPages = set === 'pages'
    lines.push(
      `### ${SETS[/** @type {keyof typeof SETS} */ (set)].title}`,
      '',
      `| | | requests/s | p99 | errors | RSS |${isPages ? ' RSS before | listens after | read until then |' : ''}`,
      `| --: | :-- | --: | --: | --: | --: |${isPages ? ' --: | --: | --: |' : ''}`,
    )
    for (const { size, engine, rate, p99, errors, rss, idle, ready, readAtStart } of own) {
      const more = isPages ? ` ${idle} | ${ready?.toFixed(0)} ms | ${readAtStart?.toFixed(0)} MB |` : ''
      lines.push(
        `| ${size.toLocaleString('en-US')} | ${engine} | ${Math.round(rate).toLocaleString('en-US')} | ${p99.toFixed(1)} | ${errors} | ${rss} |${more}`,
      )
    }
    lines.push('')
  }
  return `${lines.join('\n').trim()}\n`
}
