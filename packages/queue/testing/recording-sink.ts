import type { Batch, Sink } from '../src/sink.ts'

/** A sink that keeps what it was given, and can be out of order for a while. */
export class RecordingSink<Row> {
  /** Every batch it took, as often as it was delivered. */
  readonly batches: Batch<Row>[] = []
  /** While true, every batch is refused. */
  isDown = false

  /** Hand this to the module under test. */
  readonly sink: Sink<Row> = async (batch) => {
    if (this.isDown) throw new Error('The sink is down')
    this.batches.push(batch)
  }

  /** The rows of all batches, in the order of their arrival. */
  get rows(): Row[] {
    return this.batches.flatMap(({ rows }) => rows)
  }
}
