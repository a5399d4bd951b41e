import type { Invalidation } from '../bus/bus.ts'

/** How much there was of each when a savepoint was set. */
interface Mark {
  readonly name: string
  readonly keys: number
  readonly tags: number
}

/**
 * What a transaction will have changed when it commits. A savepoint remembers how far it had got; going back to
 * it forgets what came after.
 */
export class Changes {
  // In the order of their coming, each once: a million inserts into one table keep one name.
  #keys: ReadonlySet<string> = new Set()
  #tags: ReadonlySet<string> = new Set()
  #marks: readonly Mark[] = []

  get isEmpty(): boolean {
    return this.#keys.size === 0 && this.#tags.size === 0
  }

  add({ keys, tags }: Invalidation): void {
    if (keys.length > 0) this.#keys = new Set([...this.#keys, ...keys])
    if (tags.some((tag) => !this.#tags.has(tag))) this.#tags = new Set([...this.#tags, ...tags])
  }

  mark(name: string): void {
    this.#marks = [...this.#marks, { name, keys: this.#keys.size, tags: this.#tags.size }]
  }

  /** The savepoint itself stays, as it does in the database. */
  backTo(name: string): void {
    // Some databases take `A` and `a` for one: the latest of both has less to forget.
    const isIt = (mark: Mark) => mark.name.toLowerCase() === name.toLowerCase()
    const index = this.#marks.findLastIndex(isIt)
    const mark = this.#marks[index]
    if (!mark) return
    this.#marks = this.#marks.slice(0, index + 1)
    this.#keys = new Set([...this.#keys].slice(0, mark.keys))
    this.#tags = new Set([...this.#tags].slice(0, mark.tags))
  }

  all(): Invalidation {
    return { keys: [...this.#keys], tags: [...this.#tags] }
  }

  forget(): void {
    this.#keys = new Set()
    this.#tags = new Set()
    this.#marks = []
  }
}
