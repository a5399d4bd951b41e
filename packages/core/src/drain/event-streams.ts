import type { ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Writable } from 'node:stream'

/**
 * Ends the answer if it is a stream of Server-Sent Events, which would last for as long as its client likes: a
 * client that sees its end comes back, and says which event was its last.
 */
export function endIfEventStream(response: ServerResponse): void {
  if (!response.headersSent || response.writableEnded) return
  if (isEventStream(response.getHeader('content-type')) || isEventStream(writtenType(response))) end(response)
}

/** The same of HTTP/2. */
export function endIfHttp2EventStream(stream: ServerHttp2Stream): void {
  if (stream.writableEnded || stream.destroyed) return
  if (isEventStream(stream.sentHeaders?.['content-type'])) end(stream)
}

/** Headers that were given to `writeHead` are in the text of the head, and nowhere else. */
function writtenType(response: ServerResponse): string | undefined {
  // Node keeps the text under this name, and much of npm relies on it.
  const { _header: head } = response as ServerResponse & { readonly _header?: string | null }
  return /^content-type: *(.*)$/im.exec(head ?? '')?.[1]
}

function isEventStream(contentType: unknown): boolean {
  return String(contentType).toLowerCase().startsWith('text/event-stream')
}

function end(stream: Writable): void {
  // The app does not know, and may write another event, which must not be the end of it.
  stream.on('error', () => {})
  stream.end()
}
