import { checkOptionNames, InvalidOptionError } from '@stepladder/core'
import type { CacheLike } from '../cache-like.ts'
import { type PolicyOptions, policyOptionNames } from '../call/policy.ts'
import type { Delivery } from '../write/writer.ts'
import { keyOfArguments } from './argument-key.ts'
import { checkDefinition, checkFunction } from './check-definition.ts'
import { Namespace } from './namespace.ts'

/** A function that answers with a promise. */
export type AsyncFunction = (...args: never) => Promise<unknown>

export interface MemoizeOptions<F extends AsyncFunction> extends PolicyOptions<Awaited<ReturnType<F>>> {
  /** Where the values are kept. */
  readonly cache: CacheLike
  /** Tells the function from others in this cache. Default: its own name; one without a name needs this. */
  readonly name?: string | undefined
  /**
   * Names the value by the arguments, called with the function's `this`. Default: all arguments, told apart by type
   * and value; `this` is not among them. Refuses what has no value of its own with `UnkeyableArgumentError`.
   */
  readonly key?: ((this: never, ...args: Parameters<F>) => string) | undefined
  readonly tags?: readonly string[] | ((...args: Parameters<F>) => readonly string[]) | undefined
}

/** Takes the place of the function that it was made from: the same arguments, the same type, the same `this`. */
export type Memoized<F extends AsyncFunction> = F & {
  /** From now on, what these arguments brought is not served any more, in any process. */
  invalidate(...args: Parameters<F>): Promise<Delivery>
  /** The same for all arguments. */
  clear(): Promise<Delivery>
}

/** The functions that are memoized in a cache: two of one name would get each other's values. */
const named = new WeakMap<CacheLike, Map<string, WeakRef<AsyncFunction>>>()

/**
 * A function that calls `fn` once for the same arguments, and again when the TTL is over: for as many callers, in as
 * many processes, as there are. What it rejects with goes to all who wait, and is not kept.
 */
export function memoize<F extends AsyncFunction>(fn: F, options: MemoizeOptions<F>): Memoized<F> {
  checkFunction('memoize', 'fn', fn)
  checkOptionNames('memoize', options, ['cache', 'name', 'key', 'tags', ...policyOptionNames])
  const { cache, name = fn.name, key, tags, ...policy } = options
  if (typeof cache?.namespace !== 'function')
    throw new InvalidOptionError('memoize', 'cache', cache, 'a cache')
  checkDefinition('memoize', cache.name, { ...options, key: key ?? keyOfArguments })
  claimName(cache, name, fn)
  const values = cache.namespace(`${name}()`)
  const keyOf = (self: unknown, args: readonly unknown[]): string =>
    key ? key.apply(self as never, args as Parameters<F>) : keyOfArguments(name, args)

  async function memoized(this: unknown, ...args: readonly unknown[]): Promise<unknown> {
    const given = args as Parameters<F> // whoever calls it sees the type of `fn`
    const tagged = { ...policy, tags: typeof tags === 'function' ? tags(...given) : tags }
    const load = () => fn.apply(this, given as never) as Promise<Awaited<ReturnType<F>>>
    return values.getOrSet(keyOf(this, args), load, tagged)
  }
  const controls = {
    async invalidate(this: unknown, ...args: readonly unknown[]): Promise<Delivery> {
      return values.delete(keyOf(this, args))
    },
    clear: () => values.clear(),
  }
  Object.defineProperty(memoized, 'name', { value: name })
  return Object.assign(memoized, controls) as unknown as Memoized<F> // the same arguments, answer and `this`
}

/** Throws `InvalidOptionError` for a name that is none, or is another function's. */
function claimName(cache: CacheLike, name: unknown, fn: AsyncFunction): void {
  if (typeof name !== 'string' || name === '' || name.includes(':')) {
    const expected = 'text without ":", given for a function without a name'
    throw new InvalidOptionError('memoize', 'name', name, expected)
  }
  const [root, prefix] = cache instanceof Namespace ? [cache.cache, cache.prefix] : [cache, '']
  const names = named.get(root) ?? new Map<string, WeakRef<AsyncFunction>>()
  named.set(root, names)
  const holder = names.get(prefix + name)?.deref()
  if (holder !== undefined && holder !== fn) {
    throw new InvalidOptionError('memoize', 'name', name, 'one that no other function in this cache has')
  }
  names.set(prefix + name, new WeakRef(fn))
}
