import type { Invalidation } from '../bus/bus.ts'
import { everything } from '../call/key.ts'

const maxPerBatch = 500

/** Invalidations to deliver, with what they were when they were taken. */
export interface Batch extends Invalidation {
  /** The youngest invalidation in it. */
  readonly upTo: number
}

/**
 * The invalidations that the store has not confirmed yet, each key and tag once. Over `maxEntries` they
 * become one invalidation of everything: memory stays bounded, and nothing invalidated is ever served.
 */
export class Journal {
  // Each with the number of its latest invalidation.
  readonly #keys = new Map<string, number>()
  readonly #tags = new Map<string, number>()
  readonly #maxEntries: number
  #last = 0

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0 && this.#tags.size === 0
  }

  add({ keys, tags }: Invalidation): void {
    this.#last += 1
    for (const key of keys) this.#keys.set(key, this.#last)
    for (const tag of tags) this.#tags.set(tag, this.#last)
    if (this.#keys.size + this.#tags.size <= this.#maxEntries) return
    this.#keys.clear()
    this.#tags.clear()
    this.#tags.set(everything, this.#last)
  }

  /** Whether the store may still hold an invalidated value under this key or with one of these tags. */
  covers(key: string, tags: readonly string[]): boolean {
    if (this.isEmpty) return false
    return this.#tags.has(everything) || this.#keys.has(key) || tags.some((tag) => this.#tags.has(tag))
  }

  /** Some of what is to be delivered; it stays until `remove`. */
  next(): Batch {
    const keys = [...this.#keys.keys()].slice(0, maxPerBatch)
    const tags = [...this.#tags.keys()].slice(0, maxPerBatch)
    return { keys, tags, upTo: this.#last }
  }

  /** Forgets what was delivered, except what was invalidated once more since the batch was taken. */
  remove({ keys, tags, upTo }: Batch): void {
    for (const key of keys) if (this.#keys.get(key)! <= upTo) this.#keys.delete(key)
    for (const tag of tags) if (this.#tags.get(tag)! <= upTo) this.#tags.delete(tag)
  }
}
