import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A network that forgets connections: they stay open at both ends, and nothing ever passes again. New ones work. */
export class MutingProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const pair = [client, connect(port, '127.0.0.1')] as const
      this.#pairs.add(pair)
      const [, server] = pair
      client.pipe(server).pipe(client)
      for (const socket of pair) socket.on('error', () => {})
    })
  }

  static async start(port: number): Promise<MutingProxy> {
    const proxy = new MutingProxy(port)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    // It listens on a port, not on a pipe.
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Connections accepted so far. */
  get accepted(): number {
    return this.#pairs.size
  }

  muteAll(): void {
    for (const [client, server] of this.#pairs) {
      client.unpipe(server)
      server.unpipe(client)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
  }
}
