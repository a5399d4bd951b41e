import { type Clock, isHeard, type Reporter, systemClock } from '@stepladder/core'

/** So many reads see the same moment at most. */
const readsPerMoment = 32

/**
 * What is the same for the reads of one turn of the event loop, which hears nothing before the turn is over: what the
 * time is, and whether anybody wants reports. Finding that out takes longer than all the rest of a hit. The first read
 * of a turn does, and in a long turn each 32nd; with a clock that a test moves, each.
 */
export class Turn {
  /** Whether anybody wants reports, as of the last `now()`. */
  isHeard = false
  readonly #clock: Clock
  readonly #report: Reporter
  readonly #isExact: boolean
  readonly #end = (): void => {
    this.#isUnderWay = false
    this.#left = 0
  }
  #isUnderWay = false
  #left = 0
  #now = 0

  constructor(clock: Clock, report: Reporter) {
    this.#clock = clock
    this.#report = report
    this.#isExact = clock !== systemClock
  }

  /** Of the monotonic clock, in milliseconds. */
  now(): number {
    if (this.#left > 0) {
      this.#left -= 1
      return this.#now
    }
    return this.#look()
  }

  #look(): number {
    this.#now = this.#clock.monotonic()
    this.isHeard = isHeard(this.#report)
    if (this.#isExact) return this.#now
    this.#left = readsPerMoment - 1
    if (!this.#isUnderWay) {
      this.#isUnderWay = true
      process.nextTick(this.#end)
    }
    return this.#now
  }
}
