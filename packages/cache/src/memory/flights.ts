/**
 * One read of a key that is under way, and what was heard of its key and tags since it began:
 *
 *     current ──gap──▶ gapped        a message may have been missed: the store's lease decides alone
 *        └──┴─invalidate──▶ invalidated    its value may be old: handed to its callers, stored nowhere
 *
 * Only a current flight is joined, and only a current flight fills this process's memory.
 */
export class Flight<T> {
  state: 'current' | 'gapped' | 'invalidated' = 'current'
  /** Grows when the stored record turns out to carry more tags than the caller named. */
  tags: readonly string[]
  #lettingGo: () => void = () => {}
  readonly answer: Promise<T>

  constructor(tags: readonly string[], task: (flight: Flight<T>) => Promise<T>) {
    this.tags = tags
    // Not at once: the task may call back into the cache, which must find this flight complete.
    this.answer = Promise.resolve().then(() => task(this))
  }

  /** Says how to give back what the flight holds in the store, where it would keep newer reads waiting. */
  whenInvalidated(letGo: () => void): void {
    this.#lettingGo = letGo
    if (this.state === 'invalidated') letGo()
  }

  /** A gapped flight that hears of an invalidation later has its lease to tell it. */
  leave(state: 'gapped' | 'invalidated'): void {
    this.state = state
    if (state === 'invalidated') this.#lettingGo()
  }
}

/** One flight per key at a time. Core's `SingleFlight` with an eye on what is invalidated meanwhile. */
export class Flights<T> {
  readonly #joinable = new Map<string, Flight<T>>()
  readonly #underWay = new Set<Flight<T>>()

  find(key: string): Flight<T> | undefined {
    return this.#joinable.get(key)
  }

  start(key: string, tags: readonly string[], task: (flight: Flight<T>) => Promise<T>): Flight<T> {
    const flight = new Flight(tags, task)
    this.#joinable.set(key, flight)
    this.#underWay.add(flight)
    const end = () => {
      this.#underWay.delete(flight)
      if (this.#joinable.get(key) === flight) this.#joinable.delete(key)
    }
    flight.answer.then(end, end)
    return flight
  }

  dropKey(key: string): void {
    const flight = this.#joinable.get(key)
    if (flight) this.#leave(key, flight, 'invalidated')
  }

  dropTag(tag: string): void {
    for (const [key, flight] of this.#joinable) {
      if (flight.tags.includes(tag)) this.#leave(key, flight, 'invalidated')
    }
  }

  gap(): void {
    for (const [key, flight] of this.#joinable) this.#leave(key, flight, 'gapped')
  }

  /** Resolves when all flights under way have ended, well or not. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#underWay].map(({ answer }) => answer))
  }

  #leave(key: string, flight: Flight<T>, state: 'gapped' | 'invalidated'): void {
    this.#joinable.delete(key)
    flight.leave(state)
  }
}
