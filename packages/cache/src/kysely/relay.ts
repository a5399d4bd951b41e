import { begin, type Clock, type End, type Reporter, type Timer } from '@stepladder/core'
import type { Invalidation } from '../bus/bus.ts'
import type { Delivery } from '../write/writer.ts'
import type { Backlog } from './backlog.ts'
import { OutboxBacklogError } from './errors.ts'
import type { Invalidates } from './invalidates.ts'
import type { ListenFunction } from './listen.ts'
import type { OutboxRows, TakenRow } from './outbox-rows.ts'
import { mergeRows } from './stored-invalidation.ts'

/** Of keys, and of tags. */
const namesAtOnce = 1_000

export interface RelaySettings {
  readonly cache: Invalidates & { clear(): Promise<Delivery> }
  readonly pollMs: number
  readonly batch: number
  readonly listen: ListenFunction | undefined
  readonly report: Reporter
  readonly clock: Clock
}

/** Looks for rows when it is woken, and after each poll's time; one look at a time. */
export class Relay {
  readonly #rows: OutboxRows
  readonly #settings: RelaySettings
  readonly #listening: Promise<() => unknown>
  #look: Promise<void> | undefined
  #isWanted = false
  #isClosed = false
  #timer: Timer | undefined

  constructor(rows: OutboxRows, settings: RelaySettings) {
    this.#rows = rows
    this.#settings = settings
    this.#listening = this.#listen()
    this.wake()
  }

  wake(): void {
    this.#isWanted = true
    if (this.#isClosed || this.#look) return
    this.#timer?.cancel()
    this.#look = this.#deliverAll().finally(() => {
      this.#look = undefined
      if (this.#isClosed) return
      const { clock, pollMs } = this.#settings
      if (this.#isWanted) this.wake()
      else this.#timer = clock.after(pollMs, () => this.wake()).unref()
    })
  }

  backlog(): Promise<Backlog> {
    return this.#rows.backlog()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    const stop = await this.#listening
    try {
      await stop()
    } catch {
      // The connection is gone, and nothing is heard from it.
    }
    await this.#look
  }

  /** Batch after batch, until nothing is due or something goes wrong; then the next poll tries again. */
  async #deliverAll(): Promise<void> {
    let isMore = true
    while (isMore && !this.#isClosed) {
      this.#isWanted = false
      isMore = await this.#deliverBatch()
    }
  }

  /** Whether there may be more to deliver. */
  async #deliverBatch(): Promise<boolean> {
    const { batch } = this.#settings
    let end: End | undefined
    let isDone = false
    try {
      const taken = await this.#rows.take(batch, async (rows) => {
        end = this.#begin()
        isDone = (await this.#deliver(rows)) === 'done'
        return isDone
      })
      if (isDone) end?.('delivered')
      else if (taken > 0) end?.('waiting', new OutboxBacklogError(await this.#rows.backlog()))
      return isDone && taken === batch
    } catch (failure) {
      const failed = end ?? this.#begin()
      failed('failed', failure)
      return false
    }
  }

  async #deliver(rows: readonly TakenRow[]): Promise<Delivery> {
    const { cache } = this.#settings
    const merged = mergeRows(rows)
    // A row that cannot be understood may have meant anything.
    if (!merged) return cache.clear()
    for (const part of partsOf(merged)) {
      const delivery = await cache.invalidate(part)
      if (delivery !== 'done') return delivery
    }
    return 'done'
  }

  async #listen(): Promise<() => unknown> {
    try {
      return (await this.#settings.listen?.(() => this.wake())) ?? (() => {})
    } catch (failure) {
      this.#begin()('failed', failure) // without it, there is the poll
      return () => {}
    }
  }

  #begin(): End {
    const { cache, report, clock } = this.#settings
    return begin({ component: 'cache', name: cache.name, operation: 'outbox' }, report, clock)
  }
}

/** What a cache can be told within its budget: all at once would be `queued` for ever, and clear the cache each time. */
function* partsOf({ keys, tags }: Invalidation): Generator<Invalidation> {
  for (let from = 0; from < Math.max(keys.length, tags.length); from += namesAtOnce) {
    const to = from + namesAtOnce
    yield { keys: keys.slice(from, to), tags: tags.slice(from, to) }
  }
}
