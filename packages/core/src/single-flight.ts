/** One call per key at a time: who asks while a call is under way shares its answer, or its failure. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>()

  run(key: string, task: () => Promise<T>): Promise<T> {
    const underWay = this.#flights.get(key)
    if (underWay) return underWay

    const flight = task().finally(() => {
      // `forget` may have let a younger call take this place.
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    })
    this.#flights.set(key, flight)
    return flight
  }

  /** Whoever asks from now on starts a call of their own; those already waiting keep theirs. */
  forget(key: string): void {
    this.#flights.delete(key)
  }

  /** `forget` for every key. */
  forgetAll(): void {
    this.#flights.clear()
  }
}
