import type { ToSupervisor } from '../link/messages.ts'
import type { NativeHandle } from '../link/native-handle.ts'
import type { Listener, ListeningSocket } from './listening-socket.ts'
import { PassedConnections } from './passed-connections.ts'

/** A socket that all workers accept from: the supervisor holds it open and has no part in a connection. */
export class SharedSocket implements ListeningSocket {
  readonly listeners: Set<Listener> = new Set()
  readonly #key: string
  readonly #handle: NativeHandle
  readonly #data: unknown
  readonly #passed: PassedConnections

  /** `data` is what the first worker wants the others to share, such as the keys of TLS tickets. */
  constructor(key: string, handle: NativeHandle, data: unknown) {
    this.#key = key
    this.#handle = handle
    this.#data = data
    this.#passed = new PassedConnections({ key, listeners: this.listeners })
  }

  join(listener: Listener, id: number): void {
    this.listeners.add(listener)
    listener.send({ stepladder: 'socket', id, key: this.#key, data: this.#data }, this.#handle)
  }

  pass(client: NativeHandle): void {
    this.#passed.offer(client)
  }

  settle(_listener: Listener, answer: Extract<ToSupervisor, { stepladder: 'accepted' }>): void {
    this.#passed.settle(answer)
  }

  leave(listener: Listener): void {
    this.listeners.delete(listener)
    this.#passed.leave(listener)
  }

  close(): void {
    this.#handle.close()
    this.#passed.close()
  }
}
