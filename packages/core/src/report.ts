import type { AsyncResource } from 'node:async_hooks'
import { type Clock, systemClock } from './clock.ts'
import type { Operation } from './operation.ts'
import { isTraced, traceEnd, traceStart } from './operation-channel.ts'

/** How one operation ended. Metrics, logs and traces are functions of this and of nothing else. */
export interface Report extends Operation {
  /** How it ended: `hit`, `stale`, `failed`. One of few. */
  readonly outcome: string
  /** How long it took, in milliseconds. */
  readonly ms: number
  /** What went wrong, where something did. The operation may have done well in spite of it: see `isFailure`. */
  readonly cause?: unknown
}

/** Hears how operations ended. Must not throw; must not block. */
export type Reporter = (report: Report) => void

/** Ends an operation: call it once, with the outcome. */
export type End = (outcome: string, cause?: unknown) => void

/** Hears nothing: the default of every module. */
export const ignoreReports: Reporter = () => {}

/** One reporter that tells several, in this order. */
export function reportTo(...reporters: readonly Reporter[]): Reporter {
  const hearing = reporters.filter((reporter) => reporter !== ignoreReports)
  if (hearing.length <= 1) return hearing[0] ?? ignoreReports
  return (report) => {
    for (const reporter of hearing) reporter(report)
  }
}

const failures: ReadonlySet<string> = new Set(['failed', 'refused', 'full', 'closed', 'lost'])

/**
 * Whether the operation itself failed: it has a cause, and ended `failed`, `refused`, `full`, `closed` or `lost`.
 * Any other outcome with a cause was survived, such as `stale` or `retried`.
 */
export function isFailure({ outcome, cause }: Pick<Report, 'outcome' | 'cause'>): boolean {
  return cause !== undefined && failures.has(outcome)
}

/** Whether anybody hears of operations: `report`, or a subscriber of the channel `stepladder.operation`. */
export function isHeard(report: Reporter): boolean {
  return report !== ignoreReports || isTraced()
}

/**
 * Starts an operation; call what it returns once, with the outcome, where the operation ends. Tells `report`,
 * and who has subscribed to the channel `stepladder.operation`; nobody listening, it does nothing.
 */
export function begin(subject: Operation, report: Reporter, clock: Clock = systemClock): End {
  if (isTraced()) return beginTraced(subject, report, clock)
  return report === ignoreReports ? unheard : timed(subject, report, clock)
}

/**
 * Runs `task` as a part of an operation that `begin` started: spans of what it calls become children of the
 * operation's span, for tracers that bind their store to the start of `stepladder.operation`. Returns what
 * `task` returns. Without such a tracer it just calls `task`.
 */
export function inside<T>(end: End | undefined, task: () => T): T {
  const scope = end && isTraced() ? scopes.get(end) : undefined
  return scope ? scope.runInAsyncScope(task) : task()
}

const unheard: End = () => {}
const scopes = new WeakMap<End, AsyncResource>()

function timed({ component, name, operation }: Operation, report: Reporter, clock: Clock): End {
  const startedAt = clock.monotonic()
  return (outcome, cause) => {
    const ms = clock.monotonic() - startedAt
    const ended = { component, name, operation, outcome, ms }
    report(cause === undefined ? ended : { ...ended, cause })
  }
}

function beginTraced(subject: Operation, report: Reporter, clock: Clock): End {
  const { trace, scope } = traceStart(subject)
  const end = timed(
    subject,
    (ended) => {
      report(ended)
      traceEnd(trace, ended, isFailure(ended))
    },
    clock,
  )
  scopes.set(end, scope)
  return end
}
