// A custom server that has registered a tracer, as an app does with the OpenTelemetry SDK; with INSTRUMENTED=1 also the instrumentation of
// Node's HTTP, as an app has it that is started with `--require`. PROPAGATOR says in which form contexts travel. `/__spans` tells and forgets
// the spans that have ended.
const { context, propagation, trace } = require('@opentelemetry/api')
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks')
const { W3CTraceContextPropagator } = require('@opentelemetry/core')
const { registerInstrumentations } = require('@opentelemetry/instrumentation')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { B3Propagator, B3InjectEncoding } = require('@opentelemetry/propagator-b3')
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base')

/** @type {Record<string, () => import('@opentelemetry/api').TextMapPropagator>} */
const PROPAGATORS = {
  w3c: () => new W3CTraceContextPropagator(),
  b3: () => new B3Propagator(),
  b3multi: () => new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
}

const exporter = new InMemorySpanExporter()
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(PROPAGATORS[process.env.PROPAGATOR ?? '']())
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
trace.setGlobalTracerProvider(provider)
if (process.env.INSTRUMENTED === '1') {
  const ignoreIncomingRequestHook = (/** @type {import('node:http').IncomingMessage} */ req) => req.url === '/__spans'
  registerInstrumentations({
    tracerProvider: provider,
    instrumentations: [new HttpInstrumentation({ ignoreIncomingRequestHook })],
  })
}

const { createServer } = require('node:http')
const next = require('next')
const app = next({ dev: false })
const handle = app.getRequestHandler()
app.prepare().then(() =>
  createServer((req, res) => {
    if (req.url !== '/__spans') return void handle(req, res)
    const spans = exporter.getFinishedSpans().map(span => ({
      name: span.name,
      kind: span.kind,
      id: span.spanContext().spanId,
      trace: span.spanContext().traceId,
      parent: span.parentSpanContext?.spanId,
      attributes: span.attributes,
      status: span.status.code,
    }))
    exporter.reset()
    res.end(JSON.stringify(spans))
  }).listen(process.env.PORT, () => console.log('listening')),
)
