import type { Clock } from '@stepladder/core'
import type { Invalidation } from '../bus/bus.ts'
import { everything } from '../call/key.ts'

/** How long a synchronous reader may take from its miss to the value that it brings, in milliseconds. */
const maxReadMs = 30_000
const maxKeys = 10_000
const maxTags = 1_000

interface Miss {
  /** Readers that have not brought a value yet, as far as can be told. */
  open: number
  /** Drops are numbered: those after this one came while somebody was reading. */
  readonly since: number
  lastAt: number
  /** Until when what is brought may be from before an invalidation. */
  overtakenUntil: number
}

interface Drop {
  readonly number: number
  readonly at: number
}

/** What became of the key since it was missed; `none`: nobody missed it; `overtaken`: something came while it was read. */
export type Fate = 'none' | 'current' | 'overtaken'

/**
 * The keys that synchronous readers did not find. They hold no flight and no lease, so this is what tells whether
 * the value that one of them brings was overtaken by an invalidation. Who brings it is not known: from an invalidation
 * on, nothing is taken until all readers from before it have brought theirs, or cannot any more.
 */
export class MissLog {
  /** In the order of their last miss. */
  readonly #byKey = new Map<string, Miss>()
  readonly #droppedTags = new Map<string, Drop>()
  readonly #clock: Clock
  #lastDrop = 0
  /** The last drop that may concern any key. */
  #wholeDrop: Drop = { number: 0, at: Number.NEGATIVE_INFINITY }
  /** Until when there may be readers whose misses were forgotten. */
  #blindUntil = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(key: string): void {
    const now = this.#clock.monotonic()
    const known = this.#find(key, now)
    this.#byKey.delete(key)
    const { open, ...rest } = known ?? { open: 0, since: this.#lastDrop, overtakenUntil: 0 }
    this.#byKey.set(key, { ...rest, open: open + 1, lastAt: now })
    this.#forgetOldest(now)
  }

  /** A reader has brought the value. */
  take(key: string, tags: readonly string[]): Fate {
    const now = this.#clock.monotonic()
    const miss = this.#find(key, now)
    // One whose miss was forgotten may have been overtaken, for all that is known.
    if (!miss) return now < this.#blindUntil ? 'overtaken' : 'none'
    if (--miss.open === 0) this.#byKey.delete(key)
    return this.#isOvertaken(miss, tags, now) ? 'overtaken' : 'current'
  }

  has(key: string): boolean {
    return this.#byKey.has(key)
  }

  drop({ keys, tags }: Invalidation): void {
    const drop = { number: ++this.#lastDrop, at: this.#clock.monotonic() }
    for (const key of keys) {
      const miss = this.#byKey.get(key)
      if (miss) miss.overtakenUntil = drop.at + maxReadMs
    }
    for (const tag of tags) {
      if (tag === everything) this.#wholeDrop = drop
      else this.#dropTag(tag, drop)
    }
  }

  /** Invalidations may have been missed. */
  gap(): void {
    this.#wholeDrop = { number: ++this.#lastDrop, at: this.#clock.monotonic() }
  }

  #find(key: string, now: number): Miss | undefined {
    const miss = this.#byKey.get(key)
    return miss && now < miss.lastAt + maxReadMs ? miss : undefined
  }

  #isOvertaken(miss: Miss, tags: readonly string[], now: number): boolean {
    const isSince = (drop: Drop | undefined) =>
      drop !== undefined && drop.number > miss.since && now < drop.at + maxReadMs
    return (
      now < miss.overtakenUntil ||
      isSince(this.#wholeDrop) ||
      (tags.length > 0 && tags.some((tag) => isSince(this.#droppedTags.get(tag))))
    )
  }

  #dropTag(tag: string, drop: Drop): void {
    if (this.#byKey.size === 0) return
    this.#droppedTags.delete(tag)
    this.#droppedTags.set(tag, drop)
    if (this.#droppedTags.size <= maxTags) return
    // More than can be remembered: then it is as if all had been dropped.
    this.#droppedTags.clear()
    this.#wholeDrop = drop
  }

  #forgetOldest(now: number): void {
    for (const [key, { lastAt }] of this.#byKey) {
      const isOver = now >= lastAt + maxReadMs
      if (!isOver && this.#byKey.size <= maxKeys) return
      if (!isOver) this.#blindUntil = now + maxReadMs
      this.#byKey.delete(key)
    }
  }
}
