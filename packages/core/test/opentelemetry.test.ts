import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { openTelemetryReporter, type Report, StepladderError } from '@stepladder/core'
import { metrics } from '@stepladder/core/express'
import { FakeClock } from '@stepladder/core/testing'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

const hit: Report = { component: 'cache', name: 'flights', operation: 'getOrSet', outcome: 'hit', ms: 12.5 }

class UnavailableError extends StepladderError {
  readonly code = 'CACHE_UNAVAILABLE'
}

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
afterAll(() => context.disable())

function tracing() {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  return { tracer: provider.getTracer('test'), spans: () => exporter.getFinishedSpans() }
}

/** Reads when asked, as an exporter to Prometheus does. */
class PulledReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

interface Point {
  readonly attributes: object
  readonly count: number
  readonly sum: number | undefined
}

function metering() {
  const reader = new PulledReader()
  const meter = new MeterProvider({ readers: [reader] }).getMeter('test')
  const histograms = async () => {
    const { resourceMetrics } = await reader.collect()
    return new Map(
      resourceMetrics.scopeMetrics
        .flatMap((scope) => scope.metrics)
        .map(({ descriptor, dataPoints }) => {
          // Only histograms are made here.
          const values = dataPoints.map(({ value }) => value as Histogram)
          const points = values.map(({ count, sum }, index): Point => {
            return { attributes: dataPoints[index]!.attributes, count, sum }
          })
          return [
            descriptor.name,
            { unit: descriptor.unit, boundaries: values[0]!.buckets.boundaries, points },
          ]
        }),
    )
  }
  return { meter, histograms }
}

describe('spans', () => {
  test('are of the operation`s own time, in what was active, named by conventions', () => {
    const { tracer, spans } = tracing()
    const clock = new FakeClock()
    const report = openTelemetryReporter({ tracer, clock })
    const request = tracer.startSpan('GET /flights')
    context.with(trace.setSpan(context.active(), request), () => report(hit))

    const [span] = spans()
    expect(span).toMatchObject({
      name: 'cache.getOrSet flights',
      kind: SpanKind.INTERNAL,
      status: { code: SpanStatusCode.UNSET },
      startTime: [999, 987_500_000],
      endTime: [1_000, 0],
      events: [],
      parentSpanContext: { spanId: request.spanContext().spanId },
    })
    expect(span?.attributes).toEqual({
      'stepladder.component': 'cache',
      'stepladder.name': 'flights',
      'stepladder.operation': 'getOrSet',
      'stepladder.outcome': 'hit',
    })
  })

  test('of what failed are errors with their exception; what was survived has the exception alone', () => {
    const { tracer, spans } = tracing()
    const report = openTelemetryReporter({ tracer })
    const cause = new UnavailableError('Redis is away')
    report({ ...hit, outcome: 'failed', cause })
    report({ ...hit, outcome: 'stale', cause })
    report({ ...hit, outcome: 'failed', cause: 'no error at all' })

    const [failed, survived, odd] = spans()
    expect(failed?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'Redis is away' })
    expect(failed?.attributes).toMatchObject({ 'error.type': 'CACHE_UNAVAILABLE' })
    for (const span of [failed, survived]) {
      expect(span?.events).toMatchObject([
        { name: 'exception', attributes: { 'exception.message': 'Redis is away' } },
      ])
    }
    expect(survived?.status.code).toBe(SpanStatusCode.UNSET)
    expect(survived?.attributes).not.toHaveProperty('error.type')
    expect(odd?.attributes).toMatchObject({ 'error.type': '_OTHER' })
  })
})

describe('durations', () => {
  test('are in seconds, one histogram for each component', async () => {
    const { meter, histograms } = metering()
    const report = openTelemetryReporter({ meter })
    report(hit)
    report(hit)
    report({ ...hit, outcome: 'failed', cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) })
    report({ ...hit, component: 'queue', operation: 'write' })

    const found = await histograms()
    expect([...found.keys()]).toEqual([
      'stepladder.cache.operation.duration',
      'stepladder.queue.operation.duration',
    ])
    const own = { 'stepladder.name': 'flights', 'stepladder.operation': 'getOrSet' }
    expect(found.get('stepladder.cache.operation.duration')).toMatchObject({
      unit: 's',
      boundaries: expect.arrayContaining([0.0005, 10]),
      points: [
        { attributes: { ...own, 'stepladder.outcome': 'hit' }, count: 2, sum: 0.025 },
        { attributes: { ...own, 'stepladder.outcome': 'failed', 'error.type': 'ECONNREFUSED' }, count: 1 },
      ],
    })
  })

  test('have few series, whatever names an app invents', async () => {
    const { meter, histograms } = metering()
    const report = openTelemetryReporter({ meter })
    for (let user = 0; user < 1_500; user++) report({ ...hit, name: `user-${user}` })
    for (let part = 0; part < 100; part++) report({ ...hit, component: `part-${part}` })
    const found = await histograms()
    expect(found.size).toBeLessThanOrEqual(31)
    const points = found.get('stepladder.cache.operation.duration')?.points ?? []
    expect(points).toHaveLength(1_001)
    expect(points.at(-1)).toMatchObject({ attributes: { 'stepladder.name': 'other' }, count: 500 })
  })
})

test('a broken tracer or meter costs the reporting module nothing, and is said once', () => {
  const broken = () => {
    throw new Error('no more memory')
  }
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  const report = openTelemetryReporter({ tracer: { startSpan: broken }, meter: { createHistogram: broken } })
  for (let time = 0; time < 3; time++) report(hit)
  expect(said.mock.calls.map(([text]) => text)).toEqual([
    'stepladder: an operation of cache could not be traced:',
    'stepladder: an operation of cache could not be counted:',
  ])
  said.mockRestore()
})

test('one of a tracer and a meter is needed', () => {
  expect(() => openTelemetryReporter({})).toThrow('openTelemetryReporter: option "tracer" must be')
  expect(() => metrics({ meter: 7 as never })).toThrow('metrics: option "meter" must be')
  expect(() => metrics({ meter: metering().meter, client: {} } as never)).toThrow('client')
})

describe('requests, by `metrics({ meter })`', () => {
  test('are timed by the names, units and buckets of the semantic conventions', async () => {
    const { meter, histograms } = metering()
    const measure = metrics({ meter })
    const app = express()
    app.set('trust proxy', true)
    app.use(measure)
    app.get('/orders/:id', (_request, response) => void response.send('order'))
    app.get('/broken', (_request, response) => void response.status(503).end())
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    // A server that was bound to a port has an address of this kind.
    const { port } = server.address() as AddressInfo
    const ask = async (path: string, options = {}) => {
      await (await fetch(`http://127.0.0.1:${port}${path}`, options)).text()
    }
    await ask('/orders/1')
    await ask('/orders/2', { headers: { 'x-forwarded-proto': 'https' } })
    await ask('/broken')
    await ask('/metrics', { method: 'PROPFIND' })
    measure.report(hit)
    server.closeAllConnections()
    server.close()

    const found = await histograms()
    expect(found.get('stepladder.cache.operation.duration')?.points).toHaveLength(1)
    const { unit, boundaries, points } = found.get('http.server.request.duration') ?? {}
    expect(unit).toBe('s')
    expect(boundaries).toEqual([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10])
    const common = { 'network.protocol.version': '1.1', 'url.scheme': 'http', 'http.request.method': 'GET' }
    const order = { ...common, 'http.route': '/orders/:id', 'http.response.status_code': 200 }
    expect(points?.map(({ attributes }) => attributes)).toEqual([
      order,
      { ...order, 'url.scheme': 'https' },
      { ...common, 'http.route': '/broken', 'http.response.status_code': 503, 'error.type': '503' },
      { ...common, 'http.request.method': '_OTHER', 'http.response.status_code': 404 },
    ])
  })
})
