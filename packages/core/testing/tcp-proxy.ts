import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { onFreePort } from './free-port.ts'
import { ProxiedConnection } from './proxied-connection.ts'

export interface TcpProxyOptions {
  /** Where the real server listens. */
  readonly port: number
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined
}

/** Starts a network with faults between a client and the server at `port`. */
export async function startTcpProxy({ port, host = '127.0.0.1' }: TcpProxyOptions): Promise<TcpProxy> {
  return onFreePort(async (own) => {
    const proxy = new TcpProxy(own, () => connect(port, host))
    await proxy.accept()
    return proxy
  })
}

/** A TCP proxy that breaks when told to; a fault holds for connections open and to come, until `heal`. */
export class TcpProxy implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly #dial: () => Socket
  readonly #open = new Set<ProxiedConnection>()
  #listener: Server | undefined
  #accepted = 0
  #delayMs = 0
  #isBlackHole = false

  /** Not for callers: `startTcpProxy()` makes one. */
  constructor(port: number, dial: () => Socket) {
    this.port = port
    this.#dial = dial
  }

  /** The proxy's URL: `url('redis')` is `redis://127.0.0.1:<port>`. */
  url(protocol: string): string {
    return `${protocol}://${this.host}:${this.port}`
  }

  /** Connections open now. */
  get connections(): number {
    return this.#open.size
  }

  /** Connections accepted so far. */
  get accepted(): number {
    return this.#accepted
  }

  /** Resets every open connection now: both ends see ECONNRESET. New ones are accepted. */
  cut(): void {
    for (const connection of this.#open) connection.reset()
  }

  /** New connections meet ECONNREFUSED; open ones live on. */
  refuse(): void {
    this.#listener?.close()
    this.#listener = undefined
  }

  /** Ends `refuse`. */
  async accept(): Promise<void> {
    if (this.#listener) return
    const listener = createServer((client) => this.#carry(client))
    this.#listener = listener
    listener.listen(this.port, this.host)
    await once(listener, 'listening')
  }

  /** Every byte arrives `ms` later, in each direction. */
  delay(ms: number): void {
    this.#delayMs = ms
    for (const connection of this.#open) connection.delayMs = ms
  }

  /** Takes bytes and hands none on, as a network that lost its way. `heal` lets what was sent arrive. */
  blackhole(): void {
    this.#isBlackHole = true
    for (const connection of this.#open) connection.hold()
  }

  /** Ends every fault. Connections that were cut stay so. */
  async heal(): Promise<void> {
    this.delay(0)
    this.#isBlackHole = false
    for (const connection of this.#open) connection.release()
    await this.accept()
  }

  /** Resets what is open and stops listening. */
  async close(): Promise<void> {
    this.refuse()
    this.cut()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #carry(client: Socket): void {
    this.#accepted += 1
    const connection = new ProxiedConnection(client, this.#dial(), () => this.#open.delete(connection))
    this.#open.add(connection)
    connection.delayMs = this.#delayMs
    if (this.#isBlackHole) connection.hold()
  }
}
