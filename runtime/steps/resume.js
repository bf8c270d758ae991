// In: a prerendered shell and the entry that has the rest of the page. Out: the shell is sent at once, and the entry's output for this request
// is appended. The entry resumes from the state (`requestMeta.postponed`) that belongs to the shell that was sent. Contract: "Implementing PPR
// in an Adapter" of the adapter documentation of Next.js.

const { NO_FALLBACK, render } = require('../entry/render')
const { mergeHeaders } = require('../http/headers')
const { statusOf } = require('../http/respond')

/**
 * @typedef {import('../entry/render').Request} Request
 * @typedef {import('../entry/render').Response} Response
 * @typedef {import('../app/state').ServerState} ServerState
 * @typedef {Extract<import('../native').Step, { kind: 'resume' }>} ResumeStep
 */

/**
 * @param {ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {ResumeStep} step
 */
async function resumeAfterShell(server, req, res, step) {
  const answer = step.shell ?? server.answers.get(/** @type {number} */ (step.shellId))
  const { headers, body } = answer
  mergeHeaders(res, headers)
  res.statusCode = statusOf(res, answer)
  if (body === undefined) res.flushHeaders()
  else res.write(body)
  flush(res)
  try {
    const outcome = await render(server, req, afterShell(res), step.render, undefined, { postponed: step.postponed })
    if (outcome === NO_FALLBACK) throw new Error(`${req.url} has a shell and no page`)
  } catch (error) {
    // The client has part of a page, which must not look complete.
    if (!res.destroyed) server.logError(error)
    res.destroy()
  }
}

/** Flushes what a compressor may buffer. @param {any} res */
function flush(res) {
  if (typeof res.flush === 'function') res.flush()
}

/**
 * The response as the entry sees it: its head has not been sent, so that it accepts headers. They are dropped.
 * @param {Response} res
 * @returns {Response}
 */
function afterShell(res) {
  let begun = false
  /** @type {Map<string, [string, any]>} */
  const headers = new Map(res.getHeaderNames().map(name => [name, [name, res.getHeader(name)]]))
  const find = (/** @type {string} */ name) => headers.get(name.toLowerCase())?.[1]
  const begin = () => {
    begun = true
  }
  /** @type {Record<PropertyKey, any>} */
  const own = {
    statusCode: res.statusCode,
    statusMessage: '',
    setHeader(/** @type {string} */ name, /** @type {any} */ value) {
      headers.set(name.toLowerCase(), [name, value])
      return seen
    },
    appendHeader(/** @type {string} */ name, /** @type {any} */ value) {
      return own.setHeader(name, [find(name) ?? [], value].flat())
    },
    removeHeader: (/** @type {string} */ name) => void headers.delete(name.toLowerCase()),
    getHeader: find,
    hasHeader: (/** @type {string} */ name) => headers.has(name.toLowerCase()),
    getHeaderNames: () => [...headers.keys()],
    getHeaders: () => Object.fromEntries([...headers].map(([name, [, value]]) => [name, value])),
    writeHead(/** @type {number} */ status) {
      own.statusCode = status
      begin()
      return seen
    },
    flushHeaders: begin,
    write(/** @type {any[]} */ ...args) {
      begin()
      return /** @type {any} */ (res).write(...args)
    },
    end(/** @type {any[]} */ ...args) {
      begin()
      return /** @type {any} */ (res).end(...args)
    },
  }
  const seen = new Proxy(res, {
    get(target, name) {
      if (name === 'headersSent') return begun
      // For the entry it has been answered until it writes: otherwise the entry would look for another shell
      // (`didRespond` of app-page-runtime.js).
      if (name === 'writableEnded') return !begun || target.writableEnded
      if (name in own) return own[name]
      const value = /** @type {any} */ (target)[name]
      return typeof value === 'function' ? value.bind(target) : value
    },
    set(target, name, value) {
      if (name in own) own[name] = value
      else Reflect.set(target, name, value)
      return true
    },
  })
  return seen
}

module.exports = { resumeAfterShell }
