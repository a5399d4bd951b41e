import type { Invalidation } from '../bus/bus.ts'
import type { Delivery } from '../write/writer.ts'

/** What invalidates: a whole cache. */
export interface Invalidates {
  readonly name: string
  /** As a namespace has it, which cannot be told apart from its cache by name: keys would not be found. */
  readonly prefix?: never
  invalidate(invalidation: Invalidation): Promise<Delivery>
}

/** True for a cache, and for no namespace of one. */
export function isWholeCache(cache: Invalidates): boolean {
  return typeof cache?.invalidate === 'function' && !('prefix' in cache)
}

/** Tables and views that change when a table does: views over it, what its triggers write, what a cascade deletes. */
export type Dependents = Readonly<Record<string, readonly string[]>>
