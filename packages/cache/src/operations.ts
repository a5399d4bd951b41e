import { begin, type End, inside, isHeard } from '@stepladder/core'
import type { StoreLimits } from './read/store-calls.ts'

/** How the calls of a cache begin and end: reported, and refused once it cannot work, or was closed. */
export class Operations {
  /** Why nothing works any more. */
  failure: Error | undefined
  readonly #limits: StoreLimits

  constructor(limits: StoreLimits) {
    this.#limits = limits
  }

  /** Nothing at all while nobody listens: a hit costs less than the measuring of it. */
  begin(operation: string): End | undefined {
    const { name, report, clock } = this.#limits
    if (!isHeard(report)) return undefined
    return begin({ component: 'cache', name, operation }, report, clock)
  }

  /** Ends the operation as `outcomeOf` says; or as failed, with what `task` throws or rejects with. */
  async run<T>(operation: string, task: () => Promise<T>, outcomeOf: (result: T) => string): Promise<T> {
    const end = this.begin(operation)
    return this.runUntilEnded(end, async () => {
      const result = await task()
      end?.(outcomeOf(result))
      return result
    })
  }

  /** Ends the operation where it fails; where it does well, the task ends it. */
  async runUntilEnded<T>(end: End | undefined, task: () => Promise<T>): Promise<T> {
    try {
      if (this.failure) throw this.failure
      return await inside(end, task)
    } catch (failure) {
      end?.('failed', failure)
      throw failure
    }
  }
}
