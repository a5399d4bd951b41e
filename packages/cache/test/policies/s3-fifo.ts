import type { Policy } from './policy.ts'

interface Held {
  readonly value: object
  hits: number
}

/** S3-FIFO as it was published (Yang et al., SOSP 2023): a tenth for newcomers, whatever is asked for. */
export class S3Fifo implements Policy {
  readonly #maxEntries: number
  // Maps are in the order of insertion.
  readonly #small = new Map<string, Held>()
  readonly #main = new Map<string, Held>()
  readonly #ghosts = new Set<string>()

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  get(key: string): object | undefined {
    const held = this.#main.get(key) ?? this.#small.get(key)
    if (held && held.hits < 3) held.hits += 1
    return held?.value
  }

  /** For keys that are not there. */
  set(key: string, value: object): void {
    while (this.#small.size + this.#main.size >= this.#maxEntries) this.#evict()
    const queue = this.#ghosts.delete(key) ? this.#main : this.#small
    queue.set(key, { value, hits: 0 })
  }

  #evict(): void {
    const isSmallFull = this.#small.size >= this.#maxEntries / 10
    const queue = isSmallFull || this.#main.size === 0 ? this.#small : this.#main
    const [key, held] = queue.entries().next().value!
    queue.delete(key)
    if (queue === this.#small && held.hits > 1) this.#main.set(key, { ...held, hits: 0 })
    else if (queue === this.#main && held.hits > 0) this.#main.set(key, { ...held, hits: held.hits - 1 })
    else if (queue === this.#small) this.#remember(key)
  }

  #remember(key: string): void {
    this.#ghosts.add(key)
    if (this.#ghosts.size <= this.#maxEntries * 0.9) return
    const [oldest] = this.#ghosts
    this.#ghosts.delete(oldest!)
  }
}
