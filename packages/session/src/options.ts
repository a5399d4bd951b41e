import {
  type Clock,
  type Duration,
  type EncryptOptions,
  InvalidOptionError,
  ignoreReports,
  parseDuration,
  type RedisOption,
  type Reporter,
  systemClock,
} from '@stepladder/core'
import type { SessionBackend } from './backend.ts'
import type { KyselyDatabase } from './backends/kysely.ts'
import { type OldStore, readOldStore } from './migrate/old-store.ts'
import { EncryptedRecords } from './record/encrypted-records.ts'
import { type Sealer, unsealed } from './record/sealer.ts'

/** Where sessions are kept: the first that is given of `redis`, `database` and `backend`; else memory. */
export interface PlaceOptions {
  /** A Redis URL or the app's ioredis client, which is duplicated. */
  readonly redis?: RedisOption | undefined
  /** The app's Kysely instance, on Postgres or SQLite. */
  readonly database?: KyselyDatabase | undefined
  /** A place of your own; `testSessionBackend` tells whether it keeps the contract. */
  readonly backend?: SessionBackend | undefined
  /** Stands before each id. Default `'sess:'`, as in connect-redis. */
  readonly prefix?: string | undefined
  /** Encrypts the records, and binds each to its session. Default: none, so that connect-redis can read them. */
  readonly encrypt?: EncryptOptions | undefined
  /**
   * Where sessions were kept before: a store of express-session. One that is not here is taken from there when its cookie
   * is shown, and nobody is logged out by the change. It stays open when these sessions are closed.
   */
  readonly migrateFrom?: OldStore | undefined
  /** After this an operation fails with `SessionUnavailableError`. Default 200 ms, so that an answer takes less than 250. */
  readonly timeout?: Duration | undefined
  /** Names these sessions in reports and metrics. Default `'sessions'`. */
  readonly name?: string | undefined
  /** Hears how each operation ended. */
  readonly report?: Reporter | undefined
  readonly clock?: Clock | undefined
  /** Memory in production: one process on one machine is what you mean. */
  readonly embedded?: boolean | undefined
}

/** The options that do not say where sessions are kept, checked and complete. */
export interface PlaceSettings {
  readonly name: string
  readonly prefix: string
  readonly sealer: Sealer
  readonly migrateFrom: OldStore | undefined
  /** Undefined: no session gets another id by itself. */
  readonly rotateEveryMs?: number | undefined
  readonly timeoutMs: number
  readonly report: Reporter
  readonly clock: Clock
}

export const placeOptionNames: readonly string[] = [
  ...['redis', 'database', 'backend', 'prefix', 'timeout', 'name', 'report', 'clock', 'embedded'],
  ...['encrypt', 'migrateFrom'],
]

/** Throws `InvalidOptionError`. */
export function readPlace(owner: string, options: PlaceOptions): PlaceSettings {
  const { prefix = 'sess:', name = 'sessions', report = ignoreReports, clock = systemClock } = options
  if (typeof prefix !== 'string') throw new InvalidOptionError(owner, 'prefix', prefix, 'a string')
  const timeoutMs = parseTime(owner, 'timeout', options.timeout ?? 200)
  // Nothing but undefined means none: an empty text of the environment must not leave records open.
  const { encrypt } = options
  const sealer = encrypt === undefined ? unsealed : new EncryptedRecords(owner, prefix, encrypt)
  const migrateFrom = readOldStore(owner, options.migrateFrom)
  return { name, prefix, sealer, migrateFrom, timeoutMs, report, clock }
}

/** Whole milliseconds. Throws `InvalidOptionError` for what is no time, or has no end. */
export function parseTime(owner: string, option: string, value: Duration): number {
  const ms = parseDuration(owner, option, value)
  if (ms < 1 || ms === Number.POSITIVE_INFINITY) {
    const wanted = "a finite duration such as 1000 (milliseconds) or '10m'"
    throw new InvalidOptionError(owner, option, value, wanted)
  }
  return Math.ceil(ms)
}
