// In: the options `accessLog`, `metrics` and `health`. Out: the request handler with them around it, or the handler itself
// if none is set. Rust names the route of each request (src/pipeline/label.rs) and counts (src/binding/metrics.rs).

const { codedError } = require('../errors')
const { report } = require('./report')

/**
 * @typedef {import('../../index').AccessLogEntry} AccessLogEntry
 * @typedef {import('../entry/render').Request} Request
 * @typedef {import('../entry/render').Response} Response
 * @typedef {(req: Request, res: Response, parsedUrl?: any) => Promise<void>} Handler
 *
 * @typedef {object} Observed what the options come to
 * @property {((entry: AccessLogEntry) => void) | undefined} log
 * @property {boolean} counts
 * @property {string | undefined} metrics path that answers with metrics
 * @property {string | undefined} live path that answers while the process does
 * @property {string | undefined} ready path that answers whether the app takes requests
 */

/** The paths that Kubernetes' own components use. */
const HEALTH = { live: '/livez', ready: '/readyz' }

/** Where a request keeps its route until it has been answered. */
const ROUTE = Symbol('ferronext.route')

/**
 * @param {import('../app/options').NextServerOptions} options
 * @returns {Observed | undefined} `undefined` if none is set
 */
function observedBy({ accessLog, metrics, health }) {
  if (!accessLog && !metrics && !health) return undefined
  /** @type {{ live?: string, ready?: string }} */
  const paths = health === true ? HEALTH : health || {}
  if (typeof paths !== 'object') throw badOption('health', 'takes true or { live, ready }', health)
  if (metrics && metrics !== true && !isPath(metrics)) throw badOption('metrics', 'takes true or a path', metrics)
  for (const [name, path] of Object.entries(paths)) {
    if (!(name in HEALTH)) throw badOption('health', 'has the paths `live` and `ready`', { [name]: path })
    if (path !== undefined && !isPath(path)) throw badOption(`health.${name}`, 'takes a path', path)
  }
  return {
    log: accessLogger(accessLog),
    counts: Boolean(metrics),
    metrics: typeof metrics === 'string' ? metrics : undefined,
    live: paths.live,
    ready: paths.ready,
  }
}

/** @param {unknown} value */
const isPath = value => typeof value === 'string' && /^\/[^?#\s]*$/.test(value)

/** @param {string} name @param {string} takes @param {unknown} value */
const badOption = (name, takes, value) =>
  codedError('FERRONEXT_BAD_OPTION', `The option \`${name}\` of next() ${takes}, not ${JSON.stringify(value)}.`)

/**
 * Answers health checks and metrics before everything else. Their paths do not include `basePath`.
 * @param {Observed} observed
 * @param {{ isReady: () => boolean, isServing: () => boolean, metrics: () => string }} app
 * @returns {(req: Request, res: Response) => boolean} whether it has answered
 */
function operatorPaths({ metrics, live, ready }, app) {
  return (req, res) => {
    const { method, url = '' } = req
    if (url !== metrics && url !== live && url !== ready) return false
    if (method !== 'GET' && method !== 'HEAD') return false
    if (url === live) answer(req, res, 200, 'ok\n')
    else if (url === ready) answer(req, res, app.isReady() ? 200 : 503, app.isReady() ? 'ready\n' : 'not ready\n')
    else if (app.isServing()) answer(req, res, 200, app.metrics(), METRICS_TYPE)
    else answer(req, res, 503, 'not ready\n')
    return true
  }
}

const METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** @param {Request} req @param {Response} res @param {number} status @param {string} text @param {string} [type] */
function answer(req, res, status, text, type = 'text/plain; charset=utf-8') {
  res.statusCode = status
  res.setHeader('Content-Type', type)
  res.setHeader('Content-Length', Buffer.byteLength(text))
  res.setHeader('Cache-Control', 'no-store')
  res.end(req.method === 'HEAD' ? undefined : text)
}

/**
 * Logs and counts what the handler answers, once it has been answered and the response is closed.
 * @param {Observed} observed
 * @param {typeof import('../native')} native
 * @param {Handler} handle
 * @returns {Handler}
 */
function recorded({ log, counts }, native, handle) {
  return (req, res, parsedUrl) => {
    const start = performance.now()
    const { method = '', url = '' } = req // entries change them
    const done = handle(req, res, parsedUrl)
    const record = () => {
      const ms = performance.now() - start
      const route = req[ROUTE] ?? ''
      const cache = cacheStatus(res)
      if (counts) native.recordRequest(method, route, res.statusCode, cache, ms / 1000)
      log?.({
        time: new Date(),
        remoteAddress: req.socket?.remoteAddress,
        method,
        url,
        httpVersion: req.httpVersion,
        status: res.statusCode,
        complete: res.writableFinished,
        bytes: Number(res.getHeader('content-length')) || undefined,
        ms,
        route,
        cache: cache === '' ? undefined : cache,
        referrer: req.headers.referer,
        userAgent: req.headers['user-agent'],
      })
    }
    const closed = () => (res.closed || res.destroyed ? record() : res.once('close', record))
    done.then(closed, closed)
    return done
  }
}

/**
 * The value of `x-nextjs-cache`. It may be missing in Node's table of headers, so this reads the head that was sent.
 * @param {Response} res
 */
function cacheStatus(res) {
  const sent = /** @type {any} */ (res)._header
  if (typeof sent !== 'string') return String(res.getHeader('x-nextjs-cache') ?? '')
  return /\r\nx-nextjs-cache: (\w+)/i.exec(sent)?.[1] ?? ''
}

/**
 * @param {unknown} option
 * @returns {((entry: AccessLogEntry) => void) | undefined}
 */
function accessLogger(option) {
  if (!option) return undefined
  if (typeof option === 'function') return guarded(/** @type {(entry: AccessLogEntry) => void} */ (option))
  if (option === true || option === 'text') return entry => void process.stdout.write(text(entry))
  if (option === 'json') return entry => void process.stdout.write(`${JSON.stringify(entry)}\n`)
  throw codedError(
    'FERRONEXT_BAD_OPTION',
    `The option \`accessLog\` of next() takes true, "text", "json" or a function, not ${JSON.stringify(option)}.`,
  )
}

/** @param {AccessLogEntry} entry */
function text({ time, method, url, status, complete, ms, route, cache }) {
  const aborted = complete ? '' : ' aborted'
  return `${time.toISOString()} ${printable(method)} ${printable(url)} ${status} ${ms.toFixed(1)}ms route=${printable(route)} cache=${cache ?? '-'}${aborted}\n`
}

/** Node's parser accepts bytes that a terminal would interpret. @param {string} value */
const printable = value =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  value.replace(/[\x00-\x20\x7f-\x9f]/g, char => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** An error of the user's function must not end the process. @param {(entry: AccessLogEntry) => void} log */
function guarded(log) {
  return (/** @type {AccessLogEntry} */ entry) => {
    try {
      log(entry)
    } catch (error) {
      report('error', error)
    }
  }
}

module.exports = { ROUTE, observedBy, operatorPaths, recorded }
