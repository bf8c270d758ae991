// In: requests that a page, a route handler or middleware answers, when the app has registered a tracer. Out: the span
// `BaseServer.handleRequest` around each, named and attributed as upstream's (`handleRequest` of next/dist/server/base-server.js).
// The spans below it are made by the compiled entries and by upstream's own code in them.

const { ROUTE } = require('./requests')

/** Where all copies of @opentelemetry/api keep what was registered (`_globalThis[Symbol.for(…)]` in global-utils). */
const API = Symbol.for('opentelemetry.js.api.1')

/** Whether there is a tracer. Checked for each request, because `instrumentation.ts` may register it at any time. */
const isTracing = () => /** @type {any} */ (globalThis)[API]?.trace !== undefined

/**
 * @typedef {import('../entry/render').Request} Request
 * @typedef {import('../entry/render').Response} Response
 */

/**
 * Runs `work` inside the span of a request. Files, redirects and answers of proxied servers have none, as in upstream.
 * @param {import('../app/state').ServerState} server
 * @param {Request} req
 * @param {Response} res
 * @param {string} route see src/pipeline/label.rs
 * @param {() => void | Promise<void>} work
 * @returns {Promise<void>}
 */
async function inSpan(server, req, res, route, work) {
  if (!hasSpan(route)) return work()
  const { next } = server
  const { getTracer, SpanKind, SpanStatusCode } = next.load('tracer')
  const { BaseServerSpan } = next.load('spanNames')
  const tracer = getTracer()
  const method = String(req.method).toUpperCase()
  const options = {
    spanName: method,
    kind: SpanKind.SERVER,
    attributes: { 'http.method': method, 'http.target': req.url },
  }
  const isRsc = 'rsc' in req.headers
  await tracer.withPropagatedContext(req.headers, () => {
    // A span that the user's server or its instrumentation has opened.
    const outer = tracer.getActiveScopeSpan()
    // Now: that span ends with the response, which may be earlier than the end of this function.
    if (!route.startsWith('(')) outer?.setAttribute('http.route', route)
    return tracer.trace(BaseServerSpan.handleRequest, options, async (/** @type {any} */ span) => {
      try {
        await work()
      } finally {
        span?.setAttributes({ 'http.status_code': res.statusCode, 'next.rsc': isRsc })
        if (span && res.statusCode >= 500) {
          span.setStatus({ code: SpanStatusCode.ERROR })
          span.setAttribute('error.type', String(res.statusCode))
        }
        nameSpan(span, outer, `${isRsc ? 'RSC ' : ''}${method}`, routeOf(tracer, req, route))
      }
    })
  })
}

/** @param {string} route */
const hasSpan = route => !route.startsWith('(') || route === NOT_FOUND || route === MIDDLEWARE

const NOT_FOUND = '(not-found)'
const MIDDLEWARE = '(middleware)'

/**
 * The route that the entry has named, or the one that Rust has answered.
 * @param {any} tracer
 * @param {Request} req
 * @param {string} route at the beginning of the request
 * @returns {string | undefined}
 */
function routeOf(tracer, req, route) {
  const rendered = tracer.getRootSpanAttributes()?.get('next.route')
  const answered = req[ROUTE] ?? route
  return rendered ?? (answered.startsWith('(') ? undefined : answered)
}

/**
 * @param {any} span
 * @param {any} outer
 * @param {string} kind
 * @param {string | undefined} route
 */
function nameSpan(span, outer, kind, route) {
  if (route === undefined) return span?.updateName(kind)
  const name = `${kind} ${route}`
  span?.setAttributes({ 'next.route': route, 'http.route': route, 'next.span_name': name })
  span?.updateName(name)
  if (outer && outer !== span) outer.setAttribute('http.route', route)
}

/*
 * The exchange with the server of an external rewrite. Rust talks to that server, past Node's client that tracers instrument; names and
 * attributes are those of @opentelemetry/instrumentation-http.
 */

/**
 * @typedef {object} ClientSpan
 * @property {string[]} headers flat list
 * @property {(status: number) => void} answered
 * @property {(error: unknown) => void} failed
 * @property {() => void} end
 */

/**
 * @param {import('../app/state').ServerState} server
 * @param {import('../entry/render').Request} req
 * @param {import('../steps/proxy').Target} target
 * @returns {ClientSpan | undefined}
 */
function openClientSpan({ next }, req, target) {
  if (!isTracing()) return undefined
  const { context, propagation, trace, SpanKind, SpanStatusCode } = next.load('openTelemetry')
  const method = String(req.method).toUpperCase()
  const active = context.active()
  const parent = trace.getSpanContext(active) ? active : propagation.extract(active, req.headers)
  const span = trace.getTracer('next.js').startSpan(
    method,
    {
      kind: SpanKind.CLIENT,
      attributes: {
        'http.request.method': method,
        'server.address': target.hostname,
        'server.port': target.port,
        'url.full': `${target.encrypted ? 'https' : 'http'}://${target.host}${target.path}`,
        'user_agent.original': req.headers['user-agent'],
      },
    },
    parent,
  )
  /** @type {Record<string, string>} */
  const carrier = {}
  propagation.inject(trace.setSpan(parent, span), carrier)
  return {
    headers: Object.entries(carrier).flat(),
    answered(status) {
      span.setAttribute('http.response.status_code', status)
      if (status >= 400) span.setStatus({ code: SpanStatusCode.ERROR })
    },
    failed(error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error))
      span.setAttribute('error.type', name)
      span.setStatus({ code: SpanStatusCode.ERROR, message })
    },
    end: () => span.end(),
  }
}

module.exports = { hasSpan, isTracing, inSpan, openClientSpan }
