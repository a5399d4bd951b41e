import type { ServerResponse } from 'node:http'
import type { Metrics } from '../metrics/metrics.ts'
import type { RoutedRequest } from './routed-request.ts'

/** Answers a scrape. Always answers: a metric that cannot be read is a 500 that says why. */
export async function serveMetrics(
  metrics: Metrics,
  request: RoutedRequest,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('Vary', 'Accept')
  try {
    const { contentType, text } = await metrics.scrape(request.headers.accept)
    response.setHeader('Content-Type', contentType)
    // Also what HEAD would have been sent.
    response.setHeader('Content-Length', Buffer.byteLength(text))
    response.end(text)
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure)
    response.statusCode = 500
    response.setHeader('Content-Type', 'text/plain; charset=utf-8')
    response.end(`The metrics cannot be read: ${reason}\n`)
  }
}
