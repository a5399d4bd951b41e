import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '@stepladder/core'
import type { Invalidation } from '../src/bus/bus.ts'
import type { CacheStore, Claim, Claimed, Claims, ClaimTimes, Fill, Lease } from '../src/store/store.ts'

interface Held<T> {
  readonly value: T
  readonly until: number
}

/** A store in memory, for tests: several caches may share one. */
export class MemoryStore implements CacheStore {
  readonly #records = new Map<string, Held<Buffer>>()
  readonly #leases = new Map<string, Held<string>>()
  readonly #epochs = new Map<string, Held<string>>()
  readonly #clock: Clock

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  async get(keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    return keys.map((key) => this.#read(this.#records, key))
  }

  async claim(claims: readonly Claim[], tags: readonly string[], times: ClaimTimes): Promise<Claims> {
    const epochs = tags.map((tag) => this.#ensureEpoch(tag, times.epochsMs))
    return { epochs, claimed: claims.map((claim) => this.#claim(claim, times.leaseMs)) }
  }

  async fill(fills: readonly Fill[]): Promise<readonly boolean[]> {
    return fills.map((fill) => this.#fill(fill))
  }

  async set(fill: Fill): Promise<boolean> {
    return this.#fill(fill)
  }

  async renew(leases: readonly Lease[], forMs: number): Promise<void> {
    for (const { key, token } of leases) {
      if (this.#read(this.#leases, key) === token) this.#write(this.#leases, key, token, forMs)
    }
  }

  async release(leases: readonly Lease[]): Promise<void> {
    for (const { key, token } of leases) {
      if (this.#read(this.#leases, key) === token) this.#leases.delete(key)
    }
  }

  async invalidate({ keys, tags }: Invalidation): Promise<void> {
    for (const key of keys) {
      this.#records.delete(key)
      this.#leases.delete(key)
    }
    for (const tag of tags) this.#epochs.delete(tag)
  }

  async epochs(tags: readonly string[]): Promise<readonly (string | null)[]> {
    return tags.map((tag) => this.#read(this.#epochs, tag))
  }

  async close(): Promise<void> {}

  #claim({ key, token, isForced = false, isTaking = false }: Claim, leaseMs: number): Claimed {
    const record = this.#read(this.#records, key)
    const isWanted = record === null || isForced
    const isGranted = isTaking || (isWanted && this.#read(this.#leases, key) === null)
    if (isGranted) this.#write(this.#leases, key, token, leaseMs)
    return { record, isGranted }
  }

  #fill({ key, token, record, forMs }: Fill): boolean {
    if (this.#read(this.#leases, key) !== token) return false
    this.#write(this.#records, key, record, forMs)
    this.#leases.delete(key)
    return true
  }

  #ensureEpoch(tag: string, forMs: number): string {
    const value = this.#read(this.#epochs, tag) ?? randomUUID()
    const until = Math.max(this.#epochs.get(tag)?.until ?? 0, this.#clock.now() + forMs)
    this.#epochs.set(tag, { value, until })
    return value
  }

  #read<T>(held: Map<string, Held<T>>, key: string): T | null {
    const found = held.get(key)
    if (found && found.until > this.#clock.now()) return found.value
    held.delete(key)
    return null
  }

  #write<T>(held: Map<string, Held<T>>, key: string, value: T, forMs: number): void {
    held.set(key, { value, until: this.#clock.now() + forMs })
  }
}
