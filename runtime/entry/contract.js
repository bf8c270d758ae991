// In: a server that is about to be ready, on an untested version of `next`. Out: nothing, if the entries that Next.js compiles into every build can
// be called; one line, if they can be called only by their handlers; an error, if they cannot be called at all. A version may require new
// request meta (16.2 did: every page of the App Router failed).
//
// The check requests an error page of each router, the entry with the least of the app's code. Errors of that code do not count, and the request
// has no other effect: no socket, nothing stored, nothing reported.

const { AsyncLocalStorage } = require('node:async_hooks')
const path = require('node:path')
const { codedError } = require('../errors')
const { lastTested } = require('../next/known-versions')
const { within } = require('../process/in-flight')
const { internalExchange } = require('../http/internal-request')
const { render } = require('./render')
const { headFrom } = require('../http/request-head')

/**
 * @typedef {import('./render').Request} Request
 * @typedef {import('../app/state').ServerState} ServerState
 */

/** By router, the requested page, and another one for versions that do not have it. The first has none of the app's layouts. */
const ROUTERS = [['/_global-error', '/_not-found'], ['/_error']]

/** Time for all answers, in milliseconds. It includes the app's `instrumentation.ts`. */
const TIMEOUT = 5000

/** Whether the operator has switched the check off. */
const isSwitchedOff = () => process.env.FERRONEXT_CHECK_NEXT === '0'

/** One app after the other: apps that serve the same build share its entries. @type {Promise<unknown>} */
let before = Promise.resolve()

/** @param {ServerState} server */
async function checkContract(server) {
  if (isSwitchedOff()) return
  const checked = before.then(() => check(server))
  before = checked.catch(() => {})
  await checked
}

/** @param {ServerState} server */
async function check(server) {
  const { fastPaths, next } = server
  const deadline = performance.now() + TIMEOUT
  let fault = await firstFault(server, deadline)
  if (fault === undefined) return
  const withFastPaths = fault
  if (fastPaths.off === undefined) {
    fastPaths.switchOff(server, 'version')
    fault = await firstFault(server, deadline)
  }
  if (fault !== undefined) throw incompatible(server, fault)
  // Even with `quiet`.
  console.warn(
    `⚠ FERRONEXT_FAST_PATHS_OFF: next ${next.version} is not yet tested, and the fast paths around its compiled entries do not fit them (${withFastPaths}). Every entry is called as it documents: slower, with the same answers. Last tested: ${lastTested(next.version)}.`,
  )
}

/**
 * @param {ServerState} server
 * @param {number} deadline
 */
async function firstFault(server, deadline) {
  for (const pages of ROUTERS) {
    // Fast paths learn from the first request, and answer the second.
    for (let turn = 0; turn < (server.fastPaths.off === undefined ? 2 : 1); turn++) {
      const fault = await ask(server, pages, deadline)
      if (fault !== undefined) return fault
    }
  }
  return undefined
}

/**
 * @param {ServerState} server
 * @param {string[]} pages
 * @param {number} deadline
 * @returns {Promise<string | undefined>} the error of the entry
 */
async function ask(server, pages, deadline) {
  for (const page of pages) {
    const url = server.config.basePath + page
    const step = server.engine.directEntry(headFrom({ method: 'GET', url, headers: {} }), page)
    if (step && !step.edge) return answer(server, step, url, deadline)
  }
  return undefined
}

/**
 * @param {ServerState} server
 * @param {import('./render').RenderStep} step
 * @param {string} url
 * @param {number} deadline
 */
async function answer(server, step, url, deadline) {
  /** @type {unknown[]} */
  const faults = []
  const onError = (/** @type {unknown} */ error) => void faults.push(error)
  /** @type {(() => void) | undefined} */
  let undo
  let isOver = false
  server.onError = onError
  const unmute = muteErrors(onError)
  const answered = checking.run(true, async () => {
    const { req, res } = internalExchange(server.next, url, {})
    const fastPaths = {
      answer(/** @type {ServerState} */ _own, /** @type {any} */ entry, /** @type {any[]} */ ...rest) {
        const done = /** @type {any} */ (server.fastPaths).answer(server, entry, ...rest)
        // The fast paths are installed now, so that this wraps them.
        if (entry.routeModule && !isOver) undo = isolate(entry.routeModule, req, onError)
        return done
      },
    }
    await render(
      Object.create(server, { fastPaths: { value: fastPaths }, countRender: { value: undefined } }),
      req,
      res,
      step,
    )
    await res.hasStreamed
  })
  try {
    if (!(await within(deadline - performance.now(), answered))) faults.push('no answer in time')
  } catch (error) {
    faults.push(error)
  } finally {
    isOver = true
    undo?.()
    unmute()
    server.onError = undefined
  }
  for (const fault of faults) server.native.trace('start', `${step.pathname}, asked for at start: ${fault}`)
  const fault = faults.find(error => isContractFault(error, server.next.dir))
  return fault === undefined ? undefined : String(fault)
}

/** Set while a request of this check runs. */
const checking = new AsyncLocalStorage()

/**
 * React prints the errors of the app. Those of the check are not for the console.
 * @param {(error: unknown) => void} onError
 */
function muteErrors(onError) {
  const { error } = console
  const muted = (/** @type {any[]} */ ...args) => {
    if (checking.getStore()) onError(args[0])
    else error.apply(console, args)
  }
  console.error = muted
  return () => {
    if (console.error === muted) console.error = error
  }
}

/**
 * Renders one request without prerendered pages, and keeps its errors to the check: the app's `onRequestError` does not get them either.
 * @param {any} module
 * @param {Request} own
 * @param {(error: unknown) => void} onError
 */
function isolate(module, own, onError) {
  const { prepare, instrumentationOnRequestError } = module
  const isFast = Object.hasOwn(module, 'prepare')
  module.prepare = async (/** @type {Request} */ req, /** @type {any[]} */ ...rest) => {
    const prepared = await prepare.call(module, req, ...rest)
    if (req !== own || !prepared?.prerenderManifest) return prepared
    return { ...prepared, prerenderManifest: { ...prepared.prerenderManifest, routes: {}, dynamicRoutes: {} } }
  }
  module.instrumentationOnRequestError = (/** @type {Request} */ req, /** @type {any[]} */ ...rest) =>
    req === own ? onError(rest[0]) : instrumentationOnRequestError.call(module, req, ...rest)
  return () => {
    delete module.instrumentationOnRequestError
    if (isFast) module.prepare = prepare
    else delete module.prepare
  }
}

/**
 * Whether `next` fails, and not the app: with an error of an invariant, or with a TypeError or ReferenceError in its own code.
 * @param {any} error
 * @param {string} dir folder of `next`
 */
function isContractFault(error, dir) {
  const { name, message, stack } = error ?? {}
  if (name === 'InvariantError' || /^invariant\b/i.test(message)) return true
  if (name !== 'TypeError' && name !== 'ReferenceError') return false
  // Frames of Node's own functions have no folder.
  const frame = String(stack)
    .split('\n')
    .find(line => /^\s+at .*[\\/]/.test(line))
  return frame?.includes(path.join(dir, 'dist', '/')) ?? false
}

/** @param {ServerState} server @param {string} fault */
function incompatible({ next }, fault) {
  const tested = lastTested(next.version)
  return codedError(
    'FERRONEXT_INCOMPATIBLE_NEXT',
    `The compiled entries of next ${next.version}, which is not yet tested, fail with "${fault}", and so would pages. Install next@${tested}, which is tested, and build again, or look for a newer ferronext; if there is none, report this with the output of \`npx ferronext info\`. FERRONEXT_CHECK_NEXT=0 in the environment serves all the same.`,
  )
}

module.exports = { checkContract }
