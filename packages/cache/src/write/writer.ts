import { begin, exponentialBackoff, retry, withDeadline } from '@stepladder/core'
import type { Invalidation } from '../bus/bus.ts'
import { type Lifetime, lifetimeOf } from '../call/policy.ts'
import { uniqueName } from '../call/unique.ts'
import type { Wish } from '../call/wish.ts'
import type { TagSnapshot } from '../codec/stored-value.ts'
import type { Answer } from '../memory/copies.ts'
import { type Entry, hasCurrentTags, unknownEpoch } from '../memory/entry.ts'
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

/** A value that was given to be stored. */
interface Given {
  readonly wish: Wish
  readonly value: unknown
  readonly lifetime: Lifetime
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal
}

/** What changes the cache, here and for the other processes. */
export class Writer {
  readonly #parts: CacheParts
  readonly #closing = new AbortController()
  readonly #id = uniqueName()
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
    const told: { delivery: Delivery } = { delivery: 'done' }
    // As a flight: reads that come meanwhile share the new value, and an invalidation finds it.
    const flight = copies.loads.start(wish.key, wish.tags, async (flight) => {
      told.delivery = await this.#tellOrQueue(change, () =>
        withDeadline(
          this.#what,
          limits.budgetMs,
          (signal) => this.#store(flight, { wish, value, lifetime, signal }),
          limits.clock,
        ),
      )
      return { value, outcome: 'loaded' }
    })
    await flight.answer
    // As there: reads that began meanwhile may have met the old record.
    if (told.delivery === 'queued') copies.drop(change)
    return told.delivery
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

  async #store(flight: Flight<Answer>, given: Given): Promise<void> {
    const { store, bus, copies } = this.#parts
    const { key } = given.wish
    const change = { keys: [key], tags: [] }
    const entry = await this.#storeFresh(flight, given)
    // Too late: it is in the journal by now, as an invalidation.
    given.signal.throwIfAborted()
    // Another change overtook it. That may have stored what is older than this one, so nothing is to be left.
    if (!entry) await store?.invalidate(change)
    const isCurrent = flight.state === 'current'
    // Once more: reads that began meanwhile may have met the old record, and this flight is over.
    copies.drop(change)
    if (entry && isCurrent && hasCurrentTags(entry)) copies.put(key, entry)
    if (!store?.announces) await bus.publish(change)
  }

  /** Under a lease: a command that comes late must not bring back what an invalidation since has removed. */
  async #storeFresh(
    flight: Flight<Answer>,
    { wish, value, lifetime, signal }: Given,
  ): Promise<Entry | undefined> {
    const { store, copies, limits, jitter, codec } = this.#parts
    const { key, policy } = wish
    const version = `${this.#id}:${++this.#lastVersion}`
    const lease = { key, token: version }
    const times = { leaseMs, epochsMs: lifetime.ttlMs + lifetime.graceMs + maxLoadMs }
    const claims = await store?.claim([{ ...lease, isTaking: true }], wish.tags, times)
    flight.whenInvalidated(() => void store?.release([lease]).catch(() => {}))
    signal.throwIfAborted()
    if (flight.state === 'invalidated') return undefined
    const epochs = wish.tags.map((tag, index): TagSnapshot => [tag, claims?.epochs[index] ?? unknownEpoch])
    const tags = epochs.map(([tag, epoch]) => copies.tagOf(flight, tag, epoch))
    const fresh = await makeFresh(
      { key, value, lifetime, policy, version, loadMs: 0, epochs, tags },
      { clock: limits.clock, jitter, codec },
    )
    const isStored = (await store?.set({ ...lease, record: fresh.record, forMs: fresh.keepMs })) ?? true
    // The lease has ended with it.
    flight.whenInvalidated(() => {})
    return isStored ? fresh.entry : undefined
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
