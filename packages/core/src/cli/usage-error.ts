import { StepladderError } from '../errors.ts'

/** Thrown when the command `stepladder` was called with words that it does not understand. */
export class UsageError extends StepladderError {
  readonly code = 'WRONG_USAGE'

  constructor(problem: string, options?: ErrorOptions) {
    super(`${problem} (stepladder --help tells more)`, options)
  }
}
