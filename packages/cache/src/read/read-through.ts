import { randomUUID } from 'node:crypto'
import { begin, exponentialBackoff, sleep } from '@stepladder/core'
import type { Wish } from '../call/wish.ts'
import type { TagSnapshot } from '../codec/record.ts'
import type { Answer } from '../memory/copies.ts'
import { type Entry, type TagEpoch, unknownEpoch } from '../memory/entry.ts'
import type { Flight } from '../memory/flights.ts'
import type { CacheParts } from '../parts.ts'
import { type FreshValue, makeFresh } from './fresh-value.ts'
import { HeldLease, leaseMs, maxLoadMs } from './held-lease.ts'
import { Lookup } from './lookup.ts'
import { StoreVisit } from './store-visit.ts'

/** A failing loader is asked again at most this often while an old value stands in for it. */
const retryLoadMs = 1_000

/** How long who waits for another process's load waits between looks. */
const patience = exponentialBackoff({ baseMs: 20, maxMs: 100 })

const miss: Answer = { value: undefined, outcome: 'miss' }

/** The right to load, with what was known when it was given. */
interface Claim {
  /** Without one the value may be kept in this process only. */
  readonly lease?: HeldLease
  /** The tags as they were before the load. */
  readonly epochs: readonly TagSnapshot[]
  readonly tags: readonly TagEpoch[]
  /** Older than its TTL, good enough if the loader fails. */
  readonly graced?: Entry | undefined
}

/** What a read does that the memory of this process could not answer. */
export class ReadThrough {
  readonly #parts: CacheParts
  readonly #id = randomUUID()
  #lastToken = 0
  #hasWarned = false

  constructor(parts: CacheParts) {
    this.#parts = parts
  }

  /** Asks the store, and nobody else. */
  async look(flight: Flight<Answer>, key: string): Promise<Answer> {
    const { store, copies, journal, limits } = this.#parts
    if (!store || journal.covers(key, [])) return miss
    const visit = new StoreVisit(limits)
    try {
      const found = await new Lookup(this.#parts, store, { flight, key, visit }).find()
      if (!found || !this.#isFresh(found)) return miss
      copies.keep(key, found, flight)
      return { value: found.value, outcome: 'fetched' }
    } catch {
      return miss // the visit reported why
    }
  }

  /** Asks the store, then the loader; what that brings is stored if nothing was invalidated meanwhile. */
  async load(flight: Flight<Answer>, wish: Wish, load: () => unknown): Promise<Answer> {
    const visit = new StoreVisit(this.#parts.limits)
    const claim = await this.#claim(flight, wish, visit)
    if ('fresh' in claim) {
      this.#parts.copies.keep(wish.key, claim.fresh, flight)
      return { value: claim.fresh.value, outcome: 'fetched' }
    }
    let value: unknown
    try {
      value = await load()
    } catch (failure) {
      claim.lease?.release()
      return this.#standIn(flight, wish.key, claim, failure)
    }
    await this.#keep(flight, wish, value, claim, visit)
    return { value, outcome: 'loaded' }
  }

  /** A fresh value from the store, or the right to load one. */
  async #claim(
    flight: Flight<Answer>,
    wish: Wish,
    visit: StoreVisit,
  ): Promise<Claim | { readonly fresh: Entry }> {
    const { store, copies, journal, limits } = this.#parts
    let graced: Entry | undefined
    if (store && !journal.covers(wish.key, wish.tags)) {
      const lookup = new Lookup(this.#parts, store, { flight, key: wish.key, visit })
      try {
        for (let attempt = 1; ; attempt++) {
          graced = await lookup.find()
          if (graced && this.#isFresh(graced)) return { fresh: graced }
          const claim = await this.#lease(lookup, flight, wish)
          if (claim) return { graced, ...claim }
          // Another process loads. Its lease ends with its load, or soon after its life.
          await sleep(patience(attempt), { clock: limits.clock })
        }
      } catch {
        // The store is away, as the visit reported. The loader still answers.
      }
    }
    return { graced, epochs: [], tags: wish.tags.map((tag) => copies.tagOf(flight, tag, unknownEpoch)) }
  }

  /** Undefined while somebody else has the lease. The tags are read with it: before the load, never after. */
  async #lease(
    lookup: Lookup,
    flight: Flight<Answer>,
    wish: Wish,
  ): Promise<Claim | { readonly fresh: Entry } | undefined> {
    const { copies, limits } = this.#parts
    const { store, visit } = lookup
    const token = `${this.#id}:${++this.#lastToken}`
    const epochsLastMs = wish.ttlMs + wish.graceMs + maxLoadMs
    const [lease, found] = await visit.spend(() =>
      Promise.all([store.lease(wish.key, token, leaseMs), store.ensureEpochs(wish.tags, epochsLastMs)]),
    )
    if (!lease.isGranted) return undefined
    const epochs = wish.tags.map((tag, index): TagSnapshot => [tag, found[index]!])
    const tags = epochs.map(([tag, epoch]) => copies.tagOf(flight, tag, epoch))
    // Whoever had the lease before us may have filled the key since we looked.
    const filled = lease.record === null ? undefined : await lookup.admit(lease.record)
    const held = new HeldLease(store, wish.key, token, limits.clock)
    flight.whenInvalidated(() => held.release())
    if (!filled || !this.#isFresh(filled)) return { lease: held, epochs, tags }
    held.release()
    return { fresh: filled }
  }

  /** The old value in place of a failing loader's, if there is one that was not invalidated. */
  #standIn(flight: Flight<Answer>, key: string, { graced: stored }: Claim, failure: unknown): Answer {
    const { copies, limits } = this.#parts
    const graced = stored ?? copies.graced(key)
    if (!graced || flight.state === 'invalidated' || !copies.mayStandIn(graced)) throw failure
    copies.keep(key, { ...graced, retryAt: limits.clock.monotonic() + retryLoadMs }, flight)
    return { value: graced.value, outcome: 'stale', cause: failure }
  }

  async #keep(
    flight: Flight<Answer>,
    wish: Wish,
    value: unknown,
    { lease, epochs, tags }: Claim,
    visit: StoreVisit,
  ): Promise<void> {
    const { copies, limits, jitter } = this.#parts
    const fresh = this.#make(() => makeFresh(value, wish, epochs, tags, { clock: limits.clock, jitter }))
    if (!fresh) return lease?.release()
    if (flight.state === 'invalidated') return this.#note('overtaken')
    if (lease && !(await this.#fill(wish.key, lease, fresh, visit))) return
    copies.keep(wish.key, fresh.entry, flight)
  }

  #make(make: () => FreshValue): FreshValue | undefined {
    try {
      return make()
    } catch (cause) {
      this.#note('unstorable', cause)
      this.#warn(cause)
      return undefined
    }
  }

  /** False when the lease is gone: something was invalidated that this process has not heard of yet. */
  async #fill(
    key: string,
    lease: HeldLease,
    { record, keepMs }: FreshValue,
    visit: StoreVisit,
  ): Promise<boolean> {
    lease.stop()
    try {
      const isFilled = await visit.spend(() => lease.store.fill(key, lease.token, record, keepMs))
      if (!isFilled) this.#note('overtaken')
      return isFilled
    } catch {
      return true // the store is away, and this process may remember what it loaded
    }
  }

  #isFresh({ freshUntil }: Entry): boolean {
    return this.#parts.limits.clock.monotonic() < freshUntil
  }

  /** Said once: a cache that keeps nothing looks like one that works. */
  #warn(cause: unknown): void {
    if (this.#hasWarned || !(cause instanceof Error)) return
    this.#hasWarned = true
    process.emitWarning(`cache "${this.#parts.limits.name}": ${cause.message}`, { code: 'UNSTORABLE_VALUE' })
  }

  #note(outcome: string, cause?: unknown): void {
    const { name, report, clock } = this.#parts.limits
    begin({ component: 'cache', name, operation: 'fill' }, report, clock)(outcome, cause)
  }
}
