import {
  type Clock,
  checkOptionNames,
  type Duration,
  InvalidOptionError,
  ignoreReports,
  parseDuration,
  type RedisOption,
  type Reporter,
  systemClock,
} from '@stepladder/core'
import type { SessionBackend } from './backend.ts'
import type { KyselyDatabase } from './backends/kysely.ts'

/** Where sessions are kept is the first that is given of `redis`, `database` and `backend`; else memory. */
export interface SessionStoreOptions {
  /** A Redis URL or the app's ioredis client, which is duplicated. */
  readonly redis?: RedisOption | undefined
  /** The app's Kysely instance, on Postgres or SQLite. */
  readonly database?: KyselyDatabase | undefined
  /** A place of your own; `testSessionBackend` tells whether it keeps the contract. */
  readonly backend?: SessionBackend | undefined
  /** Stands before each id. Default `'sess:'`, as in connect-redis. */
  readonly prefix?: string | undefined
  /** How long a session may rest when its cookie has no expiry of its own. Default one day. */
  readonly ttl?: Duration | undefined
  /** After this an operation fails with `SessionUnavailableError`. Default 250 ms. */
  readonly timeout?: Duration | undefined
  /** Names this store in reports and metrics. Default `'sessions'`. */
  readonly name?: string | undefined
  /** Hears how each operation ended. */
  readonly report?: Reporter | undefined
  readonly clock?: Clock | undefined
  /** Memory in production: one process on one machine is what you mean. */
  readonly embedded?: boolean | undefined
}

/** The options that do not say where sessions are kept, checked and complete. */
export interface StoreSettings {
  readonly name: string
  readonly prefix: string
  readonly ttlMs: number
  readonly timeoutMs: number
  readonly report: Reporter
  readonly clock: Clock
}

const owner = 'sessionStore'
const optionNames = [
  'redis',
  'database',
  'backend',
  'prefix',
  'ttl',
  'timeout',
  'name',
  'report',
  'clock',
  'embedded',
]

/** Throws `InvalidOptionError` or `UnknownOptionError`, naming the option and its value. */
export function readOptions(options: SessionStoreOptions): StoreSettings {
  checkOptionNames(owner, options, optionNames)
  const { prefix = 'sess:', name = 'sessions', report = ignoreReports, clock = systemClock } = options
  if (typeof prefix !== 'string') throw new InvalidOptionError(owner, 'prefix', prefix, 'a string')
  return {
    name,
    prefix,
    ttlMs: parseTime('ttl', options.ttl ?? '1d'),
    timeoutMs: parseTime('timeout', options.timeout ?? 250),
    report,
    clock,
  }
}

function parseTime(option: string, value: Duration): number {
  const ms = parseDuration(owner, option, value)
  if (ms < 1 || ms === Number.POSITIVE_INFINITY) {
    throw new InvalidOptionError(
      owner,
      option,
      value,
      "a finite duration such as 1000 (milliseconds) or '10m'",
    )
  }
  return Math.ceil(ms)
}
