import type { Invalidation } from '../bus/bus.ts'
import { CacheClosedError } from '../errors.ts'
import type { Copies } from '../memory/copies.ts'
import { Entry } from '../memory/entry.ts'

/** An entry, and the names of its tags. */
export interface LocalEntry {
  readonly entry: Entry
  readonly tags: readonly string[]
}

/**
 * Tells everybody else, in the background, what synchronous callers changed in this process: all that one stretch of
 * code changed at once. How that ended is reported by who tells; here nobody waits for it.
 */
export class LocalChanges {
  readonly #cache: string
  readonly #copies: Copies
  /** Never rejects. */
  readonly #tell: (change: Invalidation) => Promise<void>
  #next: { readonly keys: Set<string>; readonly tags: Set<string> } | undefined
  /** What was set here since the oldest change that is being told. */
  readonly #setMeanwhile = new Map<string, LocalEntry>()
  readonly #underWay = new Set<Promise<void>>()

  #isClosed = false

  constructor(cache: string, copies: Copies, tell: (change: Invalidation) => Promise<void>) {
    this.#cache = cache
    this.#copies = copies
    this.#tell = tell
  }

  /** Drops it here, now, and everywhere else. */
  drop(change: Invalidation): void {
    this.#checkOpen()
    this.#copies.drop(change)
    this.#announce(change)
  }

  /** Puts it here in the place of whatever was there, or nothing, and drops it everywhere else. */
  replace(key: string, local: LocalEntry | undefined): void {
    this.#checkOpen()
    const change = { keys: [key], tags: [] }
    this.#copies.sweep(change)
    this.#announce(change)
    if (local) this.put(key, local)
  }

  /** Puts it here, and tells nobody. */
  put(key: string, local: LocalEntry): void {
    this.#checkOpen()
    this.#copies.put(key, local.entry)
    if (this.#underWay.size > 0) this.#setMeanwhile.set(key, local)
  }

  /** Nothing is kept any more. Resolves when all changes have been told, or cannot be. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#underWay)
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new CacheClosedError(this.#cache)
  }

  #announce({ keys, tags }: Invalidation): void {
    if (this.#next === undefined) {
      this.#next = { keys: new Set(), tags: new Set() }
      const told = Promise.resolve().then(() => this.#tellNext())
      this.#underWay.add(told)
      told.finally(() => {
        this.#underWay.delete(told)
        if (this.#underWay.size === 0) this.#setMeanwhile.clear()
      })
    }
    for (const key of keys) this.#next.keys.add(key)
    for (const tag of tags) this.#next.tags.add(tag)
  }

  async #tellNext(): Promise<void> {
    const { keys, tags } = this.#next!
    this.#next = undefined
    const change = { keys: [...keys], tags: [...tags] }
    await this.#tell(change)
    this.#sweep(change)
  }

  /** Reads that began meanwhile may have met the old record before it was gone; what was set here is none of those. */
  #sweep(change: Invalidation): void {
    const ours = [...this.#setMeanwhile].filter(([key, { entry }]) => this.#copies.fresh(key) === entry)
    this.#copies.sweep(change)
    for (const [key, { entry, tags }] of ours) {
      const again = new Entry({ ...entry, tags: tags.map((tag) => this.#copies.epochs.adopt(tag)) })
      this.#copies.put(key, again)
      this.#setMeanwhile.set(key, { entry: again, tags })
    }
  }
}
