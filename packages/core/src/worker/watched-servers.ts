import { subscribe } from 'node:diagnostics_channel'
import { Server, type ServerResponse } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { Server as NetServer } from 'node:net'

/** The HTTP servers that an app opened, and what they have begun to answer; found without the app's help. */
export class WatchedServers {
  readonly #servers = new Map<Server, Set<ServerResponse>>()

  /** `onChange` hears of each address of a server in this process, `127.0.0.1:3000` or a path. */
  constructor(onChange: (change: 'listening' | 'closed', address: string) => void) {
    subscribe('tracing:net.server.listen:asyncEnd', (message) => {
      // Node documents what each of its channels carries.
      const { server } = message as { server: NetServer }
      const address = addressOf(server)
      onChange('listening', address)
      server.once('close', () => {
        onChange('closed', address)
        this.#servers.delete(server as Server)
      })
      // What a drain needs, an https server has as well, though it is no `Server` of http.
      if (server instanceof Server || server instanceof TlsServer)
        this.#servers.set(server as Server, new Set())
    })
    subscribe('http.server.request.start', (message) => {
      const { server, response } = message as { server: Server; response: ServerResponse }
      const unfinished = this.#servers.get(server)
      unfinished?.add(response)
      response.once('close', () => unfinished?.delete(response))
    })
  }

  /** Each server with its responses that are not finished. */
  [Symbol.iterator](): IterableIterator<[Server, ReadonlySet<ServerResponse>]> {
    return this.#servers.entries()
  }
}

function addressOf(server: NetServer): string {
  const address = server.address()
  return typeof address === 'object' && address ? `${address.address}:${address.port}` : String(address)
}
