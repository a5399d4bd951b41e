import { type Duration, InvalidOptionError, parseDuration } from '@stepladder/core'
import { checkKey, checkTags, everything } from './key.ts'
import type { Lifetime } from './ttl.ts'

/** What one call may say about its value; what it leaves out is as the cache was made. */
export interface EntryOptions {
  /** How long the value is served. */
  readonly ttl?: Duration | undefined
  /** How much longer it may stand in while its loader fails. */
  readonly grace?: Duration | undefined
  /** Names under which it can be invalidated together with others. */
  readonly tags?: readonly string[] | undefined
}

/** One value that is wanted or offered: its key, its lifetime, and its tags with the one that all carry. */
export interface Wish extends Lifetime {
  readonly key: string
  readonly tags: readonly string[]
}

const justEverything = [everything]

/** A call's arguments, checked. Throws `InvalidKeyError` or `InvalidOptionError`. */
export function readWish(
  cache: string,
  key: unknown,
  options: EntryOptions | undefined,
  usual: Lifetime,
): Wish {
  checkKey(cache, key)
  if (options === undefined) return { key, tags: justEverything, ...usual }
  const { ttl, grace, tags = [] } = options
  checkTags(cache, tags)
  return {
    key,
    tags: [everything, ...new Set(tags)],
    ttlMs: ttl === undefined ? usual.ttlMs : parseTtl(cache, ttl),
    graceMs: grace === undefined ? usual.graceMs : parseGrace(cache, grace),
  }
}

/** Throws `InvalidOptionError` for a TTL that is zero, negative or endless: nothing stays in Redis for ever. */
export function parseTtl(cache: string, ttl: Duration): number {
  const ms = parseFinite(cache, 'ttl', ttl)
  if (ms < 1) throw new InvalidOptionError(`cache "${cache}"`, 'ttl', ttl, 'one millisecond or more')
  return ms
}

export function parseGrace(cache: string, grace: Duration): number {
  return parseFinite(cache, 'grace', grace)
}

function parseFinite(cache: string, option: string, value: Duration): number {
  const ms = Math.round(parseDuration(`cache "${cache}"`, option, value))
  if (ms <= 10 * 365 * 86_400_000) return ms
  throw new InvalidOptionError(`cache "${cache}"`, option, value, 'ten years or less')
}
