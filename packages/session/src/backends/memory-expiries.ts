import type { Clock } from '@stepladder/core'
import type { ExpiryIndex } from '../expiry/expiry-index.ts'

interface Noted {
  readonly about: string
  expiresAt: number
}

/** Sessions whose end somebody waits for, in the memory of this process. */
export class MemoryExpiryIndex implements ExpiryIndex {
  readonly #noted = new Map<string, Noted>()
  readonly #endOf: (key: string) => number | undefined
  readonly #clock: Clock

  /** `endOf`: when a record's time is over, where there is one. */
  constructor(endOf: (key: string) => number | undefined, clock: Clock) {
    this.#endOf = endOf
    this.#clock = clock
  }

  async note(key: string, about: string, ttlMs: number): Promise<void> {
    this.#noted.set(key, { about, expiresAt: this.#clock.now() + ttlMs })
  }

  async forget(key: string): Promise<boolean> {
    return this.#noted.delete(key)
  }

  async takeExpired(most: number): Promise<readonly string[]> {
    const now = this.#clock.now()
    const taken: string[] = []
    for (const [key, noted] of this.#noted) {
      if (taken.length >= most) break
      if (noted.expiresAt > now) continue
      const later = this.#endOf(key)
      if (later !== undefined) {
        noted.expiresAt = later
        continue
      }
      this.#noted.delete(key)
      taken.push(noted.about)
    }
    return taken
  }
}
