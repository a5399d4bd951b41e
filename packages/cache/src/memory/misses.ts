import type { Clock } from '@stepladder/core'
import type { Invalidation } from '../bus/bus.ts'
import { MissLog } from './miss-log.ts'

/**
 * Decides whether a value that was read, or made, without a flight may be kept. Counted twice: `set` may be the end of a
 * read, or a change that nobody read for; only who counts its misses by the `fill`s that end them knows for certain.
 */
export class Misses {
  readonly #endedByAny: MissLog
  readonly #endedByFills: MissLog
  /** By the code that runs at this moment. */
  readonly #justBrought = new Set<string>()

  constructor(clock: Clock) {
    this.#endedByAny = new MissLog(clock)
    this.#endedByFills = new MissLog(clock)
  }

  add(key: string): void {
    this.#endedByAny.add(key)
    this.#endedByFills.add(key)
  }

  /** Whether the code that runs at this moment has brought the value. */
  isJustBrought(key: string): boolean {
    return this.#justBrought.has(key)
  }

  /** A value that may be news, or the end of a read: not to be kept if it may be older than an invalidation. */
  maySet(key: string, tags: readonly string[]): boolean {
    const maySet = this.#endedByAny.take(key, tags) !== 'overtaken'
    // What others are reading is older than this.
    this.#endedByFills.drop({ keys: [key], tags: [] })
    if (maySet) this.#noteBrought(key)
    return maySet
  }

  /** A value that is the end of a read: to be kept only if the key was missed, and nothing came since. */
  mayFill(key: string, tags: readonly string[]): boolean {
    this.#endedByAny.take(key, tags)
    const mayFill = this.#endedByFills.take(key, tags) === 'current'
    if (mayFill) this.#noteBrought(key)
    return mayFill
  }

  has(key: string): boolean {
    return this.#endedByAny.has(key) || this.#endedByFills.has(key)
  }

  drop(invalidation: Invalidation): void {
    this.#endedByAny.drop(invalidation)
    this.#endedByFills.drop(invalidation)
  }

  /** Invalidations may have been missed. */
  gap(): void {
    this.#endedByAny.gap()
    this.#endedByFills.gap()
  }

  #noteBrought(key: string): void {
    if (this.#justBrought.size === 0) queueMicrotask(() => this.#justBrought.clear())
    this.#justBrought.add(key)
  }
}
