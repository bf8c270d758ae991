// What tests use of modules whose types are not there: those that Next.js has compiled into itself, and those that a test installs beside
// its app (support/tools.mjs).

declare module 'next/dist/compiled/path-to-regexp' {
  interface Key {
    name: string | number
    prefix: string
    suffix: string
    pattern: string
    modifier: string
  }
  export function parse(source: string): (string | Key)[]
}

/** The app's own, beside which a server file is put. */
declare module '*/next.config.mjs' {
  const config: object
  export default config
}

declare module 'dd-trace' {
  export function init(options: object): unknown
}

declare module '@opentelemetry/api' {
  export interface ContextManager {
    enable(): this
  }
  export interface TextMapPropagator {
    fields(): string[]
  }
  export interface TracerProvider {
    getTracer(name: string): unknown
  }
  export interface SpanContext {
    traceId: string
    spanId: string
  }
  export const context: { setGlobalContextManager(manager: ContextManager): boolean }
  export const propagation: { setGlobalPropagator(propagator: TextMapPropagator): boolean }
  export const trace: { setGlobalTracerProvider(provider: TracerProvider): boolean }
}

declare module '@opentelemetry/context-async-hooks' {
  import type { ContextManager } from '@opentelemetry/api'
  export const AsyncLocalStorageContextManager: new () => ContextManager
}

declare module '@opentelemetry/core' {
  import type { TextMapPropagator } from '@opentelemetry/api'
  export const W3CTraceContextPropagator: new () => TextMapPropagator
}

declare module '@opentelemetry/propagator-b3' {
  import type { TextMapPropagator } from '@opentelemetry/api'
  export const B3InjectEncoding: { SINGLE_HEADER: 0; MULTI_HEADER: 1 }
  export const B3Propagator: new (options?: { injectEncoding?: 0 | 1 }) => TextMapPropagator
}

declare module '@opentelemetry/instrumentation' {
  import type { TracerProvider } from '@opentelemetry/api'
  export function registerInstrumentations(options: {
    tracerProvider: TracerProvider
    instrumentations: object[]
  }): void
}

declare module '@opentelemetry/instrumentation-http' {
  import type { IncomingMessage } from 'node:http'
  export const HttpInstrumentation: new (options: {
    ignoreIncomingRequestHook?: (req: IncomingMessage) => boolean
  }) => object
}

declare module '@opentelemetry/sdk-trace-base' {
  import type { SpanContext, TracerProvider } from '@opentelemetry/api'
  export interface ReadableSpan {
    name: string
    kind: number
    attributes: Record<string, unknown>
    status: { code: number }
    parentSpanContext?: SpanContext
    spanContext(): SpanContext
  }
  export class InMemorySpanExporter {
    getFinishedSpans(): ReadableSpan[]
    reset(): void
  }
  export const SimpleSpanProcessor: new (exporter: InMemorySpanExporter) => object
  export const BasicTracerProvider: new (options: { spanProcessors: object[] }) => TracerProvider
}
