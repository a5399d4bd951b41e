import { StepladderError } from '@stepladder/core'

/**
 * Which tables a statement reads or writes cannot be seen, since it has them in a fragment of raw SQL. Name
 * them: `tables` or `tags` for `cached`, `.withPlugin(writesTo('flights'))` for a write.
 */
export class OpaqueStatementError extends StepladderError {
  readonly code = 'OPAQUE_STATEMENT'
  /** The part that cannot be seen into. */
  readonly fragment: string

  constructor(what: 'reads' | 'writes', fragment: string) {
    const shown = fragment.length > 200 ? `${fragment.slice(0, 200)}...` : fragment
    const remedy = what === 'reads' ? 'pass `tables` or `tags`' : "add .withPlugin(writesTo('table', ...))"
    super(`Which tables this statement ${what} cannot be seen in "${shown}"; ${remedy}`)
    this.fragment = shown
  }
}

/** The answer of this query must not be kept: the message says why. */
export class UncacheableQueryError extends StepladderError {
  readonly code = 'UNCACHEABLE_QUERY'

  constructor(problem: string) {
    super(`This query cannot be cached: ${problem}`)
  }
}

/** Reported as the cause of `waiting`, never thrown: rows of the outbox that the cache could not be told yet. */
export class OutboxBacklogError extends StepladderError {
  readonly code = 'OUTBOX_BACKLOG'
  readonly rows: number
  /** How long ago the oldest of them was written. */
  readonly oldestMs: number

  constructor({ rows, oldestMs }: { readonly rows: number; readonly oldestMs: number }) {
    super(`${rows} rows wait in the outbox, the oldest for ${oldestMs} ms`)
    this.rows = rows
    this.oldestMs = oldestMs
  }
}
