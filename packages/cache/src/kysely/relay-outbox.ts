import {
  begin,
  type Clock,
  type Closeable,
  checkOptionNames,
  type Duration,
  InvalidOptionError,
  ignoreReports,
  parseDuration,
  type Reporter,
  systemClock,
  type Timer,
} from '@stepladder/core'
import type { Invalidation } from '../bus/bus.ts'
import type { Delivery } from '../write/writer.ts'
import { asKysely, type KyselyInstance } from './database.ts'
import { OutboxBacklogError } from './errors.ts'
import { type ListenFunction, listenFunction, type PostgresClient } from './listen.ts'
import { type Backlog, OutboxRows, type TakenRow } from './outbox-rows.ts'
import { checkTableName, usualTable } from './outbox-table.ts'
import { mergeRows } from './stored-invalidation.ts'
import type { Invalidates } from './write-watch.ts'

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

const owner = 'relayOutbox'
const known = ['db', 'cache', 'poll', 'batch', 'listen', 'table', 'report', 'clock']

/**
 * Delivers what crashes and outages have left in the outbox, in the background: run it in one process or in all.
 * Each row is delivered at least once, and taken out when the cache has said `done`. Throws `InvalidOptionError`
 * or `UnknownOptionError`.
 */
export function relayOutbox(options: RelayOutboxOptions): OutboxRelay {
  checkOptionNames(owner, options, known)
  const { db, cache, poll = '1s', batch = 100, table = usualTable } = options
  if (typeof db?.getExecutor !== 'function')
    throw new InvalidOptionError(owner, 'db', db, 'a Kysely instance')
  if (typeof cache?.invalidate !== 'function') throw new InvalidOptionError(owner, 'cache', cache, 'a cache')
  if (!(Number.isInteger(batch) && batch > 0 && batch <= 1_000)) {
    throw new InvalidOptionError(owner, 'batch', batch, 'a whole number from 1 to 1000')
  }
  checkTableName(owner, 'table', table)
  const pollMs = parseDuration(owner, 'poll', poll)
  if (!(pollMs >= 10 && pollMs <= 3_600_000))
    throw new InvalidOptionError(owner, 'poll', poll, '10 ms to an hour')
  return new OutboxRelay(new OutboxRows(asKysely(db), table, cache.name), { ...options, pollMs, batch })
}

interface RelaySettings extends Pick<RelayOutboxOptions, 'cache' | 'listen' | 'report' | 'clock'> {
  readonly pollMs: number
  readonly batch: number
}

/** What `relayOutbox` started. */
export class OutboxRelay implements Closeable {
  readonly #rows: OutboxRows
  readonly #settings: RelaySettings
  readonly #clock: Clock
  readonly #report: Reporter
  readonly #listening: Promise<() => unknown>
  #round: Promise<void> | undefined
  #isWanted = false
  #isClosed = false
  #timer: Timer | undefined

  /** Not for callers: `relayOutbox()` makes one. */
  constructor(rows: OutboxRows, settings: RelaySettings) {
    this.#rows = rows
    this.#settings = settings
    this.#clock = settings.clock ?? systemClock
    this.#report = settings.report ?? ignoreReports
    this.#listening = this.#listen()
    this.wake()
  }

  /** Looks now: for those who know that there is something new. */
  wake(): void {
    this.#isWanted = true
    if (this.#isClosed || this.#round) return
    this.#timer?.cancel()
    this.#round = this.#look().finally(() => {
      this.#round = undefined
      if (this.#isClosed) return
      if (this.#isWanted) this.wake()
      else this.#timer = this.#clock.after(this.#settings.pollMs, () => this.wake()).unref()
    })
  }

  /** What waits for delivery, as far as it is committed. Rejects as the database does. */
  backlog(): Promise<Backlog> {
    return this.#rows.backlog()
  }

  /** Ends when the batch under way has. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    const stop = await this.#listening
    // The client's connection may be gone, and nothing is heard from it then.
    await Promise.resolve()
      .then(stop)
      .catch(() => {})
    await this.#round
  }

  /** Batch after batch until nothing is due, or something goes wrong. */
  async #look(): Promise<void> {
    const { batch } = this.#settings
    let isMore = true
    while (isMore && !this.#isClosed) {
      this.#isWanted = false
      const end = this.#begin()
      let isDone = false
      try {
        const taken = await this.#rows.take(batch, async (rows) => {
          isDone = (await this.#deliver(rows)) === 'done'
          return isDone
        })
        if (taken > 0) end(isDone ? 'delivered' : 'waiting', isDone ? undefined : await this.#backlogError())
        isMore = isDone && taken === batch
      } catch (failure) {
        // The next poll tries again.
        end('failed', failure)
        isMore = false
      }
    }
  }

  async #deliver(rows: readonly TakenRow[]): Promise<Delivery> {
    const { cache } = this.#settings
    const merged: Invalidation | undefined = mergeRows(rows)
    // A row that cannot be understood may have meant anything.
    return merged ? cache.invalidate(merged) : cache.clear()
  }

  async #backlogError(): Promise<OutboxBacklogError> {
    return new OutboxBacklogError(await this.#rows.backlog())
  }

  async #listen(): Promise<() => unknown> {
    const { listen } = this.#settings
    if (!listen) return () => {}
    return listenFunction(listen)(() => this.wake()).catch((failure) => {
      this.#begin()('failed', failure) // without it, there is the poll
      return () => {}
    })
  }

  #begin(): (outcome: string, cause?: unknown) => void {
    const { cache } = this.#settings
    return begin({ component: 'cache', name: cache.name, operation: 'outbox' }, this.#report, this.#clock)
  }
}
