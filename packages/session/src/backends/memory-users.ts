import type { Clock } from '@stepladder/core'
import type { Admission, Room, UserIndex } from '../users/user-index.ts'

/** The sessions of each user, in the memory of this process. */
export class MemoryUserIndex implements UserIndex {
  readonly #clock: Clock
  /** For each user: key and end. */
  readonly #lists = new Map<string, Map<string, number>>()
  #sweepAt = 1_000

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async admit(user: string, key: string, ttlMs: number, { most, whenFull }: Room): Promise<Admission> {
    const others = this.#inOrder(user).filter((other) => other !== key)
    const tooMany = Math.max(0, others.length + 1 - most)
    if (tooMany > 0 && whenFull === 'refuse') return { isAdmitted: false }
    this.#write(user, key, ttlMs)
    return { isAdmitted: true, over: others.slice(0, tooMany) }
  }

  async renew(user: string, key: string, ttlMs: number): Promise<void> {
    this.#write(user, key, ttlMs)
  }

  async remove(user: string, keys: readonly string[]): Promise<void> {
    const list = this.#lists.get(user)
    if (!list) return
    for (const key of keys) list.delete(key)
    if (list.size === 0) this.#lists.delete(user)
  }

  async list(user: string): Promise<readonly string[]> {
    return this.#inOrder(user)
  }

  async users(): Promise<readonly string[]> {
    this.#sweep()
    return [...this.#lists.keys()]
  }

  #inOrder(user: string): string[] {
    return [...this.#alive(user)].sort(([, a], [, b]) => a - b).map(([key]) => key)
  }

  #write(user: string, key: string, ttlMs: number): void {
    const list = this.#alive(user)
    list.set(key, Math.max(list.get(key) ?? 0, this.#clock.now() + ttlMs))
    this.#lists.set(user, list)
    if (this.#lists.size > this.#sweepAt) this.#sweep()
  }

  #alive(user: string): Map<string, number> {
    const list = this.#lists.get(user) ?? new Map<string, number>()
    const now = this.#clock.now()
    for (const [key, end] of list) if (end <= now) list.delete(key)
    return list
  }

  /** Users who never come back leave their lists behind: looked for whenever there are twice as many as last time. */
  #sweep(): void {
    for (const user of this.#lists.keys()) if (this.#alive(user).size === 0) this.#lists.delete(user)
    this.#sweepAt = Math.max(1_000, this.#lists.size * 2)
  }
}
