import type { Clock } from '@stepladder/core'

const restMs = 1_000
const maxKeys = 1_000

/**
 * Keys whose last answer could not be stored, for a second: who asks for one does not wait for another's answer
 * that it could not have. Only for a second, since the next answer may be of another kind.
 */
export class RestingKeys {
  readonly #until = new Map<string, number>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(key: string): boolean {
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (this.#clock.monotonic() < until) return true
    this.#until.delete(key)
    return false
  }

  add(key: string): void {
    // Deleted first, so that the map stays in order of time.
    this.#until.delete(key)
    this.#until.set(key, this.#clock.monotonic() + restMs)
    const oldest = this.#until.keys().next()
    if (this.#until.size > maxKeys && !oldest.done) this.#until.delete(oldest.value)
  }
}
