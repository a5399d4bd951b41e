import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:net'

/** How many requests came to the HTTP servers of this process, and how many connections they hold open. */
export class ServerStats {
  requests = 0
  readonly #servers = new Set<Server>()
  readonly #onRequest = (message: unknown) => {
    this.requests += 1
    // Node documents what its channel carries.
    this.#remember((message as { server: Server }).server)
  }
  readonly #onStream = () => {
    this.requests += 1
  }

  constructor() {
    subscribe('http.server.request.start', this.#onRequest)
    // Where Node has this channel yet (24); a stream is what a request is there.
    subscribe('http2.server.stream.start', this.#onStream)
  }

  async connections(): Promise<number> {
    const counts = await Promise.all([...this.#servers].map(connectionsOf))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  close(): void {
    unsubscribe('http.server.request.start', this.#onRequest)
    unsubscribe('http2.server.stream.start', this.#onStream)
  }

  #remember(server: Server): void {
    if (this.#servers.has(server)) return
    this.#servers.add(server)
    server.once('close', () => this.#servers.delete(server))
  }
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.getConnections((failure, count) => resolve(failure ? 0 : count))
  })
}
