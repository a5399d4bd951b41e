import type { Policy } from './policy.ts'

/** SIEVE (Zhang et al., NSDI 2024): one queue, and a hand that takes what was not used since it last came by. */
export class Sieve implements Policy {
  readonly #maxEntries: number
  readonly #places = new Map<string, Place>()
  #newest: Place | undefined
  #oldest: Place | undefined
  #hand: Place | undefined

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  get(key: string): object | undefined {
    const place = this.#places.get(key)
    if (place) place.wasUsed = true
    return place?.value
  }

  /** For keys that are not there. */
  set(key: string, value: object): void {
    if (this.#places.size >= this.#maxEntries) this.#evict()
    const place: Place = { key, value, wasUsed: false, older: this.#newest, newer: undefined }
    if (this.#newest) this.#newest.newer = place
    else this.#oldest = place
    this.#newest = place
    this.#places.set(key, place)
  }

  #evict(): void {
    let place = this.#hand ?? this.#oldest!
    while (place.wasUsed) {
      place.wasUsed = false
      place = place.newer ?? this.#oldest!
    }
    const { key, older, newer } = place
    if (older) older.newer = newer
    else this.#oldest = newer
    if (newer) newer.older = older
    else this.#newest = older
    this.#hand = newer
    this.#places.delete(key)
  }
}

interface Place {
  readonly key: string
  readonly value: object
  wasUsed: boolean
  older: Place | undefined
  newer: Place | undefined
}
