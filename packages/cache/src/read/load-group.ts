import { Batches } from '@stepladder/core'
import { LoadManyAnswerError } from '../errors.ts'

/** Brings the values of many keys: an array of one for each, in their order. An `Error` in it is that one key's failure. */
export type LoadMany<T> = (
  keys: readonly string[],
) => readonly (T | Error)[] | Promise<readonly (T | Error)[]>

/**
 * Makes one call of a `loadMany` out of the loads of many keys: it is made when each key has said whether it must be
 * loaded. A key that another process loads says no for now; if it must be loaded after all, it is in a later call.
 */
export class LoadGroup {
  readonly #undecided: Set<string>
  readonly #loads: Batches<string, unknown>
  #waiting: (() => void)[] = []

  constructor(cache: string, keys: readonly string[], loadMany: LoadMany<unknown>) {
    this.#undecided = new Set(keys)
    this.#loads = new Batches(
      async (asked) => {
        const values: unknown = await loadMany(asked)
        if (Array.isArray(values) && values.length === asked.length) return values
        const found = Array.isArray(values) ? `one of ${values.length}` : `a value of type ${typeof values}`
        throw new LoadManyAnswerError(cache, asked.length, found)
      },
      { most: Number.POSITIVE_INFINITY },
    )
  }

  /** The loader of one of the keys. */
  async load(key: string): Promise<unknown> {
    const turn = new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.decide(key)
    await turn
    const value = await this.#loads.ask(key)
    if (value instanceof Error) throw value
    return value
  }

  /** This key does not have to be loaded, or not now. */
  decide(key: string): void {
    this.#undecided.delete(key)
    if (this.#undecided.size > 0) return
    for (const start of this.#waiting) start()
    this.#waiting = []
  }
}
