import { StepladderError } from '../errors.ts'

/** Ends a cluster when its workers cannot be kept alive. */
export class CrashLoopError extends StepladderError {
  readonly code = 'CRASH_LOOP'
}

/** Thrown by a reload when the new build did not come up; whoever served goes on serving. */
export class ReloadFailedError extends StepladderError {
  readonly code = 'RELOAD_FAILED'
}
