import { StepladderError } from './errors.ts'

/** Thrown instead of asking a dependency that has just failed repeatedly. */
export class BreakerOpenError extends StepladderError {
  readonly code = 'BREAKER_OPEN'

  constructor(name: string, options?: ErrorOptions) {
    super(`The breaker "${name}" is open: its dependency failed repeatedly and rests`, options)
  }
}

/**
 * Stands before a dependency. Closed, it passes every call; after repeated failures it opens and refuses
 * at once with `BreakerOpenError`; after a rest it lets one call through, and closes if that succeeds.
 */
export interface Breaker {
  readonly isOpen: boolean
  run<T>(task: () => Promise<T>): Promise<T>
  /** Lets go of its timers; from then on every call passes. */
  close(): void
}

/** Never opens: for those who want no breaker. */
export const noBreaker: Breaker = { isOpen: false, run: (task) => task(), close: () => {} }
