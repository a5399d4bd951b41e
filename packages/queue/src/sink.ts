/** Rows that travel together, under a name that stays the same however often they are delivered. */
export interface Batch<Row> {
  readonly id: string
  readonly rows: readonly Row[]
}

/** How a batch ended: with `quarantined` rows, `cause` says what was wrong with the first of them. */
export interface Applied {
  readonly outcome: 'applied' | 'duplicate' | 'quarantined'
  readonly cause?: unknown
}

/**
 * Writes one batch to where it belongs, all of it or nothing; batches come one at a time, in order. It is
 * called again with the same batch when it rejects, and may be called again after it resolved (a process can
 * die before that is noted): a sink that must not act twice remembers `batch.id`, as `kyselySink` does.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a plain async function without a return must fit.
export type Sink<Row> = (batch: Batch<Row>) => Promise<Applied | void>
