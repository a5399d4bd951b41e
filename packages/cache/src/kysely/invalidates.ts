import type { Invalidation } from '../bus/bus.ts'
import type { Delivery } from '../write/writer.ts'

/** What invalidates: a cache. */
export interface Invalidates {
  readonly name: string
  invalidate(invalidation: Invalidation): Promise<Delivery>
}

/** Tables and views that change when a table does: views over it, what its triggers write, what a cascade deletes. */
export type Dependents = Readonly<Record<string, readonly string[]>>
