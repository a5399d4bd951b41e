import type { Clock, Timer } from '@stepladder/core'
import type { Lease } from '../store/store.ts'
import { leaseMs, type StoreCalls } from './store-calls.ts'

/** A loader that takes longer than this loses its lease: its value is handed out and not stored. */
export const maxLoadMs = 30_000

const renewEveryMs = leaseMs / 3

/** Keeps the leases of this process alive while their loaders work. */
export class LeaseKeeper {
  /** Since when, of the monotonic clock. */
  readonly #held = new Map<Lease, number>()
  readonly #calls: StoreCalls
  readonly #clock: Clock
  #timer: Timer | undefined

  constructor(calls: StoreCalls, clock: Clock) {
    this.#calls = calls
    this.#clock = clock
  }

  /** `since` when, of the monotonic clock. */
  hold(lease: Lease, since: number): void {
    this.#held.set(lease, since)
    this.#timer ??= this.#later()
  }

  /** Keeps it alive no longer; what is left of it lapses by itself. */
  letGo(lease: Lease): void {
    this.#held.delete(lease)
  }

  /** Gives it back, so that somebody else may load at once. */
  release(lease: Lease): void {
    if (this.#held.delete(lease)) this.#calls.release(lease)
  }

  #later(): Timer {
    return this.#clock.after(renewEveryMs, () => this.#renew()).unref()
  }

  #renew(): void {
    const now = this.#clock.monotonic()
    const old: Lease[] = []
    for (const [lease, since] of this.#held) {
      if (now - since > maxLoadMs) this.#held.delete(lease)
      // Most loads are over before their lease needs it.
      else if (now - since > renewEveryMs / 2) old.push(lease)
    }
    if (old.length > 0) this.#calls.renew(old)
    this.#timer = this.#held.size > 0 ? this.#later() : undefined
  }
}
