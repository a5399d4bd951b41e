import {
  begin,
  type Closeable,
  type End,
  InvalidOptionError,
  inside,
  isHeard,
  withDeadline,
} from '@stepladder/core'
import { checkKey, checkTags, everything } from './call/key.ts'
import type { Lifetime } from './call/ttl.ts'
import { type EntryOptions, readWish } from './call/wish.ts'
import { CacheClosedError } from './errors.ts'
import type { Answer } from './memory/copies.ts'
import type { Entry } from './memory/entry.ts'
import type { CacheParts } from './parts.ts'
import { ReadThrough } from './read/read-through.ts'
import type { CachedFunction, Definition } from './views/define.ts'
import { type Delivery, Writer } from './write/writer.ts'

/** What a running load may take to end when the cache is closed. */
const closeWithinMs = 5_000

/**
 * Cache-aside: answers from this process's memory, else from the store, else from the loader.
 * `createCache()` makes one. Values are shared between callers: treat them as read-only.
 */
export class Cache implements Closeable {
  readonly name: string
  readonly #parts: CacheParts
  readonly #usual: Lifetime
  readonly #readThrough: ReadThrough
  readonly #writer: Writer
  #failure: Error | undefined

  /** Not for callers: `createCache()` makes one. `opened` rejects when the store can never be had. */
  constructor(parts: CacheParts, usual: Lifetime, opened: Promise<unknown>) {
    this.name = parts.limits.name
    this.#parts = parts
    this.#usual = usual
    this.#readThrough = new ReadThrough(parts)
    this.#writer = new Writer(parts)
    const { copies, bus } = parts
    bus.subscribe({
      onInvalidation: (invalidation) => copies.drop(invalidation),
      onGap: () => {
        copies.gap()
        this.#begin('listen')?.('gap')
      },
    })
    opened.catch((failure) => {
      this.#failure ??= failure
    })
  }

  /**
   * The value, or what `load` brings, stored for the TTL. One load per key at a time, however many ask, in all
   * processes. Rejects with what `load` rejects with, unless an older value may stand in (`grace`); and with
   * `InvalidKeyError` or `InvalidOptionError` for wrong arguments. An outage of Redis costs at most the budget.
   */
  async getOrSet<T>(key: string, load: () => T | Promise<T>, options?: EntryOptions): Promise<T> {
    const end = this.#begin('getOrSet')
    const entry = this.#parts.copies.fresh(key)
    // Nobody else writes under our name, so what is here is what `load` returned.
    if (entry === undefined) return this.#getOrLoad(key, load, options, end) as Promise<T>
    end?.('hit')
    return entry.value as T
  }

  /** The value, or undefined when there is none to be had within the budget. Loads nothing. */
  async get(key: string): Promise<unknown> {
    const end = this.#begin('get')
    const entry = this.#parts.copies.fresh(key)
    if (entry === undefined) return this.#look(key, end)
    end?.('hit')
    return entry.value
  }

  /**
   * Stores a value for all processes. The last of two concurrent calls wins; a value read from a database is
   * safer with `getOrSet`, which notices when it was overtaken. Rejects with `UnstorableValueError`.
   */
  async set(key: string, value: unknown, options?: EntryOptions): Promise<Delivery> {
    return this.#change('set', () => this.#writer.set(readWish(this.name, key, options, this.#usual), value))
  }

  /** `invalidate` for one key. */
  async delete(key: string): Promise<Delivery> {
    return this.invalidate({ keys: [key] })
  }

  /**
   * Call it after the change is committed. When it resolves to `done`, this process serves no older value, and
   * no other does for longer than a second; loads under way leave nothing behind. `queued`: Redis is away, and
   * is told when it is back.
   */
  async invalidate({ keys = [], tags = [] }: InvalidateOptions): Promise<Delivery> {
    return this.#change('invalidate', () => {
      for (const key of keys) checkKey(this.name, key)
      checkTags(this.name, tags)
      return this.#writer.invalidate({ keys, tags })
    })
  }

  /** `invalidate` for everything, in one step whatever the size. */
  async clear(): Promise<Delivery> {
    return this.#change('clear', () => this.#writer.invalidate({ keys: [], tags: [everything] }))
  }

  /** Binds a loader: the function returned takes its place, call for call, with the types of the loader. */
  define<Arguments extends readonly unknown[], T>(
    definition: Definition<Arguments, T>,
  ): CachedFunction<Arguments, T> {
    const { key: keyOf, load, ttl, grace, tags } = definition
    const cached = async (...args: Arguments): Promise<T> => {
      const end = this.#begin('getOrSet')
      const key = keyOf(...args)
      const entry = this.#parts.copies.fresh(key)
      if (entry === undefined) {
        const options = { ttl, grace, tags: typeof tags === 'function' ? tags(...args) : tags }
        return this.#getOrLoad(key, () => load(...args), options, end) as Promise<T> // as in `getOrSet`
      }
      end?.('hit')
      return entry.value as T
    }
    return Object.assign(cached, { invalidate: async (...args: Arguments) => this.delete(keyOf(...args)) })
  }

  /** Waits for what is under way (5 s at most), delivers what waits if Redis answers, and lets go. */
  async close(): Promise<void> {
    if (this.#failure instanceof CacheClosedError) return
    this.#failure = new CacheClosedError(this.name)
    const { copies, bus, store, limits } = this.#parts
    // Loads that take longer are not waited for; what they bring is not kept.
    await withDeadline('closing', closeWithinMs, () => copies.settled(), limits.clock).catch(() => {})
    await this.#writer.close()
    copies.gap()
    await bus.close()
    await store?.close()
  }

  async #look(key: string, end: End | undefined): Promise<unknown> {
    return this.#answer(end, () => {
      checkKey(this.name, key)
      const { reads } = this.#parts.copies
      return (
        reads.find(key) ?? reads.start(key, [everything], (flight) => this.#readThrough.look(flight, key))
      )
    })
  }

  #getOrLoad(
    key: string,
    load: () => unknown,
    options: EntryOptions | undefined,
    end: End | undefined,
  ): Promise<unknown> {
    return this.#answer(end, () => {
      const wish = readWish(this.name, key, options, this.#usual)
      if (typeof load !== 'function')
        throw new InvalidOptionError(`cache "${this.name}"`, 'load', load, 'a function')
      const resting = this.#resting(key)
      if (resting) return { answer: { value: resting.value, outcome: 'stale' } }
      const { loads } = this.#parts.copies
      const underWay = loads.find(key)
      if (underWay) return { answer: underWay.answer, isJoined: true }
      return loads.start(key, wish.tags, (flight) => this.#readThrough.load(flight, wish, load))
    })
  }

  /** The old value of a loader that failed less than a second ago: it is not asked again so soon. */
  #resting(key: string): Entry | undefined {
    const { copies, limits } = this.#parts
    const entry = copies.graced(key)
    return entry && limits.clock.monotonic() < entry.retryAt ? entry : undefined
  }

  async #answer(
    end: End | undefined,
    ask: () => { readonly answer: Answer | Promise<Answer>; readonly isJoined?: boolean },
  ): Promise<unknown> {
    try {
      if (this.#failure) throw this.#failure
      const { answer, isJoined } = inside(end, ask)
      const { value, outcome, cause } = await answer
      end?.(isJoined && outcome === 'loaded' ? 'joined' : outcome, cause)
      return value
    } catch (failure) {
      end?.('failed', failure)
      throw failure
    }
  }

  async #change(operation: string, change: () => Promise<Delivery>): Promise<Delivery> {
    const end = this.#begin(operation)
    try {
      if (this.#failure) throw this.#failure
      const delivery = await inside(end, change)
      end?.(delivery)
      return delivery
    } catch (failure) {
      end?.('failed', failure)
      throw failure
    }
  }

  /** Nothing at all while nobody listens: a hit costs less than the measuring of it. */
  #begin(operation: string): End | undefined {
    const { name, report, clock } = this.#parts.limits
    if (!isHeard(report)) return undefined
    return begin({ component: 'cache', name, operation }, report, clock)
  }
}

/** What is not to be served any more. */
export interface InvalidateOptions {
  readonly keys?: readonly string[] | undefined
  /** Every value that was stored with one of these tags. */
  readonly tags?: readonly string[] | undefined
}
