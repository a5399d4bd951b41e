import { sleep } from '@stepladder/core'
import { readBatchId } from '../src/batch-id.ts'
import type { ApplyBatch, Backlog, Broker, QueuedBatch } from '../src/broker.ts'
import { QueueClosedError } from '../src/errors.ts'

/** A broker that keeps its batches in an array, which outlives it as Redis outlives a process. */
export class MemoryBroker implements Broker {
  readonly #waiting: QueuedBatch[]
  readonly #stop = new AbortController()

  constructor(waiting: QueuedBatch[] = []) {
    this.#waiting = waiting
  }

  async enqueue(batch: QueuedBatch): Promise<void> {
    if (this.#stop.signal.aborted) throw new QueueClosedError('memory')
    this.#waiting.push(batch)
  }

  consume(apply: ApplyBatch): void {
    void this.#run(apply)
  }

  async flushed(signal: AbortSignal): Promise<void> {
    for (const accepted = [...this.#waiting]; accepted.some((batch) => this.#waiting.includes(batch)); ) {
      await sleep(1, { signal })
    }
  }

  async backlog(): Promise<Backlog> {
    const ids = this.#waiting.map(({ id }) => readBatchId(id))
    return { rows: ids.reduce((sum, { rows }) => sum + rows, 0), oldestAt: ids[0]?.acceptedAt }
  }

  async close(): Promise<void> {
    this.#stop.abort()
  }

  async #run(apply: ApplyBatch): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const batch = this.#waiting[0]
      const isApplied = batch && (await apply(batch, signal).then(isDone, isLeft))
      if (isApplied) this.#waiting.shift()
      else await sleep(1)
    }
  }
}

const isDone = () => true
const isLeft = () => false
