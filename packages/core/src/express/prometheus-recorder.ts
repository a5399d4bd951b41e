import type { Metrics } from '../metrics/metrics.ts'
import { other, SeriesCap } from '../metrics/series-cap.ts'
import type { RequestRecorder } from './request-recorder.ts'

/** Combinations of method, route and status. */
const mostSeries = 2_000

/** Counts requests in `http_server_request_duration_seconds`. */
export function prometheusRecorder(metrics: Metrics): RequestRecorder {
  const duration = metrics.histogram('http_server_request_duration_seconds', 'How long requests took', [
    'method',
    'route',
    'status_code',
  ])
  const series = new SeriesCap<'method' | 'route' | 'status_code'>(mostSeries, 'route')
  return ({ method = other, route = 'unmatched', status, seconds }) => {
    const status_code = status === undefined ? 'aborted' : String(status)
    duration.observe(series.of({ method, route, status_code }), seconds)
  }
}
