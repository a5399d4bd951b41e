import type { Auditor } from './audit/auditor.ts'
import type { Bus } from './bus/bus.ts'
import type { RecordCodec } from './codec/record.ts'
import type { Copies } from './memory/copies.ts'
import type { StoreLimits } from './read/store-calls.ts'
import type { CacheStore } from './store/store.ts'
import type { Journal } from './write/journal.ts'

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
  readonly codec: RecordCodec
  /** Undefined where nothing is looked at. */
  readonly auditor: Auditor | undefined
}
