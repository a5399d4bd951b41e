import { type Clock, systemClock, type Timer } from '@stepladder/core'
import type { OwnWrites } from '../store/own-writes.ts'
import type { Invalidation } from './bus.ts'

/** How long what is in doubt waits for more, to be looked up together. */
const lookUpAfterMs = 100

/** What is stored now: how each record begins, and the epoch of each tag; empty for none. */
export interface Stored {
  readonly heads: readonly string[]
  readonly epochs: readonly string[]
}

export interface TouchesOptions {
  readonly writes: OwnWrites
  readonly lookUp: (touched: Invalidation) => Promise<Stored>
  readonly tell: (touched: Invalidation) => void
  /** Whether anybody would hear of the key. */
  readonly isRelied: (key: string) => boolean
  readonly clock?: Clock | undefined
}

/**
 * Redis tells which keys were written, but not by whom, and two writes at one time but once. So what this process
 * wrote itself a moment ago is neither news nor safe to ignore: it is looked up, many at a time, and told on if
 * something else stands there. So are tags, whose epochs are prolonged now and then. All else is told at once.
 */
export class Touches {
  readonly #writes: OwnWrites
  readonly #lookUp: TouchesOptions['lookUp']
  readonly #tell: TouchesOptions['tell']
  readonly #isRelied: TouchesOptions['isRelied']
  readonly #clock: Clock
  readonly #keys = new Set<string>()
  readonly #tags = new Set<string>()
  #timer: Timer | undefined
  #isClosed = false

  constructor({ writes, lookUp, tell, isRelied, clock = systemClock }: TouchesOptions) {
    this.#writes = writes
    this.#lookUp = lookUp
    this.#tell = tell
    this.#isRelied = isRelied
    this.#clock = clock
  }

  hear({ keys, tags }: Invalidation): void {
    const news: string[] = []
    for (const key of keys) {
      if (!this.#isRelied(key)) continue
      if (this.#writes.headOf(key) === undefined) news.push(key)
      else this.#keys.add(key)
    }
    // An epoch may be made up by a call of this process whose answer is still to come.
    for (const tag of tags) this.#tags.add(tag)
    this.#tellNews(news, [])
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
        const tags = [...this.#tags]
        const believed = tags.filter((tag) => this.#writes.epochOf(tag) !== undefined)
        const unknown = tags.filter((tag) => this.#writes.epochOf(tag) === undefined)
        this.#tellNews([], unknown)
        // What has left memory by now, and nobody is reading, may be whatever it is.
        void this.#check([...this.#keys].filter(this.#isRelied), believed)
        this.#keys.clear()
        this.#tags.clear()
      })
      .unref()
  }

  async #check(keys: readonly string[], tags: readonly string[]): Promise<void> {
    if (keys.length + tags.length === 0) return
    const headOf = (key: string) => this.#writes.headOf(key)
    const epochOf = (tag: string) => this.#writes.epochOf(tag)
    const heads = keys.map(headOf)
    const epochs = tags.map(epochOf)
    try {
      const stored = await this.#lookUp({ keys, tags })
      this.#tellNews(
        keys.filter((key, index) => isNews(stored.heads[index], heads[index], headOf(key))),
        tags.filter((tag, index) => isNews(stored.epochs[index], epochs[index], epochOf(tag))),
      )
    } catch {
      // Nobody can say what stands there.
      this.#tellNews(keys, tags)
    }
  }

  #tellNews(keys: readonly string[], tags: readonly string[]): void {
    if (keys.length + tags.length > 0 && !this.#isClosed) this.#tell({ keys, tags })
  }
}

/** What was written once more while it was looked up brings an echo of its own. */
function isNews(stored: string | undefined, asked: string | undefined, now: string | undefined): boolean {
  return stored !== asked && (now === asked || now === undefined)
}
