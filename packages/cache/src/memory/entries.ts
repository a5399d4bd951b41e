import { LRUCache } from 'lru-cache'
import type { Entry } from './entry.ts'

/** Entries in the memory of this process, bounded by number and by size; the least recently used goes first. */
export class LruEntries {
  readonly #entries: LRUCache<string, Entry>

  constructor(maxEntries: number, maxBytes: number) {
    this.#entries = new LRUCache({ max: maxEntries, maxSize: maxBytes })
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  set(key: string, entry: Entry): void {
    // What is larger than the whole cache is not kept, and must not leave an older value behind.
    this.#entries.set(key, entry, { size: entry.size })
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }
}
