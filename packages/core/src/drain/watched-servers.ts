import { subscribe } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import { WatchedServer } from './watched-server.ts'

/** What Node documents of its channels `http.server.*`. */
interface Exchange {
  readonly server: Server
  readonly socket: Socket
  readonly response: ServerResponse
}

/** The HTTP servers of a process, whichever way the app opened them; found without its help. */
export class WatchedServers {
  readonly #known = new WeakMap<Server, WatchedServer>()
  readonly #open = new Set<WatchedServer>()

  /** `onChange` hears of each address of a server in this process, `127.0.0.1:3000` or a path. */
  constructor(onChange: (change: 'listening' | 'closed', address: string) => void) {
    subscribe('tracing:net.server.listen:asyncEnd', (message) => {
      // Node documents what each of its channels carries.
      const { server } = message as { server: Server }
      const address = addressOf(server)
      onChange('listening', address)
      server.once('close', () => onChange('closed', address))
      if (speaksHttp(server)) this.#watch(server)
    })
    // Before any listener of the app, the ones for `Expect: 100-continue` included.
    subscribe('http.server.request.start', (message) => {
      const { server, socket, response } = message as Exchange
      // A server may never have listened: some are handed the connections of another one.
      const watched = this.#known.get(server) ?? this.#watch(server)
      watched.connectionOver(socket).begin(response)
    })
    subscribe('http.server.response.finish', (message) => {
      const { server, socket, response } = message as Exchange
      this.#known.get(server)?.finish(socket, response)
    })
  }

  /** Those that listen, or have connections. */
  [Symbol.iterator](): IterableIterator<WatchedServer> {
    return this.#open.values()
  }

  #watch(server: Server): WatchedServer {
    const watched = this.#known.get(server) ?? new WatchedServer(server)
    this.#known.set(server, watched)
    this.#open.add(watched)
    // Node says so when the last connection has ended.
    server.once('close', () => this.#open.delete(watched))
    return watched
  }
}

/** By their own methods, since their classes would have to be loaded, and most apps need one of them. */
function speaksHttp(server: Server): boolean {
  return 'closeIdleConnections' in server || 'updateSettings' in server
}

function addressOf(server: Server): string {
  const address = server.address()
  return typeof address === 'object' && address ? `${address.address}:${address.port}` : String(address)
}
