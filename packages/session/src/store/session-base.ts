import type { SessionLike } from '../record.ts'

/** What a session was read from: the record, and how that is stored, where that is known. */
export interface SessionBase {
  readonly id: string
  readonly text: string
  readonly stored: string | undefined
  /** The cookie as it was stored. express-session puts one of its own in its place. */
  readonly cookie: SessionLike['cookie']
}

const base = Symbol('what the session was read from')

/**
 * Remembers it at the session itself, out of sight of whoever lists or copies its fields. A `WeakMap` would cost more:
 * each of its entries is work for the garbage collector.
 */
export function rememberBase(session: SessionLike, remembered: SessionBase): void {
  Object.defineProperty(session, base, { value: remembered, configurable: true })
}

export function baseOf(session: SessionLike): SessionBase | undefined {
  // Only `rememberBase` can have put something there.
  return (session as { readonly [base]?: SessionBase })[base]
}
