import { randomUUID } from 'node:crypto'
import { begin, exponentialBackoff, retry, withDeadline } from '@stepladder/core'
import type { Invalidation } from '../bus/bus.ts'
import { type Lifetime, lifetimeOf } from '../call/policy.ts'
import type { Wish } from '../call/wish.ts'
import type { TagSnapshot } from '../codec/stored-value.ts'
import type { Answer } from '../memory/copies.ts'
import { unknownEpoch } from '../memory/entry.ts'
import type { Flight } from '../memory/flights.ts'
import type { CacheParts } from '../parts.ts'
import { makeFresh } from '../read/fresh-value.ts'
import { maxLoadMs } from '../read/lease-keeper.ts'
import { leaseMs } from '../read/store-calls.ts'

/**
 * `done`: every process that can reach the store drops the old value within the fence.
 * `queued`: the store could not be told; this process keeps the invalidation and goes on trying.
 */
export type Delivery = 'done' | 'queued'

const recoverWithinMs = 5_000

/** What changes the cache, here and for the other processes. */
export class Writer {
  readonly #parts: CacheParts
  readonly #closing = new AbortController()
  readonly #id = randomUUID()
  #lastVersion = 0
  #recovery: Promise<void> | undefined

  constructor(parts: CacheParts) {
    this.#parts = parts
  }

  async invalidate(invalidation: Invalidation): Promise<Delivery> {
    const { copies } = this.#parts
    copies.drop(invalidation)
    const delivery = await this.announce(invalidation)
    // Once more: reads that began meanwhile may have met the old record before it was gone.
    copies.sweep(invalidation)
    return delivery
  }

  /** `invalidate`, for what this process has seen to by itself. */
  announce(invalidation: Invalidation): Promise<Delivery> {
    return this.#tellOrQueue(invalidation, () => this.#tell(invalidation, this.#parts.limits.budgetMs))
  }

  /** Throws what the codec throws for the value before anything is changed. While the store is away nothing is kept. */
  async set(wish: Wish, value: unknown): Promise<Delivery> {
    const { copies, codec, limits } = this.#parts
    codec.check(value)
    const lifetime = lifetimeOf(limits.name, value, wish.policy)
    const change = { keys: [wish.key], tags: [] }
    // One that is not to be kept replaces what was there by nothing.
    if (!lifetime) return this.invalidate(change)
    copies.drop(change)
    let delivery: Delivery = 'done'
    // As a flight: reads that come meanwhile share the new value, and an invalidation finds it.
    const flight = copies.loads.start(wish.key, wish.tags, async (flight) => {
      delivery = await this.#tellOrQueue(change, () =>
        withDeadline(
          this.#what,
          limits.budgetMs,
          () => this.#store(flight, wish, value, lifetime),
          limits.clock,
        ),
      )
      return { value, outcome: 'loaded' }
    })
    await flight.answer
    return delivery
  }

  /** Delivers what it can of the journal, for at most the budget, and stops trying. */
  async close(): Promise<void> {
    const { journal, limits } = this.#parts
    this.#closing.abort()
    await this.#recovery
    if (journal.isEmpty) return
    const end = this.#begin('deliver')
    await withDeadline(this.#what, limits.budgetMs, () => this.#tellAll(), limits.clock).then(
      () => end('done'),
      (failure) => end('lost', failure),
    )
  }

  /** While something waits in the journal, what follows waits behind it: the store is known to be away. */
  async #tellOrQueue(invalidation: Invalidation, tell: () => Promise<void>): Promise<Delivery> {
    const { journal } = this.#parts
    if (journal.isEmpty) {
      try {
        await tell()
        return 'done'
      } catch (failure) {
        this.#begin('tell')('failed', failure)
      }
    }
    journal.add(invalidation)
    this.#recovery ??= this.#recover().finally(() => {
      this.#recovery = undefined
    })
    return 'queued'
  }

  /** The store first: who hears the message must not find the old record there. */
  async #tell(invalidation: Invalidation, withinMs: number): Promise<void> {
    const { store, bus, limits } = this.#parts
    await withDeadline(
      this.#what,
      withinMs,
      async () => {
        await store?.invalidate(invalidation)
        if (!store?.announces) await bus.publish(invalidation)
      },
      limits.clock,
    )
  }

  async #store(flight: Flight<Answer>, wish: Wish, value: unknown, lifetime: Lifetime): Promise<void> {
    const { store, bus, copies, limits, jitter, codec } = this.#parts
    const { key, policy } = wish
    const version = `${this.#id}:${++this.#lastVersion}`
    // Under a lease: a command that is late must not bring back what an invalidation after it has removed.
    const lease = { key, token: version }
    const times = { leaseMs, epochsMs: lifetime.ttlMs + lifetime.graceMs + maxLoadMs }
    const { epochs: found } = (await store?.claim([{ ...lease, isTaking: true }], wish.tags, times)) ?? {
      epochs: [],
    }
    flight.whenInvalidated(() => void store?.release([lease]).catch(() => {}))
    // An invalidation that came meanwhile wins: what it removed must not come back.
    if (flight.state !== 'invalidated') {
      const epochs = wish.tags.map((tag, index): TagSnapshot => [tag, found[index] ?? unknownEpoch])
      const tags = epochs.map(([tag, epoch]) => copies.tagOf(flight, tag, epoch))
      const fresh = await makeFresh(
        { key, value, lifetime, policy, version, loadMs: 0, epochs, tags },
        { clock: limits.clock, jitter, codec },
      )
      const isStored = (await store?.set({ ...lease, record: fresh.record, forMs: fresh.keepMs })) ?? true
      if (isStored) copies.keep(key, fresh.entry, flight)
      if (store?.announces) return
    }
    await bus.publish({ keys: [key], tags: [] })
  }

  async #recover(): Promise<void> {
    const end = this.#begin('deliver')
    try {
      await retry(() => this.#tellAll(), {
        attempts: Number.POSITIVE_INFINITY,
        backoff: exponentialBackoff({ baseMs: 100, maxMs: 1_000 }),
        signal: this.#closing.signal,
        clock: this.#parts.limits.clock,
      })
      end('done')
    } catch (failure) {
      end('stopped', failure) // only `close` ends it before its time
    }
  }

  async #tellAll(): Promise<void> {
    const { journal, copies } = this.#parts
    while (!journal.isEmpty) {
      const batch = journal.next()
      await this.#tell(batch, recoverWithinMs)
      copies.drop(batch)
      journal.remove(batch)
    }
  }

  get #what(): string {
    return `cache "${this.#parts.limits.name}": telling its store`
  }

  #begin(operation: string): (outcome: string, cause?: unknown) => void {
    const { name, report, clock } = this.#parts.limits
    return begin({ component: 'cache', name, operation }, report, clock)
  }
}
