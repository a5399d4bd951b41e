import {
  type Breaker,
  BreakerOpenError,
  begin,
  type Clock,
  DeadlineExceededError,
  inside,
  isHeard,
  type Reporter,
  withDeadline,
} from '@stepladder/core'

export interface StoreLimits {
  readonly name: string
  /** All the time that one read may spend at the store, in milliseconds. */
  readonly budgetMs: number
  readonly breaker: Breaker
  readonly report: Reporter
  readonly clock: Clock
}

/** One read's calls to the store: together within the budget, each behind the breaker, each reported. */
export class StoreVisit {
  readonly #limits: StoreLimits
  #leftMs: number

  constructor(limits: StoreLimits) {
    this.#limits = limits
    this.#leftMs = limits.budgetMs
  }

  /** Rejects when the store fails, when the budget is spent, and at once while the breaker is open. */
  async spend<T>(task: () => Promise<T>): Promise<T> {
    const { name, budgetMs, breaker, report, clock } = this.#limits
    const end = isHeard(report)
      ? begin({ component: 'cache', name, operation: 'store' }, report, clock)
      : undefined
    const startedAt = clock.monotonic()
    try {
      if (this.#leftMs <= 0)
        throw new DeadlineExceededError(`cache "${name}": reading from its store`, budgetMs)
      const leftMs = this.#leftMs
      const result = await inside(end, () =>
        breaker.run(() => withDeadline(`cache "${name}": its store`, leftMs, task, clock)),
      )
      end?.('done')
      return result
    } catch (failure) {
      end?.(failure instanceof BreakerOpenError ? 'refused' : 'failed', failure)
      throw failure
    } finally {
      this.#leftMs -= clock.monotonic() - startedAt
    }
  }
}
