import { type Closeable, withDeadline } from '@stepladder/core'
import type { Auditor } from './audit/auditor.ts'
import type { Invalidation } from './bus/bus.ts'
import type { CacheLike, InvalidateOptions } from './cache-like.ts'
import { checkKey, checkTags, everything } from './call/key.ts'
import type { Policy } from './call/policy.ts'
import { wholeCache } from './call/scope.ts'
import { type EntryOptions, readWish } from './call/wish.ts'
import { CacheClosedError } from './errors.ts'
import type { Answer, Copies } from './memory/copies.ts'
import { type Entry, promiseOf } from './memory/entry.ts'
import { Operations } from './operations.ts'
import type { CacheParts } from './parts.ts'
import type { LoadMany } from './read/load-group.ts'
import type { AnyLoad, Load } from './read/loader.ts'
import { type ManyOptions, Reader } from './read/reader.ts'
import {
  type CachedFunction,
  type CachedManyFunction,
  type Definition,
  defineMany,
  defineOne,
  type ManyDefinition,
} from './views/define.ts'
import { LocalCache } from './views/local-cache.ts'
import { LocalChanges } from './views/local-changes.ts'
import { Namespace } from './views/namespace.ts'
import { type Keys, type WarmOptions, type WarmResult, warm } from './views/warm.ts'
import { type Delivery, Writer } from './write/writer.ts'

/** What a running load may take to end when the cache is closed. */
const closeWithinMs = 5_000

/**
 * Cache-aside: answers from this process's memory, else from the store, else from the loader.
 * `createCache()` makes one. Values are shared between callers: treat them as read-only.
 */
export class Cache implements CacheLike, Closeable {
  readonly name: string
  /** The memory of this process, synchronously: for code that was built on an LRU. */
  readonly local: LocalCache
  readonly #localChanges: LocalChanges
  readonly #parts: CacheParts
  readonly #usual: Policy
  readonly #copies: Copies
  readonly #auditor: Auditor | undefined
  readonly #isUsuallyStrong: boolean
  readonly #reader: Reader
  readonly #writer: Writer
  readonly #operations: Operations

  /** Not for callers: `createCache()` makes one. `opened` rejects when the store can never be had. */
  constructor(parts: CacheParts, usual: Policy, opened: Promise<unknown>) {
    this.name = parts.limits.name
    this.#parts = parts
    this.#usual = usual
    this.#copies = parts.copies
    this.#auditor = parts.auditor
    this.#isUsuallyStrong = usual.isStrong && parts.store !== undefined
    this.#operations = new Operations(parts.limits)
    this.#reader = new Reader(parts, usual)
    this.#writer = new Writer(parts)
    const { copies, bus } = parts
    this.#localChanges = new LocalChanges(this.name, copies, (change) => this.#announce(change))
    this.local = new LocalCache({ ...parts, usual, changes: this.#localChanges }, wholeCache)
    bus.subscribe({
      onInvalidation: (invalidation) => copies.drop(invalidation),
      onTouched: (touched) => copies.touch(touched),
      isRelied: (key) => copies.isRelied(key),
      onGap: () => {
        copies.gap()
        this.#operations.begin('listen')?.('gap')
      },
    })
    opened.catch((failure) => {
      this.#operations.failure ??= failure
    })
  }

  /**
   * The value, or what `load` brings, stored for the TTL. One load per key at a time, however many ask, in all
   * processes. Rejects with what `load` rejects with, unless an older value may stand in (`grace`); and with
   * `InvalidKeyError` or `InvalidOptionError` for wrong arguments. An outage of Redis costs at most the budget.
   */
  getOrSet<T>(key: string, load: Load<T>, options?: EntryOptions<NoInfer<T>>): Promise<T> {
    const copies = this.#copies
    const entry = this.#isStrong(options) ? undefined : copies.fresh(key)
    // Nobody else writes under our name, so what is found is what `load` returned.
    if (entry === undefined) return this.#getOrLoad(key, load, options) as Promise<T>
    if (entry.refreshAt !== Number.POSITIVE_INFINITY || this.#auditor !== undefined || copies.turn.isHeard)
      return this.#hit(key, entry, load, options) as Promise<T>
    return promiseOf(entry) as Promise<T>
  }

  /**
   * `getOrSet` for many keys: one call of `loadMany` brings all that nobody has. Answers with those that have a
   * value, in the order of `keys`. Rejects with the loader's failure, or the first `Error` that it answered for a
   * key, unless `partial` is set; and with `LoadManyAnswerError`.
   */
  async getOrSetMany<T>(
    keys: readonly string[],
    loadMany: LoadMany<T>,
    options?: ManyOptions<NoInfer<T>>,
  ): Promise<Map<string, T>> {
    const { failure } = this.#operations
    if (failure) throw failure
    const begin = () => this.#operations.begin('getOrSet')
    return this.#reader.getOrLoadMany(keys, loadMany, options, begin) as Promise<Map<string, T>> // as in `getOrSet`
  }

  /**
   * What `load` brings, although there may be a value, which is served until then. Where another process is loading
   * the key at this moment, the value that there is. As `getOrSet` otherwise.
   */
  async refresh<T>(key: string, load: Load<T>, options?: EntryOptions<NoInfer<T>>): Promise<T> {
    const end = this.#operations.begin('getOrSet')
    const read = () => this.#reader.refresh(key, load, options, end)
    return this.#operations.runUntilEnded(end, read) as Promise<T> // as in `getOrSet`
  }

  /** The value, or undefined when there is none to be had within the budget. Loads nothing. */
  async get(key: string): Promise<unknown> {
    const entry = this.#isUsuallyStrong ? undefined : this.#copies.fresh(key)
    if (entry === undefined) return (await this.#look(key)).value
    this.#operations.begin('get')?.('hit')
    return entry.value
  }

  /** Those of the keys that have a value to be had within the budget. Loads nothing. */
  async getMany(keys: readonly string[]): Promise<Map<string, unknown>> {
    const values = await Promise.all(keys.map((key) => this.get(key)))
    return new Map(
      keys.map((key, index) => [key, values[index]] as const).filter(([, value]) => value !== undefined),
    )
  }

  /** Whether there is a value to be had within the budget; null and undefined are values too. */
  async has(key: string): Promise<boolean> {
    const entry = this.#isUsuallyStrong ? undefined : this.#copies.fresh(key)
    if (entry === undefined) return (await this.#look(key)).outcome !== 'miss'
    this.#operations.begin('get')?.('hit')
    return true
  }

  /**
   * Stores a value for all processes. The last of two concurrent calls wins; a value read from a database is
   * safer with `getOrSet`, which notices when it was overtaken. Rejects with `UnstorableValueError`.
   */
  async set<T>(key: string, value: T, options?: EntryOptions<NoInfer<T>>): Promise<Delivery> {
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
    return defineOne(this, definition)
  }

  /** Binds a loader from a list to a list: what is missing is loaded with one call. */
  defineMany<Item, T>(definition: ManyDefinition<Item, T>): CachedManyFunction<Item, T> {
    return defineMany(this, definition)
  }

  /** The part of the cache whose keys stand under `name:`, to be used and cleared like a cache of its own. */
  namespace(name: string): Namespace {
    return new Namespace(this, name)
  }

  /**
   * Loads what nobody has yet, before anybody asks for it: a few keys at a time, with progress. A key that fails is
   * counted, with its reason, and stops nothing. Rejects for wrong options, and when `keys` itself fails.
   */
  async warm<T>(keys: Keys, options: WarmOptions<T>): Promise<WarmResult> {
    return warm(this, keys, options)
  }

  /** Waits for what is under way (5 s at most), delivers what waits if Redis answers, and lets go. */
  async close(): Promise<void> {
    if (this.#operations.failure instanceof CacheClosedError) return
    this.#operations.failure = new CacheClosedError(this.name)
    const { copies, bus, store, limits } = this.#parts
    // Loads that take longer are not waited for; what they bring is not kept.
    await withDeadline('closing', closeWithinMs, () => copies.settled(), limits.clock).catch(() => {})
    await this.#localChanges.close()
    await this.#writer.close()
    copies.gap()
    await bus.close()
    await store?.close()
    limits.breaker.close()
  }

  /** Without a store, an invalidation is done when all processes have heard of it: nothing is stronger. */
  #isStrong(options: EntryOptions<never> | undefined): boolean {
    if (options?.strong === undefined) return this.#isUsuallyStrong
    return options.strong && this.#parts.store !== undefined
  }

  /** A hit of which more is to be made than its value. */
  async #hit(
    key: string,
    entry: Entry,
    load: AnyLoad,
    options: EntryOptions<never> | undefined,
  ): Promise<unknown> {
    if (entry.refreshAt !== Number.POSITIVE_INFINITY) this.#reader.refreshIfDue(key, entry, load, options)
    this.#auditor?.sample(key, entry, load)
    this.#operations.begin('getOrSet')?.('hit')
    return entry.value
  }

  /** Apart from `getOrSet`, whose hits come without it. */
  #getOrLoad(key: string, load: AnyLoad, options: EntryOptions<never> | undefined): Promise<unknown> {
    const { failure } = this.#operations
    const end = this.#operations.begin('getOrSet')
    if (!failure) return this.#reader.getOrLoad(key, load, options, end)
    end?.('failed', failure)
    return Promise.reject(failure)
  }

  #look(key: string): Promise<Answer> {
    return this.#operations.run(
      'get',
      () => this.#reader.look(key),
      ({ outcome }) => outcome,
    )
  }

  #change(operation: string, change: () => Promise<Delivery>): Promise<Delivery> {
    return this.#operations.run(operation, change, (delivery) => delivery)
  }

  async #announce(change: Invalidation): Promise<void> {
    const end = this.#operations.begin('invalidate')
    await this.#writer.announce(change).then(end, (failure: unknown) => end?.('failed', failure))
  }
}
