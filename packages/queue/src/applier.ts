import { begin, type Clock, exponentialBackoff, inside, type Reporter, retry } from '@stepladder/core'
import type { ApplyBatch } from './broker.ts'
import { decodeRows } from './row-codec.ts'
import type { Sink } from './sink.ts'

export interface ApplierOptions<Row> {
  readonly name: string
  readonly sink: Sink<Row>
  readonly report: Reporter
  readonly clock: Clock
}

/**
 * Takes a batch to the sink and stays with it until the sink took it: a batch that waits in place is not
 * overtaken by the next one. Each try is reported: `retried` with its cause, then how it ended.
 */
export function applier<Row>({ name, sink, report, clock }: ApplierOptions<Row>): ApplyBatch {
  const subject = { component: 'queue', name, operation: 'apply' }
  return async ({ id, body }, signal) => {
    // `write` took these rows from its caller as `Row`, and the codec gives back what it was given.
    const batch = { id, rows: decodeRows(body) as Row[] }
    let end = begin(subject, report, clock)
    const applied = await retry(() => inside(end, () => sink(batch)), {
      attempts: Number.POSITIVE_INFINITY,
      backoff: exponentialBackoff({ baseMs: 50, maxMs: 5_000 }),
      signal,
      clock,
      onRetry: (cause) => {
        end('retried', cause)
        end = begin(subject, report, clock)
      },
    })
    const { outcome, cause } = applied ?? { outcome: 'applied' }
    end(outcome, cause)
  }
}
