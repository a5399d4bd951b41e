import type { EntryOptions } from './call/wish.ts'
import type { LoadMany } from './read/load-group.ts'
import type { Load } from './read/loader.ts'
import type { ManyOptions } from './read/reader.ts'
import type { LocalCache } from './views/local-cache.ts'
import type { Delivery } from './write/writer.ts'

/** What is not to be served any more. */
export interface InvalidateOptions {
  readonly keys?: readonly string[] | undefined
  /** Every value that was stored with one of these tags. */
  readonly tags?: readonly string[] | undefined
}

/** A cache, or a part of one. What each method promises stands at `Cache`. */
export interface CacheLike {
  readonly name: string
  readonly local: LocalCache
  getOrSet<T>(key: string, load: Load<T>, options?: EntryOptions<NoInfer<T>>): Promise<T>
  getOrSetMany<T>(
    keys: readonly string[],
    loadMany: LoadMany<T>,
    options?: ManyOptions<NoInfer<T>>,
  ): Promise<Map<string, T>>
  refresh<T>(key: string, load: Load<T>, options?: EntryOptions<NoInfer<T>>): Promise<T>
  get(key: string): Promise<unknown>
  getMany(keys: readonly string[]): Promise<Map<string, unknown>>
  has(key: string): Promise<boolean>
  set<T>(key: string, value: T, options?: EntryOptions<NoInfer<T>>): Promise<Delivery>
  delete(key: string): Promise<Delivery>
  invalidate(options: InvalidateOptions): Promise<Delivery>
  clear(): Promise<Delivery>
  namespace(name: string): CacheLike
}
