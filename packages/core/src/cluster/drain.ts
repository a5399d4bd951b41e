import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import { Server as NetServer } from 'node:net'
import { type Clock, sleep, systemClock } from '../clock.ts'

export interface DrainOptions {
  /** How long a keep-alive connection may still bring its next request, in milliseconds. Default 500. */
  readonly idleWindowMs?: number
  /** After this long, connections that are still busy are cut, in milliseconds. Default 10000. */
  readonly deadlineMs?: number
  readonly clock?: Clock
}

/**
 * Ends HTTP servers without losing a request. `server.close()` alone closes idle keep-alive sockets at
 * once (since Node 19), and the request already on its way over one of them is lost. So:
 *
 *   accepting --drain()--> told to go: no new connection; each answer says `Connection: close`
 *             --idle window--> idle sockets closed, again and again until none is left
 *             --deadline--> whatever is still open is cut
 */
export async function drainServers(
  servers: Iterable<HttpServer>,
  { idleWindowMs = 500, deadlineMs = 10_000, clock = systemClock }: DrainOptions = {},
): Promise<void> {
  await Promise.all([...servers].map((server) => drainServer(server, idleWindowMs, deadlineMs, clock)))
}

async function drainServer(
  server: HttpServer,
  idleWindowMs: number,
  deadlineMs: number,
  clock: Clock,
): Promise<void> {
  sendAway(server)
  let isOver = false
  const closed = stopAccepting(server)
  // Sockets that were upgraded are not the server's any more and survive the cut; they end with the process.
  const cut = sleep(deadlineMs, { clock }).then(() => server.closeAllConnections())
  const over = Promise.race([closed, cut]).then(() => {
    isOver = true
  })

  await Promise.race([over, sleep(idleWindowMs, { clock })])
  while (!isOver) {
    server.closeIdleConnections()
    await Promise.race([over, sleep(20, { clock })])
  }
}

/** Must be the first listener: an app that answers synchronously has sent its headers before the second runs. */
function sendAway(server: HttpServer): void {
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Connection', 'close')
  })
}

/** `http.Server.close` would close idle sockets as well; the method it inherits only stops accepting. */
function stopAccepting(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve()
    NetServer.prototype.close.call(server, () => resolve())
  })
}
