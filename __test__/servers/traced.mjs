// A custom server that has registered a tracer, as an app does with the OpenTelemetry SDK. `/__spans` tells and forgets the
// spans that have ended.
import { createServer } from 'node:http'
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'

const exporter = new InMemorySpanExporter()
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))

const { default: next } = await import('next')
const app = next({ dev: false })
const handle = app.getRequestHandler()
await app.prepare()

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
}).listen(process.env.PORT, () => console.log('listening'))
