import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A client that is made of bytes, for what no decent client does. */
export class RawClient implements Disposable {
  readonly socket: Socket
  /** What came so far, a character for each byte. */
  received = ''
  readonly #closed: Promise<unknown>

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text
    })
    socket.on('error', () => {})
    this.#closed = new Promise((resolve) => socket.once('close', resolve))
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  write(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Resolves when that has come; rejects when the connection closes without it. */
  async receives(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.received)) {
      const isClosed = await Promise.race([
        once(this.socket, 'data').then(() => false),
        this.#closed.then(() => true),
      ])
      if (isClosed && !pattern.test(this.received)) throw new Error(`closed after: ${this.received}`)
    }
  }

  /** Resolves when the connection has closed; to how many milliseconds that took. */
  async closes(): Promise<number> {
    const startedAt = performance.now()
    await this.#closed
    return performance.now() - startedAt
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}
