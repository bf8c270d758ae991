// In: a request that goes on to another server, when the app has registered a tracer. Out: the span of that exchange, and the headers by
// which the other server continues the trace, in whatever form the app's propagator writes them. Rust speaks to the other server, past
// Node's client that tracers instrument; names and attributes are those of @opentelemetry/instrumentation-http.

const { isTracing } = require('./spans')

/**
 * @typedef {object} ClientSpan
 * @property {string[]} headers flat list
 * @property {(status: number) => void} answered
 * @property {(error: unknown) => void} failed
 * @property {() => void} end
 */

/**
 * @param {import('../app/server').ServerState} server
 * @param {import('../entry/render').Request} req
 * @param {import('../steps/target').Target} target
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

module.exports = { openClientSpan }
