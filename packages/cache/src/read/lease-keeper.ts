import type { Clock, Timer } from '@stepladder/core'
import type { Lease } from '../store/store.ts'
import { leaseMs, type StoreCalls } from './store-calls.ts'

/** A loader that takes longer than this loses its lease: its value is handed out and not stored. */
export const maxLoadMs = 30_000

const renewEveryMs = leaseMs / 3

/** Keeps the leases of this process alive while their loaders work. */
export class LeaseKeeper {
  readonly #held = new Map<string, { readonly lease: Lease; readonly since: number }>()
  readonly #calls: StoreCalls
  readonly #clock: Clock
  #timer: Timer | undefined

  constructor(calls: StoreCalls, clock: Clock) {
    this.#calls = calls
    this.#clock = clock
  }

  hold(lease: Lease): void {
    this.#held.set(lease.token, { lease, since: this.#clock.monotonic() })
    this.#timer ??= this.#later()
  }

  /** Keeps it alive no longer; what is left of it lapses by itself. */
  letGo({ token }: Lease): void {
    this.#held.delete(token)
  }

  /** Gives it back, so that somebody else may load at once. */
  release(lease: Lease): void {
    if (this.#held.delete(lease.token)) this.#calls.release(lease)
  }

  #later(): Timer {
    return this.#clock.after(renewEveryMs, () => this.#renew()).unref()
  }

  #renew(): void {
    const now = this.#clock.monotonic()
    const kept = [...this.#held.values()]
    for (const { lease, since } of kept) if (now - since > maxLoadMs) this.#held.delete(lease.token)
    // Most loads are over before their lease needs it.
    const old = kept.filter(({ since }) => now - since > renewEveryMs / 2 && now - since <= maxLoadMs)
    if (old.length > 0) this.#calls.renew(old.map(({ lease }) => lease))
    this.#timer = this.#held.size > 0 ? this.#later() : undefined
  }
}
