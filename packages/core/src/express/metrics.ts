import type { IncomingMessage, ServerResponse } from 'node:http'
import { createMetrics, type Metrics, type MetricsOptions } from '../metrics/metrics.ts'
import { checkOptionNames } from '../options.ts'
import type { Reporter } from '../report.ts'

export interface MetricsMiddlewareOptions extends MetricsOptions {
  /** Where Prometheus asks. Default `/metrics`. */
  readonly path?: string
}

/** The part of an Express request that is read here; Express 4 and 5 alike. */
export interface RoutedRequest extends IncomingMessage {
  readonly path?: string
  readonly baseUrl?: string
  readonly route?: { readonly path?: unknown }
}

export interface MetricsMiddleware {
  (request: RoutedRequest, response: ServerResponse, next: (failure?: unknown) => void): void
  /** Hand this to modules: `createCache({ report: measure.report })`. */
  readonly report: Reporter
  readonly metrics: Metrics
}

/** More routes than this (patterns, not URLs) are counted together as `other`. */
const mostRoutes = 200

/**
 * Times every request by method, route and status, and answers `/metrics` for all workers of the machine.
 * Put it first: `app.use(metrics({ client: promClient }))`. What no route matched is `unmatched`, so that
 * strangers cannot invent label values.
 */
export function metrics({ path = '/metrics', ...options }: MetricsMiddlewareOptions): MetricsMiddleware {
  checkOptionNames('metrics', options, ['client', 'registry'])
  const kept = createMetrics(options)
  const routes = new Set<string>()
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
    const startedAt = performance.now()
    response.once('finish', () => {
      const route = bounded(routes, routeOf(request))
      const labels = { method: request.method ?? 'GET', route, status_code: String(response.statusCode) }
      duration.observe(labels, (performance.now() - startedAt) / 1_000)
    })
    next()
  }
  return Object.assign(handler, { report: kept.report, metrics: kept })
}

async function serve(kept: Metrics, response: ServerResponse): Promise<void> {
  const text = await kept.text()
  response.setHeader('Content-Type', kept.contentType)
  response.end(text)
}

function routeOf({ route, baseUrl = '' }: RoutedRequest): string {
  return route?.path === undefined ? 'unmatched' : `${baseUrl}${String(route.path)}`
}

function bounded(routes: Set<string>, route: string): string {
  if (!routes.has(route) && routes.size >= mostRoutes) return 'other'
  routes.add(route)
  return route
}
