import type { Report, Reporter } from '../src/report.ts'

/** Keeps what a module reported, for a test to look at. */
export class RecordedReports {
  readonly all: Report[] = []
  /** Hand this to the module under test. */
  readonly report: Reporter = (report) => void this.all.push(report)

  /** The outcomes so far, oldest first; of one operation if named. */
  outcomes(operation?: string): string[] {
    return this.all
      .filter((report) => operation === undefined || report.operation === operation)
      .map((report) => report.outcome)
  }
}
