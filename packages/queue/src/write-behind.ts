import { begin, type Closeable, withDeadline } from '@stepladder/core'
import { applier } from './applier.ts'
import type { Broker } from './broker.ts'
import { chooseBroker } from './engine.ts'
import { QueueClosedError, QueueFullError } from './errors.ts'
import { Intake } from './intake.ts'
import { checkOptions, type WriteBehindOptions, type WriteBehindSettings } from './options.ts'
import { encodeRow } from './row-codec.ts'

export interface WriteBehindStats {
  /**
   * Rows on their way to the database. With Redis those of all processes; with the journal those of this
   * process and of the dead ones whose journals it took over.
   */
  readonly pendingRows: number
  /** How long the oldest of them has waited, in milliseconds; 0 when none waits. */
  readonly oldestMs: number
}

/**
 * Opens a write-behind queue: `write` answers as soon as the rows are kept safe, and they reach the sink a
 * moment later, in order. Connects in the background; throws only for options that cannot be used.
 */
export function createWriteBehind<Row extends object>(options: WriteBehindOptions<Row>): WriteBehind<Row> {
  const settings = checkOptions(options)
  return new WriteBehind(settings, chooseBroker(settings))
}

/** Made by `createWriteBehind`. */
export class WriteBehind<Row extends object> implements Closeable {
  readonly #settings: WriteBehindSettings<Row>
  readonly #broker: Broker
  readonly #intake: Intake
  #closed: Promise<void> | undefined

  constructor(settings: WriteBehindSettings<Row>, broker: Broker) {
    const { maxBatchRows, lingerMs, clock, role, redis } = settings
    this.#settings = settings
    this.#broker = broker
    this.#intake = new Intake({ maxBatchRows, lingerMs, clock, enqueue: (batch) => broker.enqueue(batch) })
    if (role === 'both' || redis === undefined) broker.consume(applier(settings))
  }

  /**
   * Resolves when all the rows are kept safe: they reach the sink even if this process dies now. Rejects
   * with `QueueFullError`, `InvalidRowError` or `QueueClosedError` (nothing was accepted), or with
   * `QueueUnavailableError`, within a second of Redis not answering.
   */
  write(rows: Row | readonly Row[]): Promise<void> {
    const { name, report, clock } = this.#settings
    const end = begin({ component: 'queue', name, operation: 'write' }, report, clock)
    const accepted = this.#accept(rows)
    accepted.then(
      () => end('accepted'),
      (cause) => end(outcomeOf(cause), cause),
    )
    return accepted
  }

  /**
   * Resolves when everything that this process wrote so far has been applied. Waits as long as that takes;
   * rejects with the signal's reason once that aborts.
   */
  async flush(signal: AbortSignal = new AbortController().signal): Promise<void> {
    await this.#intake.settled()
    await this.#broker.flushed(signal)
  }

  /** How much is on its way. Rejects when Redis cannot be asked. */
  async stats(): Promise<WriteBehindStats> {
    const { rows, oldestAt } = await this.#broker.backlog()
    const now = this.#settings.clock.now()
    const since = Math.min(oldestAt ?? now, this.#intake.oldestAt ?? now)
    return { pendingRows: rows + this.#intake.pendingRows, oldestMs: Math.max(0, now - since) }
  }

  /**
   * Takes no more rows, waits for those on their way as long as `drainWithin` says, and lets go. What has
   * not reached the database by then stays queued, for another process or the next start.
   */
  close(): Promise<void> {
    this.#closed ??= this.#drainAndClose()
    return this.#closed
  }

  #accept(rows: Row | readonly Row[]): Promise<void> {
    const { name, maxPendingRows } = this.#settings
    if (this.#closed) return Promise.reject(new QueueClosedError(name))
    try {
      const encoded = isList(rows) ? rows.map(encodeRow) : [encodeRow(rows)]
      if (this.#intake.pendingRows + encoded.length > maxPendingRows) {
        throw new QueueFullError(name, maxPendingRows)
      }
      const crates = new Set(encoded.map((row) => this.#intake.add(row)))
      return crates.size === 1 ? [...crates][0]! : Promise.all(crates).then(() => {})
    } catch (refusal) {
      return Promise.reject(refusal)
    }
  }

  async #drainAndClose(): Promise<void> {
    const { name, drainWithinMs, report, clock } = this.#settings
    const end = begin({ component: 'queue', name, operation: 'close' }, report, clock)
    let outcome = 'drained'
    await withDeadline(
      `draining queue "${name}"`,
      drainWithinMs,
      (signal) => this.flush(signal),
      clock,
    ).catch(() => {
      // Not a failure: what is left is safe where it is.
      outcome = 'left'
    })
    await this.#broker.close()
    end(outcome)
  }
}

function isList<Row>(rows: Row | readonly Row[]): rows is readonly Row[] {
  return Array.isArray(rows)
}

function outcomeOf(cause: unknown): string {
  if (cause instanceof QueueFullError) return 'full'
  if (cause instanceof QueueClosedError) return 'closed'
  return 'refused'
}
