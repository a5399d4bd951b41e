import type { Clock } from '@stepladder/core'
import type { ChangeFeed, Replaced, SessionBackend } from '@stepladder/session'

/** A near cache as one writes it at first: with a fence, but it keeps what it read whatever it heard meanwhile. */
export class NaiveNear implements SessionBackend {
  readonly #backend: SessionBackend
  readonly #clock: Clock
  readonly #memory = new Map<string, string>()
  readonly #feed: ChangeFeed

  constructor(backend: SessionBackend, fenceMs: number, clock: Clock) {
    this.#backend = backend
    this.#clock = clock
    const listener = {
      onChange: (id: string) => void this.#memory.delete(id),
      onGap: () => this.#memory.clear(),
    }
    this.#feed = backend.follow!(listener, { fenceMs, clock, onRefused: () => {} })
  }

  async get(id: string): Promise<string | undefined> {
    const isTrusted = this.#clock.monotonic() < this.#feed.heardUntil
    const known = isTrusted ? this.#memory.get(id) : undefined
    if (known !== undefined) return known
    const found = await this.#backend.get(id)
    if (found !== undefined) this.#memory.set(id, found)
    return found
  }

  put(id: string, text: string, ttlMs: number): Promise<void> {
    return this.#write(id, () => this.#backend.put(id, text, ttlMs))
  }

  putNew(id: string, text: string, ttlMs: number): Promise<boolean> {
    return this.#write(id, () => this.#backend.putNew(id, text, ttlMs))
  }

  replace(id: string, expected: string, text: string, ttlMs: number): Promise<Replaced> {
    return this.#write(id, () => this.#backend.replace(id, expected, text, ttlMs))
  }

  touch(id: string, ttlMs: number): Promise<boolean> {
    return this.#write(id, () => this.#backend.touch(id, ttlMs))
  }

  destroy(id: string): Promise<string | undefined> {
    return this.#write(id, () => this.#backend.destroy(id))
  }

  all(): Promise<ReadonlyMap<string, string>> {
    return this.#backend.all()
  }

  length(): Promise<number> {
    return this.#backend.length()
  }

  clear(): Promise<void> {
    return this.#backend.clear()
  }

  async close(): Promise<void> {
    await this.#feed.close()
    await this.#backend.close()
  }

  async #write<T>(id: string, write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } finally {
      this.#memory.delete(id)
    }
  }
}
