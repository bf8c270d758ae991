// A load of a constant rate, in a process of its own. In: the question and the rate, as JSON in the first argument. Out: one line of JSON.
//
// Requests are due at fixed moments, whatever became of those before. Latency counts from the moment a request was due to the last byte
// of its answer: a request that had to wait, because the server kept all connections busy, has waited. (Counted from when it was sent,
// a server that stops for a second would look slow to 32 requests, instead of to all that were due in this second.)

import { Agent, get } from 'node:http'
import { createHistogram } from 'node:perf_hooks'

const { port, path, headers, status, rate, seconds, warmUp, connections } = JSON.parse(process.argv[2])

/** An answer that has not come by then, after the last request, does not come. */
const PATIENCE = 5000

const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' })
const total = Math.round((warmUp + seconds) * rate)
/** The first ones warm the server and do not count. */
const firstCounted = Math.round(warmUp * rate)
const latency = createHistogram()
/** How late the client itself was. */
const late = createHistogram()
const began = performance.now() + 100
const dueOf = (/** @type {number} */ index) => began + (index * 1000) / rate
const end = dueOf(total)

const pending = new Set()
let sent = 0
let inTime = 0
let errors = 0

/** @param {number} index */
function ask(index) {
  pending.add(index)
  if (index >= firstCounted) late.record(nanoseconds(performance.now() - dueOf(index)))
  get({ host: '127.0.0.1', port, path, headers, agent }, response => {
    response.once('end', () => settle(index, response.statusCode === status)).once('error', () => settle(index, false))
    response.resume()
  }).once('error', () => settle(index, false))
}

/** @param {number} index @param {boolean} isRight */
function settle(index, isRight) {
  if (!pending.delete(index)) return
  const now = performance.now()
  if (index >= firstCounted) {
    latency.record(nanoseconds(now - dueOf(index)))
    if (!isRight) errors++
    if (now <= end) inTime++
  }
  if (sent === total && pending.size === 0) report()
}

/** Sends what is due. The timers of Node are off by up to a millisecond, so the last two before the next request are spent polling. */
function pump() {
  while (sent < total && dueOf(sent) <= performance.now()) ask(sent++)
  if (sent === total) return void setTimeout(giveUp, PATIENCE).unref()
  const wait = dueOf(sent) - performance.now()
  if (wait > 2) setTimeout(pump, wait - 2)
  else setImmediate(pump)
}

function giveUp() {
  for (const index of pending) settle(index, false)
}

function report() {
  const of = (/** @type {number} */ share) => latency.percentile(share) / 1e6
  const result = { rate: inTime / seconds, p50: of(50), p99: of(99), p999: of(99.9), requests: latency.count, errors }
  console.log(JSON.stringify({ ...result, late: late.percentile(99) / 1e6 }))
  process.exit(0)
}

/** Histograms begin at one. @param {number} milliseconds */
const nanoseconds = milliseconds => Math.max(1, Math.round(milliseconds * 1e6))

pump()
