import type { Duration } from '@stepladder/core'
import type { Delivery } from '../write/writer.ts'

/** A loader bound to a cache. */
export interface Definition<Arguments extends readonly unknown[], T> {
  /** The function to stand in for. Its failures go to the callers untouched. */
  readonly load: (...args: Arguments) => T | Promise<T>
  /** Names the value by the arguments; two calls with the same key share it. */
  readonly key: (...args: Arguments) => string
  readonly ttl?: Duration | undefined
  readonly grace?: Duration | undefined
  readonly tags?: readonly string[] | ((...args: Arguments) => readonly string[]) | undefined
}

/** Takes the place of the loader it was made from. */
export interface CachedFunction<Arguments extends readonly unknown[], T> {
  (...args: Arguments): Promise<T>
  /** From now on, what was loaded for these arguments is not served any more. */
  invalidate(...args: Arguments): Promise<Delivery>
}
