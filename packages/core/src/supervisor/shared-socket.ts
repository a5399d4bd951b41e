import type { NativeHandle } from '../cluster/native-handle.ts'
import type { Listener, ListeningSocket } from './listening-socket.ts'

/** A socket that all workers accept from: the supervisor holds it open and has no part in a connection. */
export class SharedSocket implements ListeningSocket {
  readonly listeners: Set<Listener> = new Set()
  readonly #key: string
  readonly #handle: NativeHandle
  readonly #data: unknown

  /** `data` is what the first worker wants the others to share, such as the keys of TLS tickets. */
  constructor(key: string, handle: NativeHandle, data: unknown) {
    this.#key = key
    this.#handle = handle
    this.#data = data
  }

  join(listener: Listener, id: number): void {
    this.listeners.add(listener)
    listener.send({ stepladder: 'socket', id, key: this.#key, data: this.#data }, this.#handle)
  }

  leave(listener: Listener): void {
    this.listeners.delete(listener)
  }

  close(): void {
    this.#handle.close()
  }
}
