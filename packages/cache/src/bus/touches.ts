import { type Clock, systemClock, type Timer } from '@stepladder/core'
import type { OwnWrites } from '../store/own-writes.ts'
import type { Invalidation } from './bus.ts'

/** How long an echo waits for others, to be looked up together with them. */
const lookUpAfterMs = 100

export interface TouchesOptions {
  readonly writes: OwnWrites
  /** How each record begins, and the epoch of each tag; empty for none. */
  readonly lookUp: (touched: Invalidation) => Promise<{ heads: readonly string[]; epochs: readonly string[] }>
  readonly tell: (touched: Invalidation) => void
  readonly clock?: Clock | undefined
}

/**
 * Redis tells which keys were written, but not by whom, and two writes at one time but once. So what this process
 * wrote itself a moment ago is neither news nor safe to ignore: it is looked up, many at a time, and told on if
 * something else stands there. The same for tags, whose epochs are prolonged now and then. All else is told at once.
 */
export class Touches {
  readonly #writes: OwnWrites
  readonly #lookUp: TouchesOptions['lookUp']
  readonly #tell: TouchesOptions['tell']
  readonly #clock: Clock
  readonly #keys = new Set<string>()
  readonly #tags = new Set<string>()
  #timer: Timer | undefined
  #isClosed = false

  constructor({ writes, lookUp, tell, clock = systemClock }: TouchesOptions) {
    this.#writes = writes
    this.#lookUp = lookUp
    this.#tell = tell
    this.#clock = clock
  }

  hear({ keys, tags }: Invalidation): void {
    const news = keys.filter((key) => this.#writes.headOf(key) === undefined)
    const unknown = tags.filter((tag) => this.#writes.epochOf(tag) === undefined)
    if (news.length > 0 || unknown.length > 0) this.#tell({ keys: news, tags: unknown })
    for (const key of keys) if (this.#writes.headOf(key) !== undefined) this.#keys.add(key)
    for (const tag of tags) if (this.#writes.epochOf(tag) !== undefined) this.#tags.add(tag)
    this.#schedule()
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #schedule(): void {
    if (this.#isClosed || this.#timer || this.#keys.size + this.#tags.size === 0) return
    this.#timer = this.#clock
      .after(lookUpAfterMs, () => {
        this.#timer = undefined
        const touched = { keys: [...this.#keys], tags: [...this.#tags] }
        this.#keys.clear()
        this.#tags.clear()
        void this.#check(touched)
      })
      .unref()
  }

  async #check({ keys, tags }: Invalidation): Promise<void> {
    const asked = { keys: keys.map((key) => this.#writes.headOf(key)), tags: this.#epochsOf(tags) }
    try {
      const { heads, epochs } = await this.#lookUp({ keys, tags })
      const news = {
        keys: keys.filter((key, index) => isNews(heads[index], asked.keys[index], this.#writes.headOf(key))),
        tags: tags.filter((tag, index) =>
          isNews(epochs[index], asked.tags[index], this.#writes.epochOf(tag)),
        ),
      }
      if (news.keys.length > 0 || news.tags.length > 0) this.#tell(news)
    } catch {
      // Nobody can say what stands there.
      this.#tell({ keys, tags })
    }
  }

  #epochsOf(tags: readonly string[]): readonly (string | undefined)[] {
    return tags.map((tag) => this.#writes.epochOf(tag))
  }
}

/** What was written once more while it was looked up brings an echo of its own. */
function isNews(stored: string | undefined, asked: string | undefined, now: string | undefined): boolean {
  return stored !== asked && (now === asked || now === undefined)
}
