import type { ServerResponse } from 'node:http'

/** INTERNAL_ERROR (RFC 9113, 7). A number, since `node:http2` takes long to load. */
const http2InternalError = 2

/** Ends a response whose headers are out so that its client sees that something went wrong. */
export function cutConnection(response: ServerResponse): void {
  // Responses of node:http2 have their stream here; the others of its connection go on.
  const { stream } = response as { stream?: { close(code: number): void } }
  if (stream) stream.close(http2InternalError)
  else response.destroy()
}
