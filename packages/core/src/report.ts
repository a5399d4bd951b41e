import { type Clock, systemClock } from './clock.ts'

/** How one operation ended. Metrics, logs and traces are functions of this and of nothing else. */
export interface Report {
  /** Which kind of part speaks: `cache`, `session`, `queue`, `shard`, `cluster`. */
  readonly component: string
  /** Which one of them: the name it was constructed with. One of few, so it may be a metric's label. */
  readonly name: string
  /** What was asked: `get`, `write`, `route`. One of few. */
  readonly operation: string
  /** How it ended: `hit`, `stale`, `failed`. One of few. */
  readonly outcome: string
  /** How long it took, in milliseconds. */
  readonly ms: number
  /** What went wrong, where something did. */
  readonly cause?: unknown
}

/** Hears how operations ended. Must not throw; must not block. */
export type Reporter = (report: Report) => void

/** Hears nothing: the default of every module. */
export const ignoreReports: Reporter = () => {}

/** One reporter that tells several. */
export function reportTo(...reporters: readonly Reporter[]): Reporter {
  return (report) => {
    for (const reporter of reporters) reporter(report)
  }
}

/** Starts an operation; call what it returns once, with the outcome, where the operation ends. */
export function begin(
  subject: Pick<Report, 'component' | 'name' | 'operation'>,
  report: Reporter,
  clock: Clock = systemClock,
): (outcome: string, cause?: unknown) => void {
  const startedAt = clock.monotonic()
  return (outcome, cause) => {
    const ms = clock.monotonic() - startedAt
    report(cause === undefined ? { ...subject, outcome, ms } : { ...subject, outcome, ms, cause })
  }
}
