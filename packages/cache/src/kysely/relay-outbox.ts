import {
  type Clock,
  type Closeable,
  checkOptionNames,
  type Duration,
  InvalidOptionError,
  ignoreReports,
  parseDuration,
  type Reporter,
  systemClock,
} from '@stepladder/core'
import type { Delivery } from '../write/writer.ts'
import type { Backlog } from './backlog.ts'
import { asKysely } from './database.ts'
import type { KyselyInstance } from './instance.ts'
import { type Invalidates, isWholeCache } from './invalidates.ts'
import { type ListenFunction, listenFunction, type PostgresClient } from './listen.ts'
import { OutboxRows } from './outbox-rows.ts'
import { checkTableName, usualTable } from './outbox-table.ts'
import { Relay } from './relay.ts'

export interface RelayOutboxOptions {
  readonly db: KyselyInstance
  /** Takes the rows of the cache of this name. */
  readonly cache: Invalidates & { clear(): Promise<Delivery> }
  /** How often to look. Default 1 s. */
  readonly poll?: Duration | undefined
  /** Rows delivered together, at most. Default 100. */
  readonly batch?: number | undefined
  /** Postgres: a client of the package `pg` to listen with, or a function; see `createOutboxTable`'s `notify`. */
  readonly listen?: PostgresClient | ListenFunction | undefined
  /** Default `stepladder_cache_outbox`. */
  readonly table?: string | undefined
  /** Hears of each batch: `delivered`, `waiting` with an `OutboxBacklogError`, `failed`. Default: nobody. */
  readonly report?: Reporter | undefined
  readonly clock?: Clock | undefined
}

/** What `relayOutbox` started. `close()` ends it when the batch under way has; close it before the database. */
export interface OutboxRelay extends Closeable {
  /** Looks now: for those who know that there is something new. */
  wake(): void
  /** What waits for delivery, as far as it is committed. Rejects as the database does. */
  backlog(): Promise<Backlog>
}

const owner = 'relayOutbox'
const known = ['db', 'cache', 'poll', 'batch', 'listen', 'table', 'report', 'clock']

/**
 * Delivers what crashes and outages have left in the outbox, in the background: run it in one process or in all.
 * Each row is delivered at least once, and taken out when the cache has said `done`. Throws `InvalidOptionError`
 * or `UnknownOptionError`.
 */
export function relayOutbox(options: RelayOutboxOptions): OutboxRelay {
  checkOptionNames(owner, options, known)
  const { db, cache, poll = '1s', batch = 100, table = usualTable, listen } = options
  const { report = ignoreReports, clock = systemClock } = options
  if (typeof db?.getExecutor !== 'function')
    throw new InvalidOptionError(owner, 'db', db, 'a Kysely instance')
  if (!isWholeCache(cache) || typeof cache.clear !== 'function')
    throw new InvalidOptionError(owner, 'cache', cache, 'a cache, and no namespace')
  if (!(Number.isInteger(batch) && batch > 0 && batch <= 1_000)) {
    throw new InvalidOptionError(owner, 'batch', batch, 'a whole number from 1 to 1000')
  }
  checkTableName(owner, 'table', table)
  const pollMs = parseDuration(owner, 'poll', poll)
  if (!(pollMs >= 10 && pollMs <= 3_600_000))
    throw new InvalidOptionError(owner, 'poll', poll, '10 ms to an hour')
  return new Relay(new OutboxRows(asKysely(db), table, cache.name), {
    ...{ cache, pollMs, batch, report, clock },
    listen: listen && listenFunction(listen),
  })
}
