/** How many sessions a user may have, and whether one more is added all the same, or not. */
export interface Room {
  readonly most: number
  readonly whenFull: 'add' | 'refuse'
}

/** `over`: the keys of those that must go so that the new one has room; they are still listed. */
export type Admission =
  | { readonly isAdmitted: true; readonly over: readonly string[] }
  | { readonly isAdmitted: false }

/**
 * Which sessions each user has: a list of their keys, each with the time until which it may live. Whoever writes one
 * must pass `testUserIndex`. An entry whose time is over is missing. It says nothing about whether the session lives:
 * an entry may outlive its session, and never the other way around.
 * `ttlMs` is a whole number of milliseconds from now, at least 1. Failures reject.
 */
export interface UserIndex {
  /** Lists a session in one atomic step with the count of the others. Those that would end first are `over`, never `key`. */
  admit(user: string, key: string, ttlMs: number, room: Room): Promise<Admission>
  /** Lists a session, or moves the end of its entry, but only to a later time. */
  renew(user: string, key: string, ttlMs: number): Promise<void>
  /** Takes entries away; those that are not there are fine. */
  remove(user: string, keys: readonly string[]): Promise<void>
  /** The user's keys, the one that ends first at the head. */
  list(user: string): Promise<readonly string[]>
  /** Every user who has an entry. */
  users(): Promise<readonly string[]>
}
