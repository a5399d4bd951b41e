import type { Clock, Timer } from '@stepladder/core'

interface Event {
  readonly at: number
  readonly task: () => void
}

/** Time that goes from event to event, for models with thousands of them: `FakeClock` looks at all each time. */
export class EventClock implements Clock {
  #now = 1_000_000
  /** By time; of the same time in the order in which they were planned. */
  readonly #events: Event[] = []

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  after(ms: number, task: () => void): Timer {
    const event = { at: this.#now + ms, task }
    const index = this.#events.findLastIndex(({ at }) => at <= event.at)
    this.#events.splice(index + 1, 0, event)
    const timer: Timer = {
      cancel: () => {
        const place = this.#events.indexOf(event)
        if (place >= 0) this.#events.splice(place, 1)
      },
      unref: () => timer,
    }
    return timer
  }

  /** Lets `ms` go by; promises settle after each event. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await new Promise(setImmediate)
      const next = this.#events[0]
      if (!next || next.at > end) break
      this.#events.shift()
      this.#now = next.at
      next.task()
    }
    this.#now = end
  }
}
