import type { Clock, Timer } from '../src/clock.ts'

interface Waiting {
  readonly at: number
  readonly task: () => void
}

/** Time that moves only when told to. Starts at 1,000,000 ms, on the wall and on the monotonic clock. */
export class FakeClock implements Clock {
  #now = 1_000_000
  /** How far the clock on the wall was set forward. */
  #skewMs = 0
  readonly #waiting = new Set<Waiting>()

  now(): number {
    return this.#now + this.#skewMs
  }

  monotonic(): number {
    return this.#now
  }

  /** Sets the clock on the wall forward, or back: `now()` jumps; `monotonic()` and what waits take no notice. */
  jump(ms: number): void {
    this.#skewMs += ms
  }

  /** How many tasks wait for their time. */
  get waiting(): number {
    return this.#waiting.size
  }

  after(ms: number, task: () => void): Timer {
    const waiting = { at: this.#now + ms, task }
    this.#waiting.add(waiting)
    const timer: Timer = { cancel: () => void this.#waiting.delete(waiting), unref: () => timer }
    return timer
  }

  /** Moves time on, running what falls due in the order of its time; promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await new Promise(setImmediate)
      const due = [...this.#waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#waiting.delete(due)
      this.#now = due.at
      due.task()
    }
    this.#now = end
    await new Promise(setImmediate)
  }
}
