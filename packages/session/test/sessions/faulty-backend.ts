import type { Replaced, SessionBackend } from '@stepladder/session'

/** A place that takes its time, and now and then fails: before the call was done, or after it. */
export class FaultyBackend implements SessionBackend {
  /** The share of calls that fail. */
  faults = 0
  readonly #place: SessionBackend
  readonly #random: () => number

  constructor(place: SessionBackend, random: () => number) {
    this.#place = place
    this.#random = random
  }

  get(id: string): Promise<string | undefined> {
    return this.#call(() => this.#place.get(id))
  }

  put(id: string, text: string, ttlMs: number): Promise<void> {
    return this.#call(() => this.#place.put(id, text, ttlMs))
  }

  putNew(id: string, text: string, ttlMs: number): Promise<boolean> {
    return this.#call(() => this.#place.putNew(id, text, ttlMs))
  }

  replace(id: string, expected: string, text: string, ttlMs: number): Promise<Replaced> {
    return this.#call(() => this.#place.replace(id, expected, text, ttlMs))
  }

  touch(id: string, ttlMs: number): Promise<boolean> {
    return this.#call(() => this.#place.touch(id, ttlMs))
  }

  destroy(id: string): Promise<string | undefined> {
    return this.#call(() => this.#place.destroy(id))
  }

  all(): Promise<ReadonlyMap<string, string>> {
    return this.#place.all()
  }

  length(): Promise<number> {
    return this.#place.length()
  }

  clear(): Promise<void> {
    return this.#place.clear()
  }

  async close(): Promise<void> {}

  async #call<T>(call: () => Promise<T>): Promise<T> {
    const [fate, before, after] = [this.#random(), this.#random(), this.#random()]
    await this.#pause(before)
    if (fate < this.faults / 2) throw new Error('the call was lost')
    const answer = await call()
    await this.#pause(after)
    if (fate < this.faults) throw new Error('the answer was lost')
    return answer
  }

  async #pause(share: number): Promise<void> {
    for (let turns = Math.floor(share * 4); turns > 0; turns--) await new Promise(setImmediate)
  }
}
