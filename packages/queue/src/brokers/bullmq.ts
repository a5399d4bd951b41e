import {
  begin,
  isStepladderError,
  MissingPackageError,
  type RedisOption,
  type Reporter,
  retry,
  sleep,
  withDeadline,
} from '@stepladder/core'
import type { Job, Worker } from 'bullmq'
import { readBatchId } from '../batch-id.ts'
import type { ApplyBatch, Backlog, Broker, QueuedBatch } from '../broker.ts'
import { type Acceptance, QueueClosedError, QueueUnavailableError } from '../errors.ts'
import { QueueConnection } from './bullmq-queue.ts'

export interface BullmqBrokerOptions {
  readonly name: string
  readonly redis: RedisOption
  readonly report: Reporter
}

/** A hand-over and one that waits behind it end within a second. */
const enqueueWithinMs = 480
const closeWithinMs = 1_000

/** BullMQ must never take a batch for failed: only the database's answer ends it. */
const jobOptions = { attempts: 1_000_000_000, removeOnComplete: true, removeOnFail: false }

/**
 * Batches as BullMQ jobs: one job for a whole batch, named by the batch. Jobs are applied one at a time over
 * all processes, in order. An acknowledged batch is as durable as this Redis is: see `appendfsync`.
 */
export class BullmqBroker implements Broker {
  readonly #name: string
  readonly #report: Reporter
  readonly #connection: QueueConnection
  readonly #stop = new AbortController()
  #worker: Promise<Worker | undefined> = Promise.resolve(undefined)
  #applying: Promise<unknown> = Promise.resolve()

  constructor({ name, redis, report }: BullmqBrokerOptions) {
    this.#name = name
    this.#report = report
    const onError = (failure: unknown) => this.#tell('failed', failure)
    this.#connection = new QueueConnection({ name, redis, onError })
    this.#connection.opened().catch(onError)
  }

  async enqueue(batch: QueuedBatch): Promise<void> {
    if (this.#stop.signal.aborted) throw new QueueClosedError(this.#name)
    // Loading packages at the start is not an outage.
    await this.#connection.opened()
    let accepted: Acceptance = 'no'
    let lastFailure: unknown
    const tryOnce = async () => {
      const queue = await this.#connection.queue()
      accepted = 'unknown'
      await queue.add('batch', { v: 1, body: batch.body }, { ...jobOptions, jobId: batch.id })
    }
    try {
      await withDeadline('handing over a batch', enqueueWithinMs, (signal) =>
        retry(tryOnce, {
          attempts: Number.POSITIVE_INFINITY,
          backoff: () => 25,
          signal,
          onRetry: (failure) => {
            lastFailure = failure
          },
        }),
      )
    } catch (failure) {
      const cause = isStepladderError(failure) ? (lastFailure ?? failure) : failure
      throw new QueueUnavailableError(this.#name, accepted, { cause })
    }
  }

  consume(apply: ApplyBatch): void {
    const { signal } = this.#stop
    this.#worker = retry(() => this.#connection.startWorker((job) => this.#apply(job, apply)), {
      attempts: Number.POSITIVE_INFINITY,
      backoff: () => 100,
      signal,
      retryIf: (failure) => !(failure instanceof MissingPackageError),
    }).catch((failure) => {
      if (!signal.aborted) this.#tell('failed', failure)
      return undefined
    })
  }

  async flushed(signal: AbortSignal): Promise<void> {
    const ask = () => retry(() => this.#ids(), { attempts: Number.POSITIVE_INFINITY, signal })
    for (let left = await ask(); left.size > 0; ) {
      await sleep(20, { signal })
      const now = await ask()
      left = new Set([...left].filter((id) => now.has(id)))
    }
  }

  async backlog(): Promise<Backlog> {
    const batches = [...(await this.#ids())].map(readBatchId)
    return {
      rows: batches.reduce((sum, { rows }) => sum + rows, 0),
      oldestAt: batches.length === 0 ? undefined : Math.min(...batches.map(({ acceptedAt }) => acceptedAt)),
    }
  }

  async close(): Promise<void> {
    const worker = await Promise.race([this.#worker, sleep(0).then(() => undefined)])
    await worker?.pause(true)
    const isIdle = await within(closeWithinMs, this.#applying)
    this.#stop.abort()
    // A batch under way is left as after a crash: its lock runs out and another worker takes it.
    if (worker) await within(closeWithinMs, worker.close(!isIdle))
    await this.#connection.close()
  }

  /** Ends only well: a failed processor would send its job to the back of the queue, behind later batches. */
  async #apply(job: Job, apply: ApplyBatch): Promise<void> {
    const { signal } = this.#stop
    const applying = retry(() => apply({ id: job.id!, body: job.data.body }, signal), {
      ...{ attempts: Number.POSITIVE_INFINITY, backoff: () => 100, signal },
      onRetry: (failure) => this.#tell('failed', failure),
    })
    this.#applying = applying.catch(() => {})
    // Left over at `close`: neither done nor failed, so it stays with its lock until that runs out.
    await applying.catch(() => new Promise(() => {}))
  }

  async #ids(): Promise<Set<string>> {
    const queue = await this.#connection.queue()
    return new Set(await queue.getRanges(['active', 'wait', 'prioritized', 'delayed'], 0, -1))
  }

  #tell(outcome: string, cause: unknown): void {
    begin({ component: 'queue', name: this.#name, operation: 'redis' }, this.#report)(outcome, cause)
  }
}

/** Whether the promise was settled in time; what becomes of it later is not heard. */
async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  )
  return Promise.race([settled, sleep(ms).then(() => false)])
}
