import {
  type Batch,
  Batches,
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
import type { CacheStore, Claim, Claimed, Fill, Lease } from '../store/store.ts'

/** How long a lease outlives the process that holds it. */
export const leaseMs = 1_000

export interface StoreLimits {
  readonly name: string
  /** All the time that one read may spend at the store, in milliseconds. */
  readonly budgetMs: number
  readonly breaker: Breaker
  readonly report: Reporter
  readonly clock: Clock
}

/** A claim, with the tags whose epochs it needs and how long they must last. */
export interface ClaimWithTags extends Claim {
  readonly tags: readonly string[]
  readonly epochsMs: number
}

export interface ClaimedWithEpochs extends Claimed {
  /** Undefined where no claim of its batch asked for any. */
  readonly epochs?: ReadonlyMap<string, string>
}

const noTags: readonly string[] = []

/** Of a class for the reason that `ReadValue` gives. */
class TimedFill implements Fill {
  readonly key: string
  readonly token: string
  readonly record: Buffer
  readonly forMs: number
  /** How long it may take, in milliseconds. */
  readonly withinMs: number

  constructor({ key, token, record, forMs }: Fill, withinMs: number) {
    this.key = key
    this.token = token
    this.record = record
    this.forMs = forMs
    this.withinMs = withinMs
  }
}

/**
 * The calls that reads make to the store: what many reads ask within one turn becomes one call, each within the
 * budget, behind the breaker, and reported.
 */
export class StoreCalls {
  readonly #store: CacheStore
  readonly #limits: StoreLimits
  readonly #gets = new Batches<string, Buffer | null>((keys) => this.#call((store) => store.get(keys)))
  readonly #claims = new Batches<ClaimWithTags, ClaimedWithEpochs>((claims) => this.#claimAll(claims))
  readonly #fills = new Batches<TimedFill, boolean>((fills) => this.#fillAll(fills))
  readonly #epochs = new Batches<string, string | null>((tags) => this.#call((store) => store.epochs(tags)))
  readonly #releases = new Batches<Lease, undefined>(async (leases) => {
    // What the store does not hear lapses by itself.
    await this.#store.release(leases).catch(() => {})
    return []
  })

  constructor(store: CacheStore, limits: StoreLimits) {
    this.#store = store
    this.#limits = limits
  }

  get(key: string): Promise<Buffer | null> {
    return this.#gets.ask(key)
  }

  /** The answer stands in the last place of the batch. */
  claim(claim: ClaimWithTags): Batch<ClaimWithTags, ClaimedWithEpochs> {
    return this.#claims.add(claim)
  }

  /**
   * Rejects when the budget is spent. A batch has no more time than each of its fills; one with little left would cut
   * the others short, and gets a timer of its own.
   */
  fill(fill: Fill, budget: Budget): Promise<boolean> {
    const { leftMs } = budget
    const { budgetMs } = this.#limits
    if (2 * leftMs >= budgetMs) return this.#fills.ask(new TimedFill(fill, leftMs))
    return budget.spend(() => this.#fills.ask(new TimedFill(fill, budgetMs)))
  }

  epoch(tag: string): Promise<string | null> {
    return this.#epochs.ask(tag)
  }

  /** Does not wait, and never fails. */
  release(lease: Lease): void {
    void this.#releases.ask(lease)
  }

  /** Does not wait, and never fails: a lease that the store does not hear of lapses. */
  renew(leases: readonly Lease[]): void {
    this.#store.renew(leases, leaseMs).catch(() => {})
  }

  async #claimAll(claims: readonly ClaimWithTags[]): Promise<readonly ClaimedWithEpochs[]> {
    let tags = noTags
    let epochsMs = 0
    for (const claim of claims) {
      if (claim.tags.length > 0) tags = tags.length === 0 ? claim.tags : [...tags, ...claim.tags]
      epochsMs = Math.max(epochsMs, claim.epochsMs)
    }
    tags = [...new Set(tags)]
    const { claimed, epochs } = await this.#call((store) => store.claim(claims, tags, { leaseMs, epochsMs }))
    if (tags.length === 0) return claimed
    const epochOf = new Map(tags.map((tag, index) => [tag, epochs[index]!]))
    return claimed.map(({ record, isGranted }) => ({ record, isGranted, epochs: epochOf }))
  }

  #fillAll(fills: readonly TimedFill[]): Promise<readonly boolean[]> {
    let withinMs = this.#limits.budgetMs
    for (const fill of fills) withinMs = Math.min(withinMs, fill.withinMs)
    return this.#call((store) => store.fill(fills), withinMs)
  }

  /** Rejects when the store fails, when it takes longer than it may, and at once while the breaker is open. */
  async #call<T>(
    task: (store: CacheStore) => Promise<T>,
    withinMs: number = this.#limits.budgetMs,
  ): Promise<T> {
    const { name, breaker, report, clock } = this.#limits
    const end = isHeard(report)
      ? begin({ component: 'cache', name, operation: 'store' }, report, clock)
      : undefined
    try {
      const result = await inside(end, () =>
        breaker.run(() =>
          withDeadline(`cache "${name}": its store`, withinMs, () => task(this.#store), clock),
        ),
      )
      end?.('done')
      return result
    } catch (failure) {
      end?.(failure instanceof BreakerOpenError ? 'refused' : 'failed', failure)
      throw failure
    }
  }
}

/** What one read may wait for the store: all its calls together, but not the loads that it waits for meanwhile. */
export class Budget {
  readonly #limits: StoreLimits
  /** Of the monotonic clock. */
  readonly startedAt: number
  #excludedMs = 0

  constructor(limits: StoreLimits, startedAt: number) {
    this.#limits = limits
    this.startedAt = startedAt
  }

  /** So much of the time since the budget was made went into something else. */
  exclude(ms: number): void {
    this.#excludedMs += ms
  }

  get leftMs(): number {
    const { budgetMs, clock } = this.#limits
    return budgetMs - (clock.monotonic() - this.startedAt - this.#excludedMs)
  }

  /** For what is not the first call, which takes no longer than all of the budget by itself. Rejects as `task` does, or when the budget is spent. */
  async spend<T>(task: () => Promise<T>): Promise<T> {
    const { name, budgetMs, clock } = this.#limits
    const { leftMs } = this
    if (leftMs <= 0) throw new DeadlineExceededError(`cache "${name}": reading from its store`, budgetMs)
    return withDeadline(`cache "${name}": its store`, leftMs, task, clock)
  }
}
