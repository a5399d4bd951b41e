import type { Clock } from '@stepladder/core'
import { makeBatchId } from './batch-id.ts'
import type { QueuedBatch } from './broker.ts'
import { joinRows } from './row-codec.ts'

export interface IntakeOptions {
  readonly maxBatchRows: number
  /** How long a row may wait for company, in milliseconds; 0 waits for the end of the current tick only. */
  readonly lingerMs: number
  readonly clock: Clock
  readonly enqueue: (batch: QueuedBatch) => Promise<void>
}

/** Rows that will travel together; `accepted` is what every one of their callers waits for. */
interface Crate {
  readonly since: number
  readonly rows: string[]
  readonly accepted: Promise<void>
  readonly resolve: () => void
  readonly reject: (cause: unknown) => void
}

/**
 * Packs rows into batches: what arrives while one batch is handed over travels together in the next, so that
 * batches grow with the load and a lone row does not wait. One batch is under way at a time, which keeps the
 * order. When a hand-over fails, the rows that wait behind it fail with it instead of queueing for the same
 * disappointment.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #waiting: Crate[] = []
  #underWay: Crate | undefined
  #isScheduled = false
  #pendingRows = 0

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Rows not yet handed over. */
  get pendingRows(): number {
    return this.#pendingRows
  }

  /** When the oldest row that is not yet handed over came, in ms since the epoch. */
  get oldestAt(): number | undefined {
    return (this.#underWay ?? this.#waiting[0])?.since
  }

  /** Resolves when the row was accepted; callers whose rows travel together share one promise. */
  add(row: string): Promise<void> {
    const crate = this.#crateWithRoom()
    crate.rows.push(row)
    this.#pendingRows++
    this.#schedule()
    return crate.accepted
  }

  /** Resolves when everything added so far was accepted or refused. */
  async settled(): Promise<void> {
    const crates = this.#underWay ? [this.#underWay, ...this.#waiting] : this.#waiting
    await Promise.allSettled(crates.map((crate) => crate.accepted))
  }

  #crateWithRoom(): Crate {
    const last = this.#waiting.at(-1)
    if (last && last.rows.length < this.#options.maxBatchRows) return last
    const crate = newCrate(this.#options.clock.now())
    this.#waiting.push(crate)
    return crate
  }

  #schedule(): void {
    const { lingerMs, maxBatchRows, clock } = this.#options
    const isFull = (this.#waiting[0]?.rows.length ?? 0) >= maxBatchRows
    if (this.#underWay || (this.#isScheduled && !isFull)) return
    this.#isScheduled = true
    if (lingerMs === 0 || isFull) setImmediate(() => void this.#handOver())
    else clock.after(lingerMs, () => void this.#handOver())
  }

  async #handOver(): Promise<void> {
    if (this.#underWay) return
    for (;;) {
      this.#underWay = this.#waiting.shift()
      if (!this.#underWay) break
      const { since, rows, resolve } = this.#underWay
      try {
        await this.#options.enqueue({ id: makeBatchId(since, rows.length), body: joinRows(rows) })
        resolve()
        this.#pendingRows -= rows.length
      } catch (cause) {
        this.#refuseAll(cause)
      }
    }
    this.#isScheduled = false
  }

  #refuseAll(cause: unknown): void {
    for (const crate of [this.#underWay!, ...this.#waiting.splice(0)]) {
      crate.reject(cause)
      this.#pendingRows -= crate.rows.length
    }
  }
}

function newCrate(since: number): Crate {
  let resolve = () => {}
  let reject = (_cause: unknown) => {}
  const accepted = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { since, rows: [], accepted, resolve, reject }
}
