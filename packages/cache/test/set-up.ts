import { type Cache, type CacheOptions, createCache } from '@stepladder/cache'
import type { MemoryStore } from '@stepladder/cache/testing'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'

export interface SetUp {
  readonly cache: Cache
  readonly clock: FakeClock
  readonly reports: RecordedReports
}

/** A cache whose time a test moves, without jitter; several may share a store. */
export function setUp(options: Partial<CacheOptions> = {}): SetUp {
  const clock = new FakeClock()
  const reports = new RecordedReports()
  const cache = createCache({
    name: 'test',
    ttl: '10s',
    jitter: 0,
    clock,
    report: reports.report,
    ...options,
  })
  return { cache, clock, reports }
}

/** Two caches as two processes would have them: one store, one clock, and no word between them. */
export function setUpTwo(store: MemoryStore, clock: FakeClock, options: Partial<CacheOptions> = {}) {
  const one = setUp({ store, clock, ...options })
  const two = setUp({ store, clock, bus: silentBus(), ...options })
  return { one, two }
}

function silentBus(): NonNullable<CacheOptions['bus']> {
  return {
    heardUntil: Number.POSITIVE_INFINITY,
    publish: async () => {},
    subscribe: () => {},
    close: async () => {},
  }
}

/** A loader that answers when told, and counts. */
export class GatedLoader<T> {
  readonly #gates: { resolve(value: T): void; reject(failure: unknown): void }[] = []
  readonly load = (): Promise<T> =>
    new Promise<T>((resolve, reject) => void this.#gates.push({ resolve, reject }))

  get count(): number {
    return this.#gates.length
  }

  answer(value: T, nth = -1): void {
    this.#gates.at(nth)?.resolve(value)
  }

  fail(failure: unknown, nth = -1): void {
    this.#gates.at(nth)?.reject(failure)
  }
}
