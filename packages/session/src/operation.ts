import { begin, inside } from '@stepladder/core'
import { SessionNotSerializableError, SessionUnavailableError } from './errors.ts'
import type { PlaceSettings } from './options.ts'

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
    const isTheCallers = cause instanceof SessionNotSerializableError
    const failure = isTheCallers ? cause : new SessionUnavailableError(name, operation, cause)
    end('failed', failure)
    throw failure
  }
}

/** Reports something that is no operation of its own. */
export function reportOnce(
  operation: string,
  { name, report, clock }: PlaceSettings,
  outcome: string,
  cause: unknown,
): void {
  begin({ component: 'session', name, operation }, report, clock)(outcome, cause)
}
