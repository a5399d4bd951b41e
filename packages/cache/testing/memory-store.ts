import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '@stepladder/core'
import type { CacheStore, Lease } from '../src/store/store.ts'

interface Held {
  readonly text: string
  readonly until: number
}

/** A store in memory, for tests: several caches may share one. */
export class MemoryStore implements CacheStore {
  readonly #records = new Map<string, Held>()
  readonly #leases = new Map<string, Held>()
  readonly #epochs = new Map<string, Held>()
  readonly #clock: Clock

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  async get(key: string): Promise<string | null> {
    return this.#read(this.#records, key)
  }

  async lease(key: string, token: string, forMs: number): Promise<Lease> {
    if (this.#read(this.#leases, key) !== null) return { isGranted: false }
    this.#write(this.#leases, key, token, forMs)
    return { isGranted: true, record: this.#read(this.#records, key) }
  }

  async renew(key: string, token: string, forMs: number): Promise<void> {
    if (this.#read(this.#leases, key) === token) this.#write(this.#leases, key, token, forMs)
  }

  async release(key: string, token: string): Promise<void> {
    if (this.#read(this.#leases, key) === token) this.#leases.delete(key)
  }

  async fill(key: string, token: string, record: string, forMs: number): Promise<boolean> {
    if (this.#read(this.#leases, key) !== token) return false
    await this.set(key, record, forMs)
    return true
  }

  async set(key: string, record: string, forMs: number): Promise<void> {
    this.#write(this.#records, key, record, forMs)
    this.#leases.delete(key)
  }

  async invalidate(keys: readonly string[], tags: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.#records.delete(key)
      this.#leases.delete(key)
    }
    for (const tag of tags) this.#epochs.delete(tag)
  }

  async epochs(tags: readonly string[]): Promise<readonly (string | null)[]> {
    return tags.map((tag) => this.#read(this.#epochs, tag))
  }

  async ensureEpochs(tags: readonly string[], forMs: number): Promise<readonly string[]> {
    return tags.map((tag) => {
      const epoch = this.#read(this.#epochs, tag) ?? randomUUID()
      const until = Math.max(this.#epochs.get(tag)?.until ?? 0, this.#clock.now() + forMs)
      this.#epochs.set(tag, { text: epoch, until })
      return epoch
    })
  }

  async close(): Promise<void> {}

  #read(held: Map<string, Held>, key: string): string | null {
    const found = held.get(key)
    if (found && found.until > this.#clock.now()) return found.text
    held.delete(key)
    return null
  }

  #write(held: Map<string, Held>, key: string, text: string, forMs: number): void {
    held.set(key, { text, until: this.#clock.now() + forMs })
  }
}
