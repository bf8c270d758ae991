// In: the app's `instrumentation.ts`. Out: it is started once, and gets errors that no compiled entry reports to it.
// Upstream: `runInstrumentationHookIfAvailable` and `instrumentationOnRequestError` of next/dist/server/next-server.js.

const path = require('node:path')
const { report } = require('../observe/report')
const { NO_STORE } = require('../http/headers')
const { sendAnswer } = require('../http/respond')

/** @typedef {import('../app/state').ServerState} ServerState */

/** Routes that do not wait for the instrumentation, as in upstream's router. */
const WITHOUT_IT = new Set(['(_next/static)', '(public)', '(redirect)', '(external-rewrite)'])

const FAILURE = Buffer.from('Internal Server Error')

/**
 * Starts it. Entries wait for it, and other answers, too, by `server.starting`. A failure is logged as upstream logs it.
 * @param {ServerState} server
 * @returns {Promise<void>}
 */
function registerInstrumentation(server) {
  const { entries, next, dir, distDir } = server
  entries.beforeFirst()
  /** @type {Promise<void>} */
  const registered = next.load('instrumentation').ensureInstrumentationRegistered(dir, path.relative(dir, distDir))
  const starting = new Starting()
  server.starting = starting
  registered.then(
    () => {
      server.starting = undefined
      starting.end()
    },
    error => {
      report('error', 'Failed to prepare server', error)
      starting.end(error)
    },
  )
  return registered
}

/** A start that has not ended, or has failed. */
class Starting {
  /** @type {Set<() => void>} */
  #waiting = new Set()
  /** @type {{ error: unknown } | undefined} */
  failed

  /** @param {unknown} [error] */
  end(error) {
    if (error !== undefined) this.failed = { error }
    for (const goOn of this.#waiting) goOn()
    this.#waiting.clear()
  }

  /**
   * Resolves when it ends, or when the client disconnects: a start may never end.
   * @param {import('./render').Response} res
   * @returns {Promise<void>}
   */
  wait(res) {
    if (this.failed) return Promise.resolve()
    return new Promise(resolve => {
      const goOn = () => {
        res.off('close', goOn)
        this.#waiting.delete(goOn)
        resolve()
      }
      this.#waiting.add(goOn)
      res.once('close', goOn)
    })
  }
}

/**
 * Holds a request until the app's instrumentation has started, and answers it if the start has failed.
 * @param {Starting} starting
 * @param {import('./render').Response} res
 * @param {string} route see src/pipeline/label.rs
 * @returns {Promise<boolean>} whether the request can go on
 */
async function isStarted(starting, res, route) {
  if (WITHOUT_IT.has(route)) return true
  await starting.wait(res)
  if (!starting.failed) return !res.destroyed
  report('error', starting.failed.error)
  const headers = route === '(not-found)' ? ['Cache-Control', NO_STORE] : []
  sendAnswer(res, { status: 500, headers, body: FAILURE })
  return false
}

/**
 * Reports the error of an edge function, and logs it. Some bundles report by themselves, in the sandbox, and upstream's server does so
 * again; it knows such a function by its page alone, as one of the Pages Router.
 * @param {ServerState} server
 * @param {import('./render').Request} req
 * @param {import('./render').RenderStep} step
 * @param {unknown} error
 */
async function reportEdgeFault(server, req, step, error) {
  // Upstream has no routed page for an error page, or for one that the user's server renders by name.
  if (step.direct || step.isErrorPage) return
  const { config, dir, distDir, next, traits } = server
  if (traits.hasInstrumentation) {
    const request = {
      path: withoutBase(req.url || '', config.basePath),
      method: req.method || 'GET',
      headers: req.headers,
    }
    const context = {
      routePath: step.page,
      routerKind: 'Pages Router',
      routeType: 'route',
      revalidateReason: undefined,
    }
    await next
      .load('instrumentation')
      .instrumentationOnRequestError(dir, path.relative(dir, distDir), error, request, context)
  }
  server.logError(error)
}

/** @param {string} url @param {string} basePath */
function withoutBase(url, basePath) {
  if (!basePath || !url.startsWith(basePath)) return url
  const rest = url.slice(basePath.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

module.exports = { Starting, isStarted, registerInstrumentation, reportEdgeFault }
