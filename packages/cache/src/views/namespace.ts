import type { CacheLike, InvalidateOptions } from '../cache-like.ts'
import { type Scope, scopeWithin, wholeCache } from '../call/scope.ts'
import type { EntryOptions } from '../call/wish.ts'
import type { LoadMany } from '../read/load-group.ts'
import type { Load } from '../read/loader.ts'
import type { ManyOptions } from '../read/reader.ts'
import type { Delivery } from '../write/writer.ts'
import {
  type CachedFunction,
  type CachedManyFunction,
  type Definition,
  defineMany,
  defineOne,
  type ManyDefinition,
} from './define.ts'
import type { LocalCache } from './local-cache.ts'
import { type Keys, type WarmOptions, type WarmResult, warm } from './warm.ts'

/**
 * The part of a cache whose keys stand under `name:`. It can be cleared by itself, in one step whatever its size, and
 * shares everything else with its cache: memory and its bounds, connections, options, reports, and tags. Making one
 * costs nothing: one per tenant or request is fine. `cache.namespace(name)` makes it.
 */
export class Namespace implements CacheLike {
  /** Of the cache. */
  readonly name: string
  /** What its keys begin with, for who asks the cache itself. */
  readonly prefix: string
  /** The cache that it is a part of. */
  readonly cache: CacheLike
  readonly local: LocalCache
  readonly #scope: Scope
  /** What a call without options says. */
  readonly #plain: EntryOptions<never>

  /** Not for callers: `namespace(name)` of a cache or a namespace makes one. */
  constructor(within: CacheLike, name: string) {
    const isNested = within instanceof Namespace
    this.name = within.name
    this.cache = isNested ? within.cache : within
    this.local = within.local.namespace(name)
    this.#scope = scopeWithin(this.name, isNested ? within.#scope : wholeCache, name)
    this.prefix = this.#scope.prefix
    this.#plain = { tags: this.#scope.tags }
  }

  getOrSet<T>(key: string, load: Load<T>, options?: EntryOptions<NoInfer<T>>): Promise<T> {
    return this.cache.getOrSet(this.#at(key), load, this.#with(options))
  }

  async getOrSetMany<T>(
    keys: readonly string[],
    loadMany: LoadMany<T>,
    options?: ManyOptions<NoInfer<T>>,
  ): Promise<Map<string, T>> {
    const loadHere = (asked: readonly string[]) => loadMany(asked.map((key) => this.#without(key)))
    return this.#here(await this.cache.getOrSetMany(this.#all(keys), loadHere, this.#with(options)))
  }

  refresh<T>(key: string, load: Load<T>, options?: EntryOptions<NoInfer<T>>): Promise<T> {
    return this.cache.refresh(this.#at(key), load, this.#with(options))
  }

  get(key: string): Promise<unknown> {
    return this.cache.get(this.#at(key))
  }

  async getMany(keys: readonly string[]): Promise<Map<string, unknown>> {
    return this.#here(await this.cache.getMany(this.#all(keys)))
  }

  has(key: string): Promise<boolean> {
    return this.cache.has(this.#at(key))
  }

  set<T>(key: string, value: T, options?: EntryOptions<NoInfer<T>>): Promise<Delivery> {
    return this.cache.set(this.#at(key), value, this.#with(options))
  }

  delete(key: string): Promise<Delivery> {
    return this.cache.delete(this.#at(key))
  }

  warm<T>(keys: Keys, options: WarmOptions<T>): Promise<WarmResult> {
    return warm(this, keys, options)
  }

  /** The keys are those of the namespace; tags reach the whole cache. */
  async invalidate({ keys = [], tags }: InvalidateOptions): Promise<Delivery> {
    return this.cache.invalidate({ keys: this.#all(keys), tags })
  }

  /** Invalidates what was stored through this namespace and those within it. */
  clear(): Promise<Delivery> {
    return this.cache.invalidate({ tags: this.#scope.tags.slice(-1) })
  }

  define<Arguments extends readonly unknown[], T>(
    definition: Definition<Arguments, T>,
  ): CachedFunction<Arguments, T> {
    return defineOne(this, definition)
  }

  defineMany<Item, T>(definition: ManyDefinition<Item, T>): CachedManyFunction<Item, T> {
    return defineMany(this, definition)
  }

  /** A namespace within this one: cleared by itself, and with this one. */
  namespace(name: string): Namespace {
    return new Namespace(this, name)
  }

  /** What is no key stays as it is, for the cache to refuse. */
  #at(key: string): string {
    return typeof key === 'string' && key !== '' ? this.#scope.prefix + key : key
  }

  #all(keys: readonly string[]): string[] {
    return keys.map((key) => this.#at(key))
  }

  #without(key: string): string {
    return key.slice(this.#scope.prefix.length)
  }

  #here<T>(found: ReadonlyMap<string, T>): Map<string, T> {
    return new Map([...found].map(([key, value]) => [this.#without(key), value]))
  }

  #with<Options extends EntryOptions<never>>(options: Options | undefined): Options {
    // A call that says nothing says `tags`, which all options know.
    if (options === undefined) return this.#plain as Options
    const { tags } = options
    if (tags === undefined) return { ...options, tags: this.#scope.tags }
    // What is no list of tags stays as it is, for the cache to refuse.
    return Array.isArray(tags) ? { ...options, tags: [...this.#scope.tags, ...tags] } : options
  }
}
