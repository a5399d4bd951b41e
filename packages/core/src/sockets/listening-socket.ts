import type { ToSupervisor, ToWorker } from '../link/messages.ts'
import type { NativeHandle } from '../link/native-handle.ts'

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
  /** Gives a connection, on which nothing is under way, to one of the workers that serve. */
  pass(client: NativeHandle): void
  /** The worker takes a connection that it was offered, or refuses. */
  settle(listener: Listener, answer: Extract<ToSupervisor, { stepladder: 'accepted' }>): void
  leave(listener: Listener): void
  close(): void
}
