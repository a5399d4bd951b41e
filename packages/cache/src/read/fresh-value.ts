import type { Clock } from '@stepladder/core'
import type { Lifetime, Policy } from '../call/policy.ts'
import { spreadDown } from '../call/ttl.ts'
import type { RecordCodec } from '../codec/record.ts'
import type { StoredValue, TagSnapshot } from '../codec/stored-value.ts'
import { Entry, type TagEpoch } from '../memory/entry.ts'

/** A new value in both its forms. */
export interface FreshValue {
  readonly record: Buffer
  readonly entry: Entry
  /** How long the store is to keep it, in milliseconds. */
  readonly keepMs: number
}

/** What is known of a value that was just loaded or given. */
export interface Loaded {
  readonly key: string
  readonly value: unknown
  readonly lifetime: Lifetime
  readonly policy: Policy
  readonly version: string
  readonly etag?: string | undefined
  /** How long loading it took, in milliseconds. */
  readonly loadMs: number
  readonly epochs: readonly TagSnapshot[]
  readonly tags: readonly TagEpoch[]
}

export interface FreshTools {
  readonly clock: Clock
  readonly jitter: number
  readonly codec: RecordCodec
}

/** Throws or rejects with what the codec does for a value that it cannot carry; a promise only where the codec needs one. */
export function makeFresh(
  loaded: Loaded,
  { clock, jitter, codec }: FreshTools,
): FreshValue | Promise<FreshValue> {
  const { key, value, lifetime, policy, version, etag, loadMs, epochs, tags } = loaded
  const createdAt = clock.now()
  const freshUntil = createdAt + spreadDown(lifetime.ttlMs, jitter)
  const staleUntil = freshUntil + lifetime.graceMs
  const stored: StoredValue = { value, createdAt, freshUntil, staleUntil, loadMs, version, etag, epochs }
  const encoded = codec.encode(stored, key)
  const finish = (record: Buffer): FreshValue => ({
    record,
    entry: toEntry(stored, tags, record.length, policy, clock),
    keepMs: staleUntil - createdAt,
  })
  return encoded instanceof Promise ? encoded.then(finish) : finish(encoded)
}

/** What a record says, in the time of this process. */
export function toEntry(
  { value, createdAt, freshUntil, staleUntil, loadMs, version, etag }: StoredValue,
  tags: readonly TagEpoch[],
  size: number,
  policy: Policy,
  clock: Clock,
): Entry {
  // Where the clock of the machine that stored it is ahead, it is not older than just stored.
  const ageMs = Math.max(0, clock.now() - createdAt)
  const bornAt = clock.monotonic() - ageMs
  const ttlMs = freshUntil - createdAt
  return new Entry({
    value,
    tags,
    size,
    version,
    etag,
    retryAt: 0,
    freshUntil: bornAt + ttlMs,
    staleUntil: bornAt + staleUntil - createdAt,
    refreshAt: bornAt + refreshAfterMs(ttlMs, loadMs, policy),
  })
}

/** At what age it is to be loaded anew although it is fresh; infinite where nothing asks for that. */
function refreshAfterMs(ttlMs: number, loadMs: number, { refreshAhead, earlyRefresh }: Policy): number {
  const ahead = refreshAhead === undefined ? Number.POSITIVE_INFINITY : ttlMs * refreshAhead
  if (earlyRefresh === undefined) return ahead
  // XFetch; 1 - random is never zero.
  const early = loadMs * earlyRefresh * -Math.log(1 - Math.random())
  return Math.min(ahead, Math.max(0, ttlMs - early))
}
