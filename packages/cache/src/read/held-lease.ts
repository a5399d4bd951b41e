import type { Clock, Timer } from '@stepladder/core'
import type { CacheStore } from '../store/store.ts'

/** How long a lease outlives the process that holds it. */
export const leaseMs = 1_000

/** A loader that takes longer than this loses its lease: its value is handed out and not stored. */
export const maxLoadMs = 30_000

/** The right to load one key, kept alive while the loader works. */
export class HeldLease {
  readonly token: string
  readonly store: CacheStore
  readonly #key: string
  readonly #clock: Clock
  readonly #endsAt: number
  #timer: Timer | undefined

  constructor(store: CacheStore, key: string, token: string, clock: Clock) {
    this.token = token
    this.store = store
    this.#key = key
    this.#clock = clock
    this.#endsAt = clock.monotonic() + maxLoadMs
    this.#renewLater()
  }

  /** Stops keeping it alive; what is left of it lapses by itself. */
  stop(): void {
    this.#timer?.cancel()
  }

  /** Gives it back, so that somebody else may load at once. */
  release(): void {
    this.stop()
    // If the store does not hear it, the lease lapses.
    this.store.release(this.#key, this.token).catch(() => {})
  }

  #renewLater(): void {
    this.#timer = this.#clock
      .after(leaseMs / 3, () => {
        if (this.#clock.monotonic() > this.#endsAt) return
        this.store.renew(this.#key, this.token, leaseMs).catch(() => {})
        this.#renewLater()
      })
      .unref()
  }
}
