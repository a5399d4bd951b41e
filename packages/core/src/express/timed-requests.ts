import type { ServerResponse } from 'node:http'
import type { RequestRecorder } from './request-recorder.ts'
import { RouteLabels } from './route-labels.ts'
import type { RoutedRequest } from './routed-request.ts'

/** Those that HTTP defines; Node's parser takes twenty more, from WebDAV to SOURCE. */
const methods = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
])

/**
 * Times requests, each once: from here until the last byte of its answer was handed to the system, or until
 * the client went away. What is recorded of a request that passes twice is what the first one saw.
 */
export function timeRequests(
  record: RequestRecorder,
): (request: RoutedRequest, response: ServerResponse) => void {
  const routes = new RouteLabels()
  return (request, response) => {
    if (!isFirst(request)) return
    const startedAt = performance.now()
    const finish = (status: number | undefined) => {
      const seconds = (performance.now() - startedAt) / 1_000
      const method = methods.has(request.method ?? '') ? request.method : undefined
      record({ request, method, route: routes.of(request), status, seconds })
    }
    response.once('finish', () => finish(response.statusCode))
    response.once('close', () => {
      if (!response.writableFinished) finish(response.headersSent ? response.statusCode : undefined)
    })
  }
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
