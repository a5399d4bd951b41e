import type { Clock } from '@stepladder/core'
import { spreadDown } from '../call/ttl.ts'
import type { Wish } from '../call/wish.ts'
import { encodeRecord, type StoredValue, type TagSnapshot } from '../codec/record.ts'
import type { Entry, TagEpoch } from '../memory/entry.ts'

/** A new value in both its forms. */
export interface FreshValue {
  readonly record: string
  readonly entry: Entry
  /** How long the store is to keep it, in milliseconds. */
  readonly keepMs: number
}

/** A value that was just loaded or given. Throws `UnstorableValueError`. */
export function makeFresh(
  value: unknown,
  { ttlMs, graceMs }: Wish,
  epochs: readonly TagSnapshot[],
  tags: readonly TagEpoch[],
  { clock, jitter }: { readonly clock: Clock; readonly jitter: number },
): FreshValue {
  const createdAt = clock.now()
  const freshUntil = createdAt + spreadDown(ttlMs, jitter)
  const stored = { value, createdAt, freshUntil, staleUntil: freshUntil + graceMs, epochs }
  const record = encodeRecord(stored)
  const entry = toEntry(stored, tags, record.length, clock)
  return { record, entry, keepMs: stored.staleUntil - createdAt }
}

/** What a record says, in the time of this process. */
export function toEntry(
  { value, createdAt, freshUntil, staleUntil }: StoredValue,
  tags: readonly TagEpoch[],
  size: number,
  clock: Clock,
): Entry {
  const now = clock.monotonic()
  // Where the clock of the machine that stored it is ahead, it is not older than just stored.
  const ageMs = Math.max(0, clock.now() - createdAt)
  return {
    ...{ value, tags, size, retryAt: 0 },
    freshUntil: now + freshUntil - createdAt - ageMs,
    staleUntil: now + staleUntil - createdAt - ageMs,
  }
}
