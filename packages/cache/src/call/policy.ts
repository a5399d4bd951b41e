import { type Duration, InvalidOptionError, parseDuration } from '@stepladder/core'

/** How long a value is good for. In milliseconds. */
export interface Lifetime {
  readonly ttlMs: number
  /** How much longer it may stand in while its loader fails, or is slow. */
  readonly graceMs: number
}

/** How one value is loaded, kept and served. Times are in milliseconds; undefined: without that limit. */
export interface Policy extends Lifetime {
  /** Decides the TTL from the value. */
  readonly ttlOf?: ((value: unknown) => Duration) | undefined
  /** The TTL of null and undefined. */
  readonly negativeTtlMs?: number | undefined
  /** How long a read waits where an older value may stand in. */
  readonly softMs?: number | undefined
  /** How long a read waits for its loader at all. */
  readonly hardMs?: number | undefined
  /** The share of its TTL after which a value is loaded anew while it is served. */
  readonly refreshAhead?: number | undefined
  /** XFetch's beta. */
  readonly earlyRefresh?: number | undefined
  /** Memory is not served: the store is asked. */
  readonly isStrong: boolean
}

/** What a caller may say about how a value is loaded, kept and served. */
export interface PolicyOptions<T = unknown> {
  /**
   * How long the value is served: milliseconds, `'10m'`, or a function that decides it from the value. A function
   * may answer 0: then the value goes to its callers and is not kept.
   */
  readonly ttl?: Duration | ((value: T) => Duration) | undefined
  /** The TTL where the value is null or undefined. Default: as any other value's. */
  readonly negativeTtl?: Duration | undefined
  /** How long after its TTL a value may stand in while its loader fails or is slow. Default 0: not at all. */
  readonly grace?: Duration | undefined
  /** How long a read waits, Redis included, where an older value may stand in; loading goes on. Default: to the end. */
  readonly softTimeout?: Duration | undefined
  /** How long a read waits for its loader before it rejects with `LoadTimeoutError`; loading goes on. Default: to the end. */
  readonly hardTimeout?: Duration | undefined
  /** After this share of its TTL, from 0 to 1, a value that is asked for is loaded anew while it is still served. Default: never. */
  readonly refreshAhead?: number | false | undefined
  /**
   * Loads a value anew some time before its TTL is over, by chance, the likelier the longer its loading takes: the
   * beta of XFetch (Vattani et al., "Optimal Probabilistic Cache Stampede Prevention", PVLDB 8(8), 2015), where 1 is
   * the usual value and more is earlier. Each process draws once per value. Default: not.
   */
  readonly earlyRefresh?: number | false | undefined
  /** Asks Redis each time and serves nothing from memory: F is 0. Default false. */
  readonly strong?: boolean | undefined
}

/** The names of `PolicyOptions`. */
export const policyOptionNames: readonly (keyof PolicyOptions)[] = [
  ...(['ttl', 'negativeTtl', 'grace', 'softTimeout', 'hardTimeout'] as const),
  ...(['refreshAhead', 'earlyRefresh', 'strong'] as const),
]

const tenYearsMs = 10 * 365 * 86_400_000

/** What is said, and for the rest what is usual. Throws `InvalidOptionError`. */
export function readPolicy(cache: string, said: PolicyOptions<never>, usual: Policy): Policy {
  const { ttl, negativeTtl, grace, softTimeout, hardTimeout, strong = usual.isStrong } = said
  const { refreshAhead = usual.refreshAhead ?? false, earlyRefresh = usual.earlyRefresh ?? false } = said
  const owner = `cache "${cache}"`
  if (refreshAhead !== false && !(refreshAhead > 0 && refreshAhead < 1))
    throw new InvalidOptionError(
      owner,
      'refreshAhead',
      refreshAhead,
      'false, or a number above 0 and below 1',
    )
  if (earlyRefresh !== false && !(earlyRefresh > 0 && earlyRefresh <= 100))
    throw new InvalidOptionError(
      owner,
      'earlyRefresh',
      earlyRefresh,
      'false, or a number above 0 and at most 100',
    )
  if (typeof strong !== 'boolean') throw new InvalidOptionError(owner, 'strong', strong, 'true or false')
  const isDecided = typeof ttl === 'function'
  const orUsual = <T>(value: Duration | undefined, read: (value: Duration) => T, otherwise: T) =>
    value === undefined ? otherwise : read(value)
  return {
    refreshAhead: refreshAhead === false ? undefined : refreshAhead,
    earlyRefresh: earlyRefresh === false ? undefined : earlyRefresh,
    isStrong: strong,
    ttlMs: orUsual(isDecided ? undefined : ttl, (value) => parseTtl(cache, value), usual.ttlMs),
    // It is asked for the values of this very call, which are of its type.
    ttlOf: isDecided ? (ttl as (value: unknown) => Duration) : ttl === undefined ? usual.ttlOf : undefined,
    negativeTtlMs: orUsual(
      negativeTtl,
      (value) => parseTtl(cache, value, 'negativeTtl'),
      usual.negativeTtlMs,
    ),
    graceMs: orUsual(grace, (value) => parseFinite(cache, 'grace', value), usual.graceMs),
    softMs: orUsual(softTimeout, (value) => parseWait(cache, 'softTimeout', value), usual.softMs),
    hardMs: orUsual(hardTimeout, (value) => parseWait(cache, 'hardTimeout', value), usual.hardMs),
  }
}

/** How long this value is good for; undefined: it is not to be kept. Throws `InvalidOptionError`. */
export function lifetimeOf(cache: string, value: unknown, policy: Policy): Lifetime | undefined {
  const { ttlOf, negativeTtlMs, graceMs } = policy
  const isNegative = value === null || value === undefined
  if (isNegative && negativeTtlMs !== undefined) return { ttlMs: negativeTtlMs, graceMs }
  if (!ttlOf) return policy
  const decidedMs = parseFinite(cache, 'ttl', ttlOf(value))
  return decidedMs < 1 ? undefined : { ttlMs: decidedMs, graceMs }
}

/** Throws `InvalidOptionError` for a TTL that is zero, negative or endless: nothing stays in Redis for ever. */
export function parseTtl(cache: string, ttl: Duration, option = 'ttl'): number {
  const ms = parseFinite(cache, option, ttl)
  if (ms < 1) throw new InvalidOptionError(`cache "${cache}"`, option, ttl, 'one millisecond or more')
  return ms
}

function parseWait(cache: string, option: string, value: Duration): number {
  const ms = parseFinite(cache, option, value)
  if (ms < 1) throw new InvalidOptionError(`cache "${cache}"`, option, value, 'one millisecond or more')
  return ms
}

function parseFinite(cache: string, option: string, value: Duration): number {
  const ms = Math.round(parseDuration(`cache "${cache}"`, option, value))
  if (ms <= tenYearsMs) return ms
  throw new InvalidOptionError(`cache "${cache}"`, option, value, 'ten years or less')
}
