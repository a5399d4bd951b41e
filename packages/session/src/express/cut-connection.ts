import type { ServerResponse } from 'node:http'
import { constants } from 'node:http2'

/** Ends a response whose headers are out so that its client sees that something went wrong. */
export function cutConnection(response: ServerResponse): void {
  // Responses of node:http2 have their stream here; the others of its connection go on.
  const { stream } = response as { stream?: { close(code: number): void } }
  if (stream) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  else response.destroy()
}
