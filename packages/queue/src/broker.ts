import type { Closeable } from '@stepladder/core'

/** A batch as it is stored: its name and its rows as text. */
export interface QueuedBatch {
  readonly id: string
  readonly body: string
}

/** What waits to be applied. */
export interface Backlog {
  readonly rows: number
  /** When the oldest of it was written, in ms since the epoch; undefined when nothing waits. */
  readonly oldestAt: number | undefined
}

/** Applies a batch; when the signal aborts it stops trying and rejects, and the batch stays. */
export type ApplyBatch = (batch: QueuedBatch, signal: AbortSignal) => Promise<void>

/** Keeps batches between the request that wrote them and the database. Its contract: `testBroker`. */
export interface Broker extends Closeable {
  /**
   * Resolves once the batch outlives this process; rejects with `QueueUnavailableError`. Handing over the
   * same batch again is harmless: it may be delivered twice, under the same name.
   */
  enqueue(batch: QueuedBatch): Promise<void>

  /**
   * Starts to deliver, one batch at a time, in the order of acceptance. A batch is forgotten after `apply`
   * resolved; a batch whose process died, or whose `apply` rejected, is delivered again.
   */
  consume(apply: ApplyBatch): void

  /** Resolves when all that was accepted before the call has been applied. */
  flushed(signal: AbortSignal): Promise<void>

  backlog(): Promise<Backlog>
}
