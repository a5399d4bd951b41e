import type { Clock } from './clock.ts'
import { errorTypeOf } from './error-type.ts'
import type { Report } from './report.ts'

interface Pattern {
  latest: Report
  /** In this period. */
  count: number
  /** Since it began. */
  total: number
}

/** So many patterns are told apart; failures beyond them are one. */
const mostPatterns = 100

/**
 * Tells a new failure from one that repeats: the same operation, outcome and kind of cause. At the end of each
 * period `onPeriod` hears how often it came again; after a period without, the pattern is over and forgotten.
 */
export class OutagePatterns {
  readonly #patterns = new Map<string, Pattern>()
  readonly #periodMs: number
  readonly #clock: Clock
  readonly #onPeriod: (latest: Report, count: number, total: number) => void

  constructor(
    periodMs: number,
    clock: Clock,
    onPeriod: (latest: Report, count: number, total: number) => void,
  ) {
    this.#periodMs = periodMs
    this.#clock = clock
    this.#onPeriod = onPeriod
  }

  /** Counts it; true if it is the first of its pattern. */
  isNew(report: Report): boolean {
    const key = this.#keyOf(report)
    const known = this.#patterns.get(key)
    if (known) {
      known.latest = report
      known.count += 1
      known.total += 1
      return false
    }
    const pattern = { latest: report, count: 0, total: 1 }
    this.#patterns.set(key, pattern)
    this.#watch(key, pattern)
    return true
  }

  #watch(key: string, pattern: Pattern): void {
    const endPeriod = () => {
      const { latest, count, total } = pattern
      pattern.count = 0
      if (count === 0) this.#patterns.delete(key)
      else this.#watch(key, pattern)
      this.#onPeriod(latest, count, total)
    }
    this.#clock.after(this.#periodMs, endPeriod).unref()
  }

  #keyOf({ component, name, operation, outcome, cause }: Report): string {
    const key = [component, name, operation, outcome, errorTypeOf(cause)].join('\0')
    return this.#patterns.has(key) || this.#patterns.size < mostPatterns ? key : ''
  }
}
