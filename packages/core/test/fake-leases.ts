import type { Clock } from '@stepladder/core'
import type { LeaseStore } from '../src/leader/lease.ts'

/** The leases of one name, as Redis keeps them, by a clock that a test may move. */
export class FakeLeases {
  holder: { machine: string; token: number; endsAt: number } | undefined
  readonly #clock: Clock
  #lastToken = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(machine: string): LeaseStore {
    const now = () => this.#clock.monotonic()
    const isHeld = (token: number) => this.#current?.machine === machine && this.#current.token === token
    return {
      take: async (ttlMs) => {
        if (this.#current && this.#current.machine !== machine) return undefined
        this.holder = { machine, token: ++this.#lastToken, endsAt: now() + ttlMs }
        return this.holder.token
      },
      renew: async (token, ttlMs) => {
        if (!isHeld(token)) return false
        this.holder = { machine, token, endsAt: now() + ttlMs }
        return true
      },
      release: async (token) => {
        if (isHeld(token)) this.holder = undefined
      },
      close: async () => {},
    }
  }

  get #current() {
    return this.holder && this.holder.endsAt > this.#clock.monotonic() ? this.holder : undefined
  }
}
