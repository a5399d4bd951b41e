import type { Closeable } from '@stepladder/core'
import type { Invalidation } from '../bus/bus.ts'

/** The right to load one key: nobody else has it while `token` stands in the store. */
export interface Lease {
  readonly key: string
  readonly token: string
}

/** A wish for a record, and for the lease where there is none. */
export interface Claim extends Lease {
  /** The lease is wanted although there is a record, which turned out to be old. */
  readonly isForced?: boolean | undefined
  /** The lease is taken from whoever has it: a `set` follows. */
  readonly isTaking?: boolean | undefined
}

export interface Claimed {
  /** What the store holds at this moment. */
  readonly record: Buffer | null
  /** False where there is a record (and the claim did not insist), and where somebody else has the lease. */
  readonly isGranted: boolean
}

/** The answers to claims, in their order, and the epochs of the tags in theirs. */
export interface Claims {
  readonly claimed: readonly Claimed[]
  readonly epochs: readonly string[]
}

/** A record to be stored under a lease. */
export interface Fill extends Lease {
  readonly record: Buffer
  /** How long the store is to keep it, in milliseconds. */
  readonly forMs: number
}

/**
 * Where processes share values. Records are opaque bytes. Every method may reject, and does so when the store
 * cannot be reached. Lists are answered in their order; the cache asks for at most 128 keys at a time, so that
 * one call may be one command. A store must keep what its contract says (`testCacheStore`); above all: a fill
 * whose lease was invalidated is refused, so that a load which began before an invalidation leaves nothing behind.
 */
export interface CacheStore extends Closeable {
  /** True if `invalidate` and `set` also tell the other processes, so that no bus has to publish it. */
  readonly announces?: boolean | undefined
  get(keys: readonly string[]): Promise<readonly (Buffer | null)[]>
  /**
   * The record of each key, and where there is none (or the claim is forced) the lease for `leaseMs`, unless somebody
   * has it; a claim that takes gets it in any case. With that the epochs of `tags`, made up for those without, each lasting for `epochsMs` at least; they
   * are as they were before the leases were granted, or at the same moment.
   */
  claim(claims: readonly Claim[], tags: readonly string[], times: ClaimTimes): Promise<Claims>
  /** Stores each record and ends its lease; false, and nothing stored, where the token does not hold it any more. */
  fill(fills: readonly Fill[]): Promise<readonly boolean[]>
  /** A fill with what was given, under a lease that was taken for it, of which the others are to hear. */
  set(fill: Fill): Promise<boolean>
  /** Prolongs the leases that are still held. */
  renew(leases: readonly Lease[], forMs: number): Promise<void>
  /** Gives leases back unused; harmless where they are not held. */
  release(leases: readonly Lease[]): Promise<void>
  /** Removes the records and leases of the keys and the epochs of the tags. */
  invalidate(invalidation: Invalidation): Promise<void>
  /** The epoch of each tag; null for one that has none, and so equals no snapshot. */
  epochs(tags: readonly string[]): Promise<readonly (string | null)[]>
}

/** In milliseconds. */
export interface ClaimTimes {
  readonly leaseMs: number
  readonly epochsMs: number
}
