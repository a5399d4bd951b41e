import {
  type Clock,
  checkOptionNames,
  type Duration,
  InvalidOptionError,
  ignoreReports,
  parseDuration,
  parseSize,
  type RedisOption,
  type Reporter,
  type Size,
  systemClock,
} from '@stepladder/core'
import type { Bus } from './bus/bus.ts'
import { type Policy, type PolicyOptions, parseTtl, policyOptionNames, readPolicy } from './call/policy.ts'
import { type RecordOptions, readRecordOptions } from './codec/options.ts'
import { type RecordCodec, recordCodec } from './codec/record.ts'
import type { CacheStore } from './store/store.ts'

export interface CacheOptions extends Omit<PolicyOptions, 'ttl'>, RecordOptions {
  /** Part of every key in Redis and of every report: letters, digits, `_`, `.` and `-`, at most 64. One per process. */
  readonly name: string
  /** How long a value is served. Required: a value without an end is a bug in waiting. */
  readonly ttl: Duration
  /** A URL, or a client that the app has; it is duplicated. Undefined: the embedded engine. */
  readonly redis?: RedisOption | undefined
  /** Whether Redis is asked to tell of writes by other programs too (`CLIENT TRACKING`). Default true. */
  readonly tracking?: boolean | undefined
  /** TTLs are shortened by a random share of up to this. Default 0.1. */
  readonly jitter?: number | undefined
  /** Values in the memory of this process. Default 10,000. */
  readonly maxEntries?: number | undefined
  /** Their size together, measured as that of their records and keys. Default '64mb'. */
  readonly maxBytes?: Size | undefined
  /** Makes kept values read-only, so that a caller who changes one for all is caught. Default: in development and tests. */
  readonly freeze?: boolean | undefined
  /**
   * Compares this share of the hits of `getOrSet` with what their loader brings now, and reports what is served
   * longer than the contract allows: operation `audit`, outcome `stale`. Loads once more for each, one at a time. Default 0.
   */
  readonly audit?: number | undefined
  /** All the time that one call may spend at Redis. Default 250 ms. */
  readonly readBudget?: Duration | undefined
  /** Hears how each operation ended. Default: nobody. */
  readonly report?: Reporter | undefined
  readonly clock?: Clock | undefined
  /** Allows the embedded engine in production. */
  readonly embedded?: boolean | undefined
  /** A store of your own in place of Redis; give a bus that reaches all its users too. */
  readonly store?: CacheStore | undefined
  /** Carries invalidations to the other processes that use `store`. */
  readonly bus?: Bus | undefined
}

/** The options, checked and complete. */
export interface CacheSettings extends Pick<CacheOptions, 'redis' | 'store' | 'bus'> {
  readonly name: string
  readonly usual: Policy
  readonly codec: RecordCodec
  readonly jitter: number
  readonly maxEntries: number
  readonly maxBytes: number
  readonly budgetMs: number
  readonly auditRate: number
  readonly freeze: boolean | undefined
  readonly report: Reporter
  readonly clock: Clock
  readonly isEmbeddedMeant: boolean
  readonly tracking: boolean
}

const recordOptionNames = ['codec', 'maxValueBytes', 'compress', 'encrypt'] as const
const known = [
  ...['name', 'redis', 'jitter', 'maxEntries', 'maxBytes', 'readBudget', 'freeze', 'audit'],
  ...['report', 'clock', 'embedded', 'store', 'bus', 'tracking'],
  ...policyOptionNames,
  ...recordOptionNames,
]

/** Throws `UnknownOptionError` or `InvalidOptionError`. */
export function readOptions(options: CacheOptions): CacheSettings {
  const { name, redis, store, bus, jitter = 0.1, maxEntries = 10_000, maxBytes = '64mb' } = options
  const {
    readBudget = 250,
    report = ignoreReports,
    clock = systemClock,
    embedded = false,
    freeze,
    audit = 0,
  } = options
  const refuse = (option: string, value: unknown, expected: string): never => {
    throw new InvalidOptionError(`cache "${name}"`, option, value, expected)
  }
  checkOptionNames(`cache "${name}"`, options, known)
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name)) {
    refuse('name', name, 'of 1 to 64 letters, digits, "_", "." and "-"')
  }
  if (redis === '') refuse('redis', redis, 'a URL, a client, or undefined for the embedded engine')
  if (redis !== undefined && store !== undefined) refuse('store', store, 'left out where "redis" is given')
  if (bus !== undefined && store === undefined) refuse('bus', bus, 'given together with "store"')
  if (!(jitter >= 0 && jitter < 1)) refuse('jitter', jitter, 'a number from 0 to below 1')
  if (!(audit >= 0 && audit <= 1)) refuse('audit', audit, 'a number from 0 to 1')
  if (!(Number.isInteger(maxEntries) && maxEntries > 0))
    refuse('maxEntries', maxEntries, 'a whole number above 0')
  // Also where nothing leaves the process: development is to find what production would refuse.
  readRecordOptions({ name, ...recordOptionsOf(options, true) })
  const budgetMs = parseDuration(`cache "${name}"`, 'readBudget', readBudget)
  if (!(budgetMs > 0 && budgetMs <= 60_000)) refuse('readBudget', readBudget, 'above 0 and at most a minute')
  return {
    ...{ name, redis, store, bus, jitter, maxEntries, budgetMs, freeze, report, clock },
    auditRate: audit,
    usual: readPolicy(name, options, { ttlMs: parseTtl(name, options.ttl), graceMs: 0, isStrong: false }),
    codec: recordCodec({ name, ...recordOptionsOf(options, redis !== undefined || store !== undefined) }),
    maxBytes: parseSize(`cache "${name}"`, 'maxBytes', maxBytes),
    isEmbeddedMeant: embedded,
    tracking: options.tracking ?? true,
  }
}

/** Where nothing leaves the process, records are made for their size alone: neither small nor secret. */
function recordOptionsOf(
  { codec, maxValueBytes, compress, encrypt }: CacheOptions,
  isShared: boolean,
): RecordOptions {
  return isShared ? { codec, maxValueBytes, compress, encrypt } : { codec, maxValueBytes }
}
