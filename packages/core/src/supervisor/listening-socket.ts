import type { ToWorker } from '../cluster/messages.ts'
import type { NativeHandle } from '../cluster/native-handle.ts'

/** A worker as a listening socket needs it. */
export interface Listener {
  readonly instance: number
  readonly state: string
  send(message: ToWorker, handle?: NativeHandle): void
}

/** One address that the app listens on, with the workers that do. */
export interface ListeningSocket {
  readonly listeners: ReadonlySet<Listener>
  /** Answers the worker that asked. */
  join(listener: Listener, id: number): void
  leave(listener: Listener): void
  close(): void
}
