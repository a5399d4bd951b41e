import { StepladderError } from '../errors.ts'

/** Thrown when there is no place for a control socket, or who is behind one does not answer. */
export class ControlUnavailableError extends StepladderError {
  readonly code = 'CONTROL_UNAVAILABLE'
}

/** Thrown when a supervisor does not understand what it is asked. */
export class ControlRefusedError extends StepladderError {
  readonly code = 'CONTROL_REFUSED'
}

/** Thrown when a worker could not write a heap snapshot or a CPU profile. */
export class CaptureFailedError extends StepladderError {
  readonly code = 'CAPTURE_FAILED'
}
