// One fixture on one Next.js line, served twice: by upstream, and by ferronext or, to test the harness, by upstream again.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { buildFixture, copyApp, distDirOf, removeApp } from '../support/build.mjs'
import { methodOf, openConnection, requestBytes, sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { needsTarget, pointAtTarget, startTarget } from '../support/target.mjs'
import { NEWEST, testRoot } from '../support/workspace.mjs'
import { etagPaths, fill, placeholders } from './case.mjs'
import { compare } from './compare.mjs'
import { DIFFERENCES } from './differences.mjs'
import { sharpOf, withPicturesDescribed } from './pictures.mjs'

/** @typedef {import('./case.mjs').Case} Case */
/** @typedef {import('./case.mjs').Step} Step */
/** @typedef {import('./compare.mjs').Difference} Difference */
/** @typedef {import('./compare.mjs').Answer} Answer */
/** @typedef {{ name: string, statuses: (number | string)[], differences: (Difference & { step: string })[], declared: string[] }} Result */

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const serverFiles = fileURLToPath(new URL('../servers/', import.meta.url))

/**
 * @param {object} options
 * @param {import('../support/workspace.mjs').Line} options.line
 * @param {string} options.fixture
 * @param {string} [options.serverFile] in `__test__/servers`; without it the documented server runs
 * @param {NodeJS.ProcessEnv} [options.env] of both servers
 * @param {(dir: string) => void} [options.prepare] changes the build that both serve
 * @param {(dir: string) => void} [options.alter] changes the build that ferronext serves
 * @param {boolean} [options.target] whether the other server is asked for, whatever the build says
 * @param {boolean} [options.self]
 */
export async function openSession({
  line,
  fixture,
  serverFile,
  env,
  prepare,
  alter,
  target: wanted = false,
  self = false,
}) {
  const { dir: built } = await buildFixture({ line, source: path.join(fixtures, fixture) })
  const distDir = await distDirOf(built)
  const values = placeholders(path.join(built, distDir))
  const copies = [await copyApp(built, 'left'), await copyApp(built, 'right')]
  // One for both servers: what it tells must not differ.
  const target = wanted || needsTarget(path.join(built, distDir)) ? await startTarget() : undefined
  if (target) {
    values.targetPort = String(target.port)
    for (const copy of copies) pointAtTarget(path.join(copy, distDir), target.port)
  }
  /** @type {import('../support/server.mjs').Server[]} */
  const servers = []
  const close = async () => {
    await Promise.all(servers.map(server => server.stop()))
    await target?.close()
    await Promise.all(copies.map(removeApp))
  }
  try {
    for (const [index, dir] of copies.entries()) {
      if (serverFile) copyFileSync(path.join(serverFiles, serverFile), path.join(dir, serverFile))
      prepare?.(dir)
      if (index === 1 && !self) alter?.(dir)
      const engine = index === 0 || self ? 'upstream' : 'ferronext'
      servers.push(await startServer({ dir, engine, serverFile, env }))
    }
  } catch (error) {
    await close()
    throw error
  }
  const [left, right] = servers
  if (!left || !right) throw new Error('unreachable')

  /**
   * Both servers are asked, so that both stay in the same state, and upstream's answer counts.
   *
   * @param {Case} test
   */
  const fetchEtags = async test => {
    /** @type {Map<string, string>[]} by path, for each server */
    const etags = [new Map(), new Map()]
    for (const target of test.steps.flatMap(step => etagPaths(fill(step, values)))) {
      const headers = test.steps[0]?.headers
      const accept = headers && !Array.isArray(headers) && headers.Accept ? { Accept: headers.Accept } : undefined
      const answers = await Promise.all(servers.map(({ port }) => sendRaw({ port, target, headers: accept })))
      const found = answers.map(answer => answer.headers.find(([name]) => name.toLowerCase() === 'etag')?.[1])
      // Older lines leave it out in places; on the newest one its absence is a mistake in the case.
      if (!found[0] && line === NEWEST) throw new Error(`upstream gives no ETag for ${target}`)
      for (const [index, etag] of found.entries()) etags[index]?.set(target, etag ?? '"none"')
    }
    return etags
  }

  /**
   * @param {Case} test
   * @returns {Promise<Result>}
   */
  const run = async test => {
    const etags = await fetchEtags(test)
    const [expected, actual] = await Promise.all(
      [left, right].map((server, index) =>
        play(server, test, { values, etags: etags[0], ownEtags: etags[index], thrice: line === NEWEST }),
      ),
    )
    if (!expected || !actual) throw new Error('unreachable')
    const ports = { expectedPort: left.port, actualPort: right.port }
    /** @type {Result} */
    const result = { name: test.name, statuses: expected.map(statusOf), differences: [], declared: [] }
    for (const [index, { label, answer, mask }] of expected.entries()) {
      const other = actual[index]?.answer ?? { error: 'no such answer' }
      // Both can wait in vain; then the case is wrong.
      if (answer.error?.startsWith(IN_VAIN)) {
        result.differences.push({ step: label, kind: 'case', expected: answer.error, actual: 'upstream too' })
      }
      const [theirs, ours] = await withPicturesDescribed(sharpOf(built), answer, other)
      for (const difference of compare(theirs, ours, { ...ports, mask })) {
        const context = { fixture, name: test.name, ...difference }
        const known = DIFFERENCES.find(entry => (entry.lines?.includes(line) ?? true) && entry.applies(context))
        if (known) result.declared.push(known.id)
        else result.differences.push({ step: label, ...difference })
      }
    }
    return result
  }
  return { run, close, outputs: () => ({ expected: left.output(), actual: right.output() }) }
}

/** What is said of a step that waited for something that did not happen. */
const IN_VAIN = 'no answer matched'

/** @param {{ answer: Answer }} played */
const statusOf = ({ answer }) => answer.response?.status ?? answer.error ?? ''

/**
 * Sends a case's requests to one server, each on a connection of its own unless it pipelines.
 *
 * @param {import('../support/server.mjs').Server} server
 * @param {Case} test
 * @param {object} options
 * @param {Record<string, string>} options.values
 * @param {Map<string, string>} [options.etags] upstream's
 * @param {Map<string, string>} [options.ownEtags] the server's
 * @param {boolean} options.thrice whether what only reads is asked three times: on older lines that would take minutes and tell nothing new
 */
async function play(server, test, { values, etags, ownEtags, thrice }) {
  const printedBefore = server.output().length
  /** @type {{ label: string, answer: Answer, mask?: RegExp[] }[]} */
  const answers = []
  /** @type {Map<string, string>} */
  const jar = new Map()
  for (const template of test.steps) {
    const step = withCookies(fill(template, values, etags, ownEtags), jar)
    const label = template.target ? `${methodOf(template)} ${template.target.slice(0, 100)}` : 'raw bytes'
    if (step.wait) await delay(step.wait)
    for (const answer of await sendUntil(server.port, step)) {
      remember(answer, jar)
      answers.push({ label, answer, mask: step.mask })
    }
  }
  if (thrice && isRead(test)) {
    const step = withCookies(fill(/** @type {Step} */ (test.steps[0]), values, etags, ownEtags), jar)
    await send(server.port, step)
    for (const answer of await send(server.port, step))
      answers.push({ label: 'for the third time', answer, mask: step.mask })
  }
  const logs = /** @type {const} */ ([
    [test.log, printedBefore],
    [test.logSinceStart, 0],
  ])
  for (const [pattern, from] of logs) {
    if (!pattern) continue
    const found = await server.printed(pattern, from)
    answers.push({ label: `log ${pattern}`, answer: { error: found ? 'printed' : 'not printed' } })
  }
  return answers
}

/**
 * Whether a case only reads. Then it is asked three times: the first answer may have to be made, and a server that has learnt how to
 * answer something begins with the third.
 *
 * @param {Case} test
 */
function isRead({ steps: [step, ...more], log, logSinceStart }) {
  if (!step || more.length > 0 || log || logSinceStart) return false
  const { bytes, body, abort, until, wait, timeout } = step
  return methodOf(step) === 'GET' && !bytes && !body && !abort && !until && !wait && !timeout
}

/**
 * Sends a step, again and again if it waits for something to happen.
 *
 * @param {number} port
 * @param {Step} step
 */
async function sendUntil(port, step) {
  const deadline = performance.now() + 10_000
  for (;;) {
    const answers = await send(port, step)
    if (!step.until || answers.some(({ response }) => response && step.until?.test(textOf(response)))) return answers
    if (performance.now() > deadline) return [{ error: `${IN_VAIN} ${step.until}` }]
    await delay(20)
  }
}

/** @param {import('./compare.mjs').RawResponse} response */
const textOf = ({ headers, decoded }) =>
  `${headers.map(([name, value]) => `${name}: ${value}`).join('\n')}\n\n${decoded.toString()}`

/**
 * @param {number} port
 * @param {Step} step
 * @returns {Promise<Answer[]>}
 */
async function send(port, step) {
  const connection = await openConnection({ port, timeout: step.timeout })
  const methods = step.pipelined ?? [methodOf(step)]
  /** @type {Answer[]} */
  const answers = []
  try {
    connection.write(requestBytes(step))
    if (step.abort) {
      await connection.readSome(500)
      return [{ error: 'aborted as planned' }]
    }
    for (const method of methods) answers.push({ response: await connection.read(method) })
  } catch (error) {
    answers.push({ error: error instanceof Error ? error.message : String(error) })
  } finally {
    connection.close()
  }
  return answers
}

/**
 * @param {Step} step
 * @param {Map<string, string>} jar
 * @returns {Step}
 */
function withCookies(step, jar) {
  if (!step.cookies) return step
  const pairs = Object.entries(step.cookies).map(([name, value]) => `${name}=${value === '*' ? jar.get(name) : value}`)
  const headers = Array.isArray(step.headers) ? step.headers : Object.entries(step.headers ?? {})
  return { ...step, headers: [...headers, ['Cookie', pairs.join('; ')]] }
}

/**
 * @param {Answer} answer
 * @param {Map<string, string>} jar
 */
function remember({ response }, jar) {
  for (const [name, value] of response?.headers ?? []) {
    if (name.toLowerCase() !== 'set-cookie') continue
    const [key = '', content = ''] = (value.split(';', 1)[0] ?? '').split('=', 2)
    jar.set(key, content)
  }
}

/**
 * The whole outcome of a line, for those who want more than the printed summary.
 *
 * @param {string} line
 * @param {{ fixture: string, results: Result[] }[]} outcomes
 */
export function writeReport(line, outcomes) {
  const file = path.join(testRoot(), `conformance-${line}.json`)
  mkdirSync(testRoot(), { recursive: true })
  writeFileSync(file, `${JSON.stringify(outcomes, null, 2)}\n`)
  return file
}

/** @param {Iterable<string>} seen ids of the declared differences that showed @param {string} line */
export function unusedDifferences(seen, line) {
  const used = new Set(seen)
  return DIFFERENCES.filter(({ id, lines }) => (lines?.includes(line) ?? true) && !used.has(id)).map(({ id }) => id)
}
