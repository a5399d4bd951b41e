import type { Closeable } from '@stepladder/core'
import type { ExpiryIndex } from './expiry/expiry-index.ts'
import type { ChangeFeed, ChangeListener, FollowOptions } from './near/change-feed.ts'
import type { UserIndex } from './users/user-index.ts'

/** How `replace` ended: done, or else what is there now; `undefined` when nothing is. */
export type Replaced =
  | { readonly isDone: true }
  | { readonly isDone: false; readonly current: string | undefined }

/**
 * Where records are kept: text under an id, for a time. Whoever writes one must pass `testSessionBackend`.
 * A record whose time is over is missing, for every method. `ttlMs` is a whole number of milliseconds from now, at least 1.
 *
 * Calls for a record, by whichever process, are answered as if they came one after the other, each between its begin and
 * its end. Failures reject; none is hidden: a call that rejects may have been done all the same, and is not made again.
 * A backend whose place was away works again by itself when the place is back.
 */
export interface SessionBackend extends Closeable {
  /**
   * True where each call settles by itself, in the time that its place was given: nobody has to watch it then. Elsewhere
   * a call may take as long as its place is away, and settles when that is back.
   */
  readonly endsInTime?: boolean | undefined
  get(id: string): Promise<string | undefined>
  /** Writes the record, whatever was there. */
  put(id: string, text: string, ttlMs: number): Promise<void>
  /** Writes the record only if there is none, in one atomic step, and says whether it did. */
  putNew(id: string, text: string, ttlMs: number): Promise<boolean>
  /** Writes the record only if it is `expected` to the letter, in one atomic step; never creates one. */
  replace(id: string, expected: string, text: string, ttlMs: number): Promise<Replaced>
  /** Moves the record's end, and says whether there was one to move; never creates one. */
  touch(id: string, ttlMs: number): Promise<boolean>
  /**
   * Once this resolved, the record is missing until somebody `put`s one. Resolves to the record as it was when it ended,
   * in the same atomic step; undefined when there was none.
   */
  destroy(id: string): Promise<string | undefined>
  /** Every record by its id. */
  all(): Promise<ReadonlyMap<string, string>>
  length(): Promise<number>
  /** Destroys every record. */
  clear(): Promise<void>
  /** Which sessions each user has; `createSessions` needs it for its option `userOf`. `testUserIndex` is its contract. */
  readonly users?: UserIndex | undefined
  /** Sessions whose end somebody waits for: the hook `expired` needs it. `testExpiryIndex` is its contract. */
  readonly expiries?: ExpiryIndex | undefined
  /**
   * Tells of each record that is written, touched or removed, by whomever. Missing where a place cannot. `testChangeFeed`
   * is its contract.
   */
  follow?(listener: ChangeListener, options: FollowOptions): ChangeFeed
}
