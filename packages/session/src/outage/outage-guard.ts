import { type Breaker, opossumBreaker } from '@stepladder/core'
import type { PlaceSettings } from '../options.ts'

/** How long it rests once it is open, before a call may look whether the store is back. */
const restMs = 500

/** How long all must have been well until nobody watches any more. */
const calmMs = 2_000

/** What a call came to that the breaker has nothing against: one that failed at once cost nobody any time. */
type Ended<T> = { readonly value: T } | { readonly failure: unknown }

/**
 * Spares requests the wait for a store that does not answer:
 *
 *     calm ──a call waited in vain──▶ watched ──most did──▶ open ──rest──▶ one call looks ──it is answered──▶ watched
 *      ▲                                 │                    ▲                   │
 *      └──nobody waited in vain lately───┘                    └───waits in vain───┘
 *
 * While it is calm there is no breaker, and a call passes as if there were none.
 */
export class OutageGuard {
  readonly #settings: PlaceSettings
  #breaker: Breaker | undefined
  /** When a call last waited in vain, by the monotonic clock. */
  #troubledAt = Number.NEGATIVE_INFINITY
  #answers = 0
  #isClosed = false

  constructor(settings: PlaceSettings) {
    this.#settings = settings
  }

  /** Whether there is no breaker: the caller says how its call ended by `answered` or `failed`. */
  get isCalm(): boolean {
    return this.#breaker === undefined
  }

  /** Calls that were answered while it was calm. */
  get answers(): number {
    return this.#answers
  }

  answered(): void {
    this.#answers += 1
  }

  /** A call failed that began at `startedAt`, by the monotonic clock, when there had been so many answers. */
  failed(failure: unknown, startedAt: number, answersBefore: number): void {
    if (this.#hasWaited(startedAt)) this.#watch(failure, this.#answers === answersBefore)
  }

  /** Runs `task`, which must end in time by itself; rejects with `BreakerOpenError` while the store rests. */
  async runWatched<T>(task: () => Promise<T>): Promise<T> {
    const breaker = this.#breaker
    if (!breaker) return task()
    const ended = await breaker.run(() => this.#end(task))
    if (this.#settings.clock.monotonic() - this.#troubledAt > calmMs && !breaker.isOpen) this.#calmDown()
    if ('failure' in ended) throw ended.failure
    return ended.value
  }

  close(): void {
    this.#isClosed = true
    this.#calmDown()
  }

  async #end<T>(task: () => Promise<T>): Promise<Ended<T>> {
    const startedAt = this.#settings.clock.monotonic()
    try {
      return { value: await task() }
    } catch (failure) {
      if (!this.#hasWaited(startedAt)) return { failure }
      this.#troubledAt = this.#settings.clock.monotonic()
      throw failure
    }
  }

  #hasWaited(startedAt: number): boolean {
    const { clock, timeoutMs } = this.#settings
    return clock.monotonic() - startedAt >= timeoutMs / 2
  }

  /** `isAlone`: nobody else was answered meanwhile either, so that this counts against the store. */
  #watch(failure: unknown, isAlone: boolean): void {
    if (this.#isClosed) return
    const { name, report, clock } = this.#settings
    this.#troubledAt = clock.monotonic()
    this.#breaker ??= opossumBreaker({ name: `session ${name}`, restMs, windowMs: calmMs, report })
    if (isAlone) this.#breaker.run(() => Promise.reject(failure)).catch(() => {})
  }

  #calmDown(): void {
    this.#breaker?.close()
    this.#breaker = undefined
  }
}
