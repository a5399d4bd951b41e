import { type Clock, systemClock } from '@stepladder/core'

/** So many reads see the same moment at most. */
const readsPerMoment = 8

/**
 * What the time is for the reads of one turn of the event loop, which hears nothing before the turn is over: reading
 * the machine's clock takes longer than all the rest of a hit. The first read of a turn reads it, and in a long turn
 * each eighth. A clock that a test moves is read each time.
 */
export class TurnTime {
  readonly #clock: Clock
  readonly #isExact: boolean
  readonly #endTurn = (): void => {
    this.#isTurning = false
    this.#left = 0
  }
  #isTurning = false
  #left = 0
  #now = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#isExact = clock !== systemClock
  }

  now(): number {
    if (this.#left > 0) {
      this.#left -= 1
      return this.#now
    }
    return this.#read()
  }

  #read(): number {
    this.#now = this.#clock.monotonic()
    if (this.#isExact) return this.#now
    this.#left = readsPerMoment - 1
    if (!this.#isTurning) {
      this.#isTurning = true
      process.nextTick(this.#endTurn)
    }
    return this.#now
  }
}
