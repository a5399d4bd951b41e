import type { Clock, Timer } from '../src/clock.ts'

interface Waiting {
  readonly at: number
  readonly task: () => void
}

/** Time that moves only when told to. Starts at 1,000,000 ms. */
export class FakeClock implements Clock {
  #now = 1_000_000
  readonly #waiting = new Set<Waiting>()

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
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
