import { begin, inside, isStepladderError } from '@stepladder/core'
import { SessionUnavailableError } from './errors.ts'
import type { PlaceSettings } from './options.ts'
import { ChangeFailure } from './write/write-lanes.ts'

/** How an operation ended, what it hands back, and what there is to say about it. */
export type Ending<T> = readonly [outcome: string, value: T, cause?: unknown]

/**
 * Runs one operation of a store and reports once how it ended. Whatever failed beneath becomes a
 * `SessionUnavailableError`; a session that is no JSON is the caller's own, and stays what it is.
 */
export async function runOperation<T>(
  operation: string,
  { name, report, clock }: PlaceSettings,
  task: () => Promise<Ending<T>>,
): Promise<T> {
  const end = begin({ component: 'session', name, operation }, report, clock)
  try {
    const [outcome, value, cause] = await inside(end, task)
    end(outcome, cause)
    return value
  } catch (cause) {
    const failure = failureOf(cause, name, operation)
    end('failed', failure)
    throw failure
  }
}

/** What failed beneath becomes a `SessionUnavailableError`; what the app itself has done wrong stays what it is. */
export function failureOf(cause: unknown, name: string, operation: string): unknown {
  if (cause instanceof ChangeFailure) return cause.cause
  const isTheApps = isStepladderError(cause) && appErrors.has(cause.code)
  return isTheApps ? cause : new SessionUnavailableError(name, operation, cause)
}

const appErrors: ReadonlySet<string> = new Set([
  'SESSION_NOT_SERIALIZABLE',
  'SESSION_TOO_LARGE',
  'INVALID_SESSION_RECORD',
])

/** Reports something that is no operation of its own. */
export function reportOnce(
  operation: string,
  { name, report, clock }: PlaceSettings,
  outcome: string,
  cause: unknown,
): void {
  begin({ component: 'session', name, operation }, report, clock)(outcome, cause)
}
