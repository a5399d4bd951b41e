import { type Clock, systemClock } from '../clock.ts'

/**
 * How long nothing was heard of somebody, as far as the listener can tell: a machine that slept, or a listener
 * that was kept from looking, has not been listening, so a look counts for little more than looks are apart.
 */
export class Silence {
  readonly #lookEveryMs: number
  readonly #clock: Clock
  #lookedAt: number
  #ms = 0

  constructor(lookEveryMs: number, clock: Clock = systemClock) {
    this.#lookEveryMs = lookEveryMs
    this.#clock = clock
    this.#lookedAt = clock.monotonic()
  }

  /** To be called each `lookEveryMs`: was anything heard since the last look? Returns the silence in milliseconds. */
  look(wasHeard: boolean): number {
    const passedMs = this.#clock.monotonic() - this.#lookedAt
    this.#lookedAt += passedMs
    this.#ms = wasHeard ? 0 : this.#ms + Math.min(passedMs, 2 * this.#lookEveryMs)
    return this.#ms
  }
}
