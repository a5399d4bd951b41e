import type { TLSSocket } from 'node:tls'
import type { FinishedRequest, RequestRecorder } from '../express/request-recorder.ts'
import { SeriesCap } from '../metrics/series-cap.ts'
import type { OtelMeter } from './opentelemetry.ts'

/** Upper bounds in seconds that the semantic conventions name for this histogram. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
/** Combinations of method, route, status, scheme and version. */
const mostSeries = 2_000

type SeriesLabel = 'method' | 'route' | 'status' | 'scheme' | 'version'

/** Counts requests in `http.server.request.duration`, as the semantic conventions have it. */
export function meterRecorder(meter: OtelMeter): RequestRecorder {
  const duration = meter.createHistogram('http.server.request.duration', {
    description: 'Duration of HTTP server requests.',
    unit: 's',
    advice: { explicitBucketBoundaries: boundaries },
  })
  const series = new SeriesCap<SeriesLabel>(mostSeries, 'route')
  return (finished) => duration.record(finished.seconds, attributesOf(series.of(labelsOf(finished))))
}

function labelsOf({
  request,
  method = '_OTHER',
  route = '',
  status,
}: FinishedRequest): Record<SeriesLabel, string> {
  return {
    method,
    route,
    status: status === undefined ? '' : String(status),
    scheme: isSecure(request) ? 'https' : 'http',
    version: request.httpVersion === '2.0' ? '2' : request.httpVersion,
  }
}

function isSecure({ protocol, socket }: FinishedRequest['request']): boolean {
  // Express knows what a trusted proxy said of it; the socket has `encrypted` where TLS ends here.
  return protocol === undefined ? (socket as Partial<TLSSocket>).encrypted === true : protocol === 'https'
}

/** What is not known is left out: a request that no route answered, a client that went away unanswered. */
function attributesOf(labels: Record<SeriesLabel, string>): Record<string, string | number> {
  const { method, route, status, scheme, version } = labels
  const code = Number(status)
  const error = status === '' ? 'aborted' : code >= 500 ? status : ''
  return {
    'http.request.method': method,
    'url.scheme': scheme,
    'network.protocol.version': version,
    ...(route === '' ? {} : { 'http.route': route }),
    // Beyond the cap a status is `other`, which is none.
    ...(code > 0 ? { 'http.response.status_code': code } : {}),
    ...(error === '' ? {} : { 'error.type': error }),
  }
}
