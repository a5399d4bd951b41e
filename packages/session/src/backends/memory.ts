import { type Clock, systemClock } from '@stepladder/core'
import type { Replaced, SessionBackend } from '../backend.ts'
import type { ExpiryIndex } from '../expiry/expiry-index.ts'
import type { UserIndex } from '../users/user-index.ts'
import { MemoryExpiryIndex } from './memory-expiries.ts'
import { MemoryUserIndex } from './memory-users.ts'

export interface MemorySessionBackendOptions {
  /** How many characters of records to keep; beyond, the one that rested longest goes. Default 64 Mi. */
  readonly maxCharacters?: number | undefined
  /** Hears of each record that had to go before its time. */
  readonly onEvict?: ((id: string) => void) | undefined
  readonly clock?: Clock | undefined
}

interface Entry {
  readonly text: string
  readonly expiresAt: number
}

/** Sessions in the memory of this process: other processes do not see them, and they end with it. */
export class MemorySessionBackend implements SessionBackend {
  readonly users: UserIndex
  readonly expiries: ExpiryIndex
  /** In the order of their last write or touch, so that the first is the one that rested longest. */
  readonly #entries = new Map<string, Entry>()
  readonly #maxCharacters: number
  readonly #onEvict: (id: string) => void
  readonly #clock: Clock
  #characters = 0

  constructor({
    maxCharacters = 64 * 1024 ** 2,
    onEvict = () => {},
    clock = systemClock,
  }: MemorySessionBackendOptions = {}) {
    this.#maxCharacters = maxCharacters
    this.#onEvict = onEvict
    this.#clock = clock
    this.users = new MemoryUserIndex(clock)
    this.expiries = new MemoryExpiryIndex((key) => this.#endOf(key), clock)
  }

  async get(id: string): Promise<string | undefined> {
    return this.#current(id)
  }

  async put(id: string, text: string, ttlMs: number): Promise<void> {
    this.#write(id, text, ttlMs)
  }

  async putNew(id: string, text: string, ttlMs: number): Promise<boolean> {
    if (this.#current(id) !== undefined) return false
    this.#write(id, text, ttlMs)
    return true
  }

  async replace(id: string, expected: string, text: string, ttlMs: number): Promise<Replaced> {
    const current = this.#current(id)
    if (current !== expected) return { isDone: false, current }
    this.#write(id, text, ttlMs)
    return { isDone: true }
  }

  async touch(id: string, ttlMs: number): Promise<boolean> {
    const current = this.#current(id)
    if (current === undefined) return false
    this.#write(id, current, ttlMs)
    return true
  }

  async destroy(id: string): Promise<string | undefined> {
    const current = this.#current(id)
    this.#remove(id)
    return current
  }

  async all(): Promise<ReadonlyMap<string, string>> {
    this.#removeExpired()
    return new Map([...this.#entries].map(([id, { text }]) => [id, text]))
  }

  async length(): Promise<number> {
    this.#removeExpired()
    return this.#entries.size
  }

  async clear(): Promise<void> {
    this.#entries.clear()
    this.#characters = 0
  }

  async close(): Promise<void> {}

  #current(id: string): string | undefined {
    const entry = this.#entries.get(id)
    if (entry && entry.expiresAt <= this.#clock.now()) this.#remove(id)
    return this.#entries.get(id)?.text
  }

  #endOf(id: string): number | undefined {
    return this.#current(id) === undefined ? undefined : this.#entries.get(id)?.expiresAt
  }

  #write(id: string, text: string, ttlMs: number): void {
    this.#remove(id)
    this.#entries.set(id, { text, expiresAt: this.#clock.now() + ttlMs })
    this.#characters += text.length
    if (this.#characters > this.#maxCharacters) this.#makeRoom()
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    this.#entries.delete(id)
    this.#characters -= entry.text.length
  }

  #removeExpired(): void {
    const now = this.#clock.now()
    for (const [id, { expiresAt }] of this.#entries) if (expiresAt <= now) this.#remove(id)
  }

  /** Leaves a tenth free, so that a full memory is not searched again at every write. */
  #makeRoom(): void {
    this.#removeExpired()
    for (const id of this.#entries.keys()) {
      if (this.#characters <= this.#maxCharacters * 0.9) return
      this.#remove(id)
      this.#onEvict(id)
    }
  }
}
