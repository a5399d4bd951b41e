import { withDeadline } from '../src/deadline.ts'
import type { Report, Reporter } from '../src/report.ts'

/** Keeps what a module reported, for a test to look at. */
export class RecordedReports {
  readonly all: Report[] = []
  /** Hand this to the module under test. */
  readonly report: Reporter = (report) => {
    this.all.push(report)
    for (const look of this.#waiting) look()
  }
  readonly #waiting = new Set<() => void>()

  /** The outcomes so far, oldest first; of one operation if named. */
  outcomes(operation?: string): string[] {
    return this.all
      .filter((report) => operation === undefined || report.operation === operation)
      .map((report) => report.outcome)
  }

  /**
   * The first report of that operation that ended so: one that is here already, or the next to come. Rejects
   * with `DeadlineExceededError` when none has come after `withinMs` (default 5000) of real time.
   */
  until(operation: string, outcome: string, withinMs = 5_000): Promise<Report> {
    const find = () => this.all.find((report) => report.operation === operation && report.outcome === outcome)
    let look = () => {}
    const found = new Promise<Report>((resolve) => {
      look = () => {
        const report = find()
        if (report) resolve(report)
      }
      this.#waiting.add(look)
      look()
    })
    return withDeadline(`Waiting for ${operation} to end ${outcome}`, withinMs, () => found).finally(() => {
      this.#waiting.delete(look)
    })
  }

  /** Forgets what was reported so far. */
  clear(): void {
    this.all.length = 0
  }
}
