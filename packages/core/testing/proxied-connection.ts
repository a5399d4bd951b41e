import type { Socket } from 'node:net'
import { sleep } from '../src/clock.ts'

/** A client's connection, and the one to the server that serves it. */
export class ProxiedConnection {
  delayMs = 0
  readonly #sockets: readonly Socket[]
  readonly #released = new Set<() => void>()
  #isHeld = false

  /** `onEnd` is called once, when both connections are closed or reset. */
  constructor(client: Socket, server: Socket, onEnd: () => void) {
    this.#sockets = [client, server]
    this.#forward(client, server)
    this.#forward(server, client)
    let open = 2
    for (const socket of this.#sockets) {
      socket.setNoDelay(true)
      socket.once('close', () => {
        open -= 1
        if (open === 0) onEnd()
      })
    }
  }

  /** Both ends see ECONNRESET. */
  reset(): void {
    for (const socket of this.#sockets) reset(socket)
    this.release()
  }

  /** Keeps what arrives, until `release`. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    for (const wake of this.#released) wake()
    this.#released.clear()
  }

  #forward(from: Socket, to: Socket): void {
    // One after the other, so that bytes keep their order whatever becomes of the delay.
    let last: Promise<unknown> = Promise.resolve()
    const inTurn = (act: () => void) => {
      const dueAt = performance.now() + this.delayMs
      last = last.then(() => this.#whenDue(dueAt)).then(act)
    }
    from.on('data', (chunk) => inTurn(() => to.write(chunk)))
    from.on('end', () => inTurn(() => to.end()))
    // An end that failed takes the other one with it; its 'close' event follows.
    from.on('error', () => reset(to))
  }

  async #whenDue(dueAt: number): Promise<void> {
    while (this.#isHeld) await new Promise<void>((resolve) => this.#released.add(resolve))
    const remainingMs = dueAt - performance.now()
    if (remainingMs <= 0) return
    await sleep(remainingMs)
    // A timer may ring up to a millisecond early, and the connection may be held by now.
    await this.#whenDue(dueAt)
  }
}

/** A socket whose end is under way cannot be reset: Node would never close it, and never come to its own end. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
