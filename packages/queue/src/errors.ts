import { StepladderError } from '@stepladder/core'

/** Whether a write that was refused may have been accepted after all. */
export type Acceptance = 'no' | 'unknown'

/**
 * Thrown by `write()` when nothing durable can take the rows. With `accepted: 'no'` they are surely not
 * queued; with `'unknown'` the answer got lost, so they reach the database once or never: write them again
 * only where the sink has a `key`. Express answers 503 for it, with `Retry-After`.
 */
export class QueueUnavailableError extends StepladderError {
  readonly code = 'QUEUE_UNAVAILABLE'
  readonly status = 503
  readonly retryAfterMs = 1_000
  readonly headers: Readonly<Record<string, string>> = { 'Retry-After': '1' }
  readonly accepted: Acceptance

  constructor(name: string, accepted: Acceptance, options?: ErrorOptions) {
    const known =
      accepted === 'no' ? 'The rows were not accepted' : 'Whether the rows were accepted is unknown'
    super(`Queue "${name}" cannot be written to. ${known}`, options)
    this.accepted = accepted
  }
}

/** Thrown by `write()` when more rows wait than `maxPendingRows` allows. None of the rows was accepted. */
export class QueueFullError extends StepladderError {
  readonly code = 'QUEUE_FULL'
  readonly status = 503
  readonly retryAfterMs = 1_000
  readonly headers: Readonly<Record<string, string>> = { 'Retry-After': '1' }

  constructor(name: string, maxPendingRows: number) {
    super(`Queue "${name}" is full: ${maxPendingRows} rows wait to be accepted (maxPendingRows)`)
  }
}

/** Thrown by `write()` after `close()`. The rows were not accepted. */
export class QueueClosedError extends StepladderError {
  readonly code = 'QUEUE_CLOSED'
  readonly status = 503

  constructor(name: string) {
    super(`Queue "${name}" is closed`)
  }
}

/** Thrown by `write()` for a row that is not plain data. None of the rows of that call was accepted. */
export class InvalidRowError extends StepladderError {
  readonly code = 'INVALID_ROW'

  constructor(reason: string, options?: ErrorOptions) {
    super(`A row cannot be queued: ${reason}`, options)
  }
}

/** The `cause` in the report of a batch some of whose rows the database refused; they are in the dead table. */
export class RowsQuarantinedError extends StepladderError {
  readonly code = 'ROWS_QUARANTINED'
  readonly rows: number

  constructor(rows: number, deadTable: string, options?: ErrorOptions) {
    super(`The database refused ${rows} row(s): they are in table "${deadTable}"`, options)
    this.rows = rows
  }
}
