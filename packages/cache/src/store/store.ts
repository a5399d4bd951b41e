import type { Closeable } from '@stepladder/core'

/** The answer to a wish to load: granted, with what the store holds at that moment, or somebody else loads. */
export type Lease =
  | { readonly isGranted: true; readonly record: string | null }
  | { readonly isGranted: false }

/**
 * Where processes share values. Records are opaque text. Every method may reject, and does so when the store
 * cannot be reached. A store must keep what its contract says (`testCacheStore`); above all: a fill whose
 * lease was invalidated is refused, so that a load which began before an invalidation leaves nothing behind.
 */
export interface CacheStore extends Closeable {
  get(key: string): Promise<string | null>
  /** Grants the right to load `key` to `token` for `forMs`, unless somebody has it. */
  lease(key: string, token: string, forMs: number): Promise<Lease>
  /** Prolongs a lease that is still held. */
  renew(key: string, token: string, forMs: number): Promise<void>
  /** Gives a lease back unused; harmless when it is not held. */
  release(key: string, token: string): Promise<void>
  /** Stores the record and ends the lease; false, and nothing stored, when `token` does not hold it any more. */
  fill(key: string, token: string, record: string, forMs: number): Promise<boolean>
  /** Stores the record whatever was there, and ends any lease. */
  set(key: string, record: string, forMs: number): Promise<void>
  /** Removes the records and leases of the keys and the epochs of the tags. */
  invalidate(keys: readonly string[], tags: readonly string[]): Promise<void>
  /** The epoch of each tag; null for one that has none, and so equals no snapshot. */
  epochs(tags: readonly string[]): Promise<readonly (string | null)[]>
  /** The epoch of each tag, made up for those without; each lasts for `forMs` at least. */
  ensureEpochs(tags: readonly string[], forMs: number): Promise<readonly string[]>
}
