import type { ServerResponse } from 'node:http'
import { type OtelMeter, openTelemetryReporter } from '../adapters/opentelemetry.ts'
import { meterRecorder } from '../adapters/opentelemetry-http.ts'
import { InvalidOptionError } from '../errors.ts'
import { createMetrics, type Metrics, type MetricsOptions } from '../metrics/metrics.ts'
import { checkOptionNames } from '../options.ts'
import type { Reporter } from '../report.ts'
import { prometheusRecorder } from './prometheus-recorder.ts'
import type { RoutedRequest } from './routed-request.ts'
import { serveMetrics } from './serve-metrics.ts'
import { timeRequests } from './timed-requests.ts'

export type { RoutedRequest } from './routed-request.ts'

export interface MetricsMiddlewareOptions extends MetricsOptions {
  /** Where Prometheus asks. Default `/metrics`. */
  readonly path?: string | undefined
}

export interface MeterMiddlewareOptions {
  /** A meter of `@opentelemetry/api`: the app's own exporter tells what it counts. */
  readonly meter: OtelMeter
}

/** Express middleware that times requests. */
export interface MeterMiddleware {
  (request: RoutedRequest, response: ServerResponse, next: (failure?: unknown) => void): void
  /** Hand this to modules: `createCache({ report: measure.report })`. */
  readonly report: Reporter
}

export interface MetricsMiddleware extends MeterMiddleware {
  readonly metrics: Metrics
}

/**
 * Times every request by method, route and status, and answers `GET /metrics` for all workers of the machine:
 * classic text, or OpenMetrics where `Accept` asks for it; 500 with the reason when a metric cannot be read.
 * Put it first: `app.use(metrics({ client: promClient }))`. Routes are patterns, `/orders/:id`, never URLs,
 * what no route matched is `unmatched`, a method that HTTP does not define is `other`, and a status of a
 * client that went away unanswered is `aborted`: strangers cannot invent label values. A request that passes
 * it twice counts once. Throws `InvalidOptionError` when the app has a metric
 * `http_server_request_duration_seconds` that cannot take these labels.
 */
export function metrics(options: MetricsMiddlewareOptions): MetricsMiddleware
/**
 * Times every request into an OpenTelemetry meter instead, as `http.server.request.duration` with the names of
 * its semantic conventions; serves no `/metrics`. `report` counts the modules' operations in the same meter.
 */
export function metrics(options: MeterMiddlewareOptions): MeterMiddleware
export function metrics(options: MetricsMiddlewareOptions | MeterMiddlewareOptions): MeterMiddleware {
  return 'meter' in options ? intoMeter(options) : forPrometheus(options)
}

function forPrometheus({ path = '/metrics', ...options }: MetricsMiddlewareOptions): MetricsMiddleware {
  checkOptionNames('metrics', options, ['client', 'registry'])
  const kept = createMetrics(options)
  const time = timeRequests(prometheusRecorder(kept))
  const handler = (request: RoutedRequest, response: ServerResponse, next: () => void): void => {
    if (request.path === path && (request.method === 'GET' || request.method === 'HEAD')) {
      void serveMetrics(kept, request, response)
      return
    }
    time(request, response)
    next()
  }
  return Object.assign(handler, { report: kept.report, metrics: kept })
}

function intoMeter(options: MeterMiddlewareOptions): MeterMiddleware {
  checkOptionNames('metrics', options, ['meter'])
  const { meter } = options
  if (typeof meter?.createHistogram !== 'function') {
    throw new InvalidOptionError('metrics', 'meter', meter, 'a meter of @opentelemetry/api')
  }
  const report = openTelemetryReporter({ meter })
  const time = timeRequests(meterRecorder(meter))
  const handler = (request: RoutedRequest, response: ServerResponse, next: () => void): void => {
    time(request, response)
    next()
  }
  return Object.assign(handler, { report })
}
