import type { ServerResponse } from 'node:http'
import { createMetrics, type Metrics, type MetricsOptions } from '../metrics/metrics.ts'
import { checkOptionNames } from '../options.ts'
import type { Reporter } from '../report.ts'
import { RouteLabels } from './route-labels.ts'
import type { RoutedRequest } from './routed-request.ts'

export type { RoutedRequest } from './routed-request.ts'

export interface MetricsMiddlewareOptions extends MetricsOptions {
  /** Where Prometheus asks. Default `/metrics`. */
  readonly path?: string
}

export interface MetricsMiddleware {
  (request: RoutedRequest, response: ServerResponse, next: (failure?: unknown) => void): void
  /** Hand this to modules: `createCache({ report: measure.report })`. */
  readonly report: Reporter
  readonly metrics: Metrics
}

/**
 * Times every request by method, route and status, and answers `/metrics` for all workers of the machine.
 * Put it first: `app.use(metrics({ client: promClient }))`. Routes are patterns, `/orders/:id`, never URLs, and
 * what no route matched is `unmatched`, so that strangers cannot invent label values. A request
 * that passes it twice counts once. Throws `InvalidOptionError` when the app has a metric
 * `http_server_request_duration_seconds` that cannot take these labels.
 */
export function metrics({ path = '/metrics', ...options }: MetricsMiddlewareOptions): MetricsMiddleware {
  checkOptionNames('metrics', options, ['client', 'registry'])
  const kept = createMetrics(options)
  const routes = new RouteLabels()
  const duration = kept.histogram('http_server_request_duration_seconds', 'How long requests took', [
    'method',
    'route',
    'status_code',
  ])

  const handler = (
    request: RoutedRequest,
    response: ServerResponse,
    next: (failure?: unknown) => void,
  ): void => {
    if (request.method === 'GET' && request.path === path) {
      serve(kept, response).catch(next)
      return
    }
    if (isFirst(request)) {
      const startedAt = performance.now()
      response.once('finish', () => {
        const labels = {
          method: request.method ?? 'GET',
          route: routes.of(request),
          status_code: String(response.statusCode),
        }
        duration.observe(labels, (performance.now() - startedAt) / 1_000)
      })
    }
    next()
  }
  return Object.assign(handler, { report: kept.report, metrics: kept })
}

async function serve(kept: Metrics, response: ServerResponse): Promise<void> {
  const text = await kept.text()
  response.setHeader('Content-Type', kept.contentType)
  response.end(text)
}

const mark = Symbol.for('stepladder.measured')

/** False from the second time on, also when the first was in another copy of this package. */
function isFirst(request: RoutedRequest): boolean {
  // Nobody else writes under our symbol.
  const marked = request as { [mark]?: true }
  if (marked[mark]) return false
  marked[mark] = true
  return true
}
