import type { PassOn } from '../sockets/pass-on.ts'

/** A connection after its protocol: what a drain waits for. */
export interface Connection {
  /** Takes the next step towards its end, as far as this moment allows. */
  leave(moment: DrainMoment): void
  /** Ends it at once. */
  cut(): void
}

/** What time it is for a connection that leaves, on the clock of the drain, in milliseconds. */
export interface DrainMoment {
  readonly now: number
  /** Until then, a connection that has brought nothing yet may bring its first request. */
  readonly freshUntil: number
  /** Until then, a connection that was answered may bring its next request. */
  readonly idleUntil: number
  readonly passOn: PassOn | undefined
}
