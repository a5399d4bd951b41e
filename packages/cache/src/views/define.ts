import { checkOptionNames } from '@stepladder/core'
import type { CacheLike } from '../cache-like.ts'
import { type PolicyOptions, policyOptionNames } from '../call/policy.ts'
import type { Delivery } from '../write/writer.ts'
import { checkDefinition, checkFunction } from './check-definition.ts'

/** A loader bound to a cache. */
export interface Definition<Arguments extends readonly unknown[], T> extends PolicyOptions<NoInfer<T>> {
  /** The function to stand in for. Its failures go to the callers untouched. */
  readonly load: (...args: Arguments) => T | Promise<T>
  /** Names the value by the arguments; two calls with the same key share it. */
  readonly key: (...args: Arguments) => string
  readonly tags?: readonly string[] | ((...args: Arguments) => readonly string[]) | undefined
}

/** Takes the place of the loader it was made from. */
export interface CachedFunction<Arguments extends readonly unknown[], T> {
  (...args: Arguments): Promise<T>
  /** From now on, what was loaded for these arguments is not served any more. */
  invalidate(...args: Arguments): Promise<Delivery>
}

/** A loader of many, bound to a cache. */
export interface ManyDefinition<Item, T> extends PolicyOptions<NoInfer<T>> {
  /** Answers one value per item, in their order; an `Error` in its place is that one item's failure. */
  readonly loadMany: (items: readonly Item[]) => readonly (T | Error)[] | Promise<readonly (T | Error)[]>
  /** Names the value by the item. */
  readonly key: (item: Item) => string
  /** Of all items. */
  readonly tags?: readonly string[] | undefined
}

/** Takes the place of a loader from a list to a list of as many. */
export interface CachedManyFunction<Item, T> {
  (items: readonly Item[]): Promise<T[]>
  /** From now on, what was loaded for these items is not served any more. */
  invalidate(...items: readonly Item[]): Promise<Delivery>
}

const known = ['key', 'tags', ...policyOptionNames]

/** The function that takes the place of `load`. Throws `InvalidOptionError` or `UnknownOptionError`. */
export function defineOne<Arguments extends readonly unknown[], T>(
  cache: CacheLike,
  definition: Definition<Arguments, T>,
): CachedFunction<Arguments, T> {
  checkOptionNames('define', definition, ['load', ...known])
  const { load, key: keyOf, tags, ...policy } = definition
  checkFunction('define', 'load', load)
  checkDefinition('define', cache.name, definition)
  const usual = typeof tags === 'function' ? undefined : { ...policy, tags }
  const cached = (...args: Arguments): Promise<T> => {
    // Who calls a function of promises hears of its failures by them. Not `async`, which would cost a hit one more.
    try {
      const options = usual ?? { ...policy, tags: typeof tags === 'function' ? tags(...args) : tags }
      return cache.getOrSet<T>(keyOf(...args), () => load(...args), options)
    } catch (failure) {
      return Promise.reject(failure)
    }
  }
  return Object.assign(cached, { invalidate: async (...args: Arguments) => cache.delete(keyOf(...args)) })
}

/** The function that takes the place of `loadMany`. Throws as `defineOne`. */
export function defineMany<Item, T>(
  cache: CacheLike,
  definition: ManyDefinition<Item, T>,
): CachedManyFunction<Item, T> {
  checkOptionNames('defineMany', definition, ['loadMany', ...known])
  const { loadMany, key: keyOf, ...options } = definition
  checkFunction('defineMany', 'loadMany', loadMany)
  checkDefinition('defineMany', cache.name, definition)
  const cached = async (items: readonly Item[]): Promise<T[]> => {
    const itemOf = new Map(items.map((item) => [keyOf(item), item]))
    // Each key is one that an item gave.
    const load = (keys: readonly string[]) => loadMany(keys.map((key) => itemOf.get(key) as Item))
    const values = await cache.getOrSetMany<T>([...itemOf.keys()], load, options)
    // Where there is none, the loader answered undefined.
    return items.map((item) => values.get(keyOf(item)) as T)
  }
  const invalidate = async (...items: readonly Item[]) => cache.invalidate({ keys: items.map(keyOf) })
  return Object.assign(cached, { invalidate })
}
