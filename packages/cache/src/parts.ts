import type { Bus } from './bus.ts'
import type { Copies } from './copies.ts'
import type { Journal } from './journal.ts'
import type { CacheStore } from './store.ts'
import type { StoreLimits } from './store-visit.ts'

/** What the reading and the writing side of one cache share. */
export interface CacheParts {
  /** Undefined in the embedded engine: then this process's memory is all there is. */
  readonly store: CacheStore | undefined
  readonly bus: Bus
  readonly copies: Copies
  /** What was invalidated and the store does not know yet. */
  readonly journal: Journal
  readonly limits: StoreLimits
  readonly jitter: number
}
