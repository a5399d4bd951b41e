import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as NetServer } from 'node:net'
import { type Clock, sleep, systemClock } from '../clock.ts'

export interface DrainOptions {
  /** How long a keep-alive connection may still bring its next request, in milliseconds. Default 500. */
  readonly idleWindowMs?: number
  /** After this long, connections that are still open are cut, in milliseconds. */
  readonly deadlineMs: number
  readonly clock?: Clock
}

/** How often a drain looks whether all connections are gone, in milliseconds. */
const lookEveryMs = 20

/**
 * Ends an HTTP server without losing a request. `server.close()` alone closes idle keep-alive sockets at
 * once (since Node 19), and the request already on its way over one of them is lost. So:
 *
 *   accepting --drain--> no new connection; every answer that has not begun says `Connection: close`
 *             --an idle window after the last answer that could not say so--> idle sockets are closed
 *             --deadline--> whatever is still open is cut
 */
export async function drainServer(
  server: Server,
  unfinished: ReadonlySet<ServerResponse>,
  { idleWindowMs = 500, deadlineMs, clock = systemClock }: DrainOptions,
): Promise<void> {
  const cutAt = clock.monotonic() + deadlineMs
  let idleUntil = clock.monotonic() + idleWindowMs
  const promisedMore = sendAway(server, unfinished)
  for (const response of promisedMore) {
    response.once('close', () => {
      promisedMore.delete(response)
      idleUntil = clock.monotonic() + idleWindowMs
    })
  }
  stopAccepting(server)

  while (clock.monotonic() < cutAt && (await connectionsOf(server)) > 0) {
    if (promisedMore.size === 0 && clock.monotonic() >= idleUntil) server.closeIdleConnections()
    await sleep(lookEveryMs, { clock })
  }
  server.closeAllConnections()
}

/** Returns the responses whose client was told already that it may send another request. */
function sendAway(server: Server, unfinished: ReadonlySet<ServerResponse>): Set<ServerResponse> {
  // First of all listeners: an app that answers synchronously has sent its headers before the second runs.
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Connection', 'close')
  })
  const promisedMore = new Set<ServerResponse>()
  for (const response of unfinished) {
    if (response.headersSent) promisedMore.add(response)
    else response.setHeader('Connection', 'close')
  }
  return promisedMore
}

/** `http.Server.close` would close idle sockets as well; the method it inherits only stops accepting. */
function stopAccepting(server: Server): void {
  // A server that the app itself closed may still have answers under way, so its connections count all the same.
  if (server.listening) NetServer.prototype.close.call(server)
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.getConnections((failure, count) => resolve(failure ? 0 : count))
  })
}
