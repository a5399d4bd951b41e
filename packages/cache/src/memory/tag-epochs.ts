import { everything } from '../call/key.ts'
import { type TagEpoch, unknownEpoch } from './entry.ts'

/** What this process knows of the tags. Forgetting a tag is always safe: entries that rely on it stop being served. */
export class TagEpochs {
  readonly #known = new Map<string, TagEpoch>()
  readonly #maxTags: number

  constructor(maxTags: number) {
    this.#maxTags = maxTags
  }

  /** Undefined where the store has to be asked. */
  known(tag: string): TagEpoch | undefined {
    const known = this.#known.get(tag)
    return known?.epoch === unknownEpoch ? undefined : known
  }

  /** Takes note of the epoch that a tag has now. */
  learn(tag: string, epoch: string, lastsUntil = 0): TagEpoch {
    const known = this.#known.get(tag)
    const isNews = known?.epoch !== epoch
    if (known && isNews) known.isCurrent = false
    const current = known && !isNews ? known : { epoch, isCurrent: true, lastsUntil }
    current.lastsUntil = Math.max(current.lastsUntil, lastsUntil)
    // Deleted first, so that the map stays in order of use.
    this.#known.delete(tag)
    this.#known.set(tag, current)
    if (this.#known.size > this.#maxTags) this.#forgetOldest()
    return current
  }

  /** For a value loaded without asking the store: whatever the tag's epoch is, it can be invalidated. */
  adopt(tag: string): TagEpoch {
    return this.learn(tag, this.#known.get(tag)?.epoch ?? unknownEpoch)
  }

  drop(tag: string): void {
    const known = this.#known.get(tag)
    if (known) known.isCurrent = false
    this.#known.delete(tag)
  }

  clear(): void {
    for (const known of this.#known.values()) known.isCurrent = false
    this.#known.clear()
  }

  /** But never the tag that every entry carries. */
  #forgetOldest(): void {
    for (const tag of this.#known.keys()) {
      if (tag === everything) continue
      this.drop(tag)
      return
    }
  }
}
