import { type Clock, systemClock } from './clock.ts'
import { StepladderError } from './errors.ts'

/** Thrown when an operation did not end within its time. */
export class DeadlineExceededError extends StepladderError {
  readonly code = 'DEADLINE_EXCEEDED'
  readonly ms: number

  constructor(what: string, ms: number) {
    super(`${what} did not end within ${ms} ms`)
    this.ms = ms
  }
}

/**
 * Runs `task` and stops waiting for it after `ms`: rejects with `DeadlineExceededError`, and aborts the
 * signal that the task was given. What the task does after that is not heard.
 */
export async function withDeadline<T>(
  what: string,
  ms: number,
  task: (signal: AbortSignal) => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  if (ms === Number.POSITIVE_INFINITY) return task(new AbortController().signal)
  const controller = new AbortController()
  // A task that throws before it returns a promise must stop the timer as well.
  const run = async () => task(controller.signal)
  return new Promise<T>((resolve, reject) => {
    const timer = clock.after(ms, () => {
      const exceeded = new DeadlineExceededError(what, ms)
      controller.abort(exceeded)
      reject(exceeded)
    })
    run()
      .then(resolve, reject)
      .finally(() => timer.cancel())
  })
}
