import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { begin, type Reporter, retry, sleep } from '@stepladder/core'
import { readBatchId } from '../batch-id.ts'
import type { ApplyBatch, Backlog, Broker, QueuedBatch } from '../broker.ts'
import { QueueClosedError, QueueUnavailableError } from '../errors.ts'
import { type AdoptedFolder, adoptOrphans, removeFolder } from '../journal/orphans.ts'
import { abandonedFolderName } from '../journal/owner.ts'
import { readRecords } from '../journal/record.ts'
import { finishSegment, readUnread, type Segment } from '../journal/segments.ts'
import { JournalWriter } from '../journal/writer.ts'

export interface JournalBrokerOptions {
  readonly name: string
  readonly directory: string
  readonly report: Reporter
}

const scanEveryMs = 5_000
const closeWithinMs = 1_000

/**
 * Batches in files of this machine, for one process or the workers of one cluster. `<directory>/<name>` has
 * a folder for each process, which alone appends to it and applies what it holds; the folder of a dead
 * process is taken over by a living one. An acknowledged batch was synced to disk.
 */
export class JournalBroker implements Broker {
  readonly #name: string
  readonly #directory: string
  readonly #report: Reporter
  readonly #writer: JournalWriter
  readonly #own: Segment[] = []
  readonly #adopted: AdoptedFolder[] = []
  readonly #stop = new AbortController()
  #nextScanAt = 0
  #hasNews = false
  #wake: () => void = () => {}
  #running: Promise<void> = Promise.resolve()

  constructor({ name, directory, report }: JournalBrokerOptions) {
    this.#name = name
    this.#directory = join(directory, name)
    this.#report = report
    this.#writer = new JournalWriter(this.#directory, this.#own)
  }

  async enqueue(batch: QueuedBatch): Promise<void> {
    if (this.#stop.signal.aborted) throw new QueueClosedError(this.#name)
    try {
      // The second try has a new file, and a new folder should somebody have taken ours.
      await retry(() => this.#writer.append(batch), { attempts: 2, backoff: () => 0 })
    } catch (cause) {
      throw new QueueUnavailableError(this.#name, 'unknown', { cause })
    }
    this.#hasNews = true
    this.#wake()
  }

  consume(apply: ApplyBatch): void {
    this.#running = this.#run(apply)
  }

  async flushed(signal: AbortSignal): Promise<void> {
    const marks = this.#own.map((segment) => ({ segment, bytes: segment.durableBytes }))
    while (marks.some(({ segment, bytes }) => segment.readBytes < bytes)) await sleep(5, { signal })
  }

  async backlog(): Promise<Backlog> {
    const segments = [...this.#adopted.flatMap((folder) => folder.segments), ...this.#own]
    return {
      rows: segments.reduce((sum, { pendingRows }) => sum + pendingRows, 0),
      oldestAt: segments.find(({ pendingRows }) => pendingRows > 0)?.oldestAt,
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#wake()
    // What the sink has begun may end well; it is not waited for longer, and redelivered if it does not.
    const isIdle = await Promise.race([
      this.#running.then(() => true),
      sleep(closeWithinMs).then(() => false),
    ])
    const { rows } = await this.backlog()
    await this.#writer.close(isIdle && rows === 0)
    for (const { path } of this.#adopted.splice(0)) {
      await rename(path, join(dirname(path), abandonedFolderName())).catch(() => {})
    }
  }

  async #run(apply: ApplyBatch): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#adoptFromTimeToTime()
        const hasMore = await this.#applyNext(apply)
        if (!hasMore) await this.#somethingNew()
      } catch (failure) {
        if (signal.aborted) return
        this.#tell('failed', failure)
        await sleep(100, { signal }).catch(() => {})
      }
    }
  }

  async #adoptFromTimeToTime(): Promise<void> {
    if (performance.now() < this.#nextScanAt) return
    this.#nextScanAt = performance.now() + scanEveryMs
    const folders = await adoptOrphans(this.#directory)
    this.#adopted.push(...folders)
    if (folders.length > 0) this.#tell('adopted')
  }

  /** Applies what is to be read of the oldest segment; false when nothing is. */
  async #applyNext(apply: ApplyBatch): Promise<boolean> {
    const folder = this.#adopted[0]
    const segments = folder?.segments ?? this.#own
    const segment = segments[0]
    if (segment) return this.#applySegment(segment, segments, apply)
    if (!folder) return false
    this.#adopted.shift()
    await removeFolder(folder)
    return true
  }

  async #applySegment(segment: Segment, segments: Segment[], apply: ApplyBatch): Promise<boolean> {
    const { readBytes, durableBytes } = segment
    if (readBytes < durableBytes) {
      const { batches, damaged } = readRecords(await this.#read(segment))
      for (const batch of batches) {
        await apply(batch, this.#stop.signal)
        this.#noteApplied(segment, batch.id)
        segment.readBytes = readBytes + batch.end
      }
      segment.damaged += damaged
      segment.readBytes = durableBytes
      return true
    }
    if (!segment.isSealed) return false
    if (segment.damaged > 0) this.#tell('damaged', new Error(`${segment.path} has damaged records`))
    await finishSegment(segment)
    segments.shift()
    return true
  }

  /** Nothing when the file is gone: who took this process for dead has it, and applies what it holds. */
  async #read(segment: Segment): Promise<Buffer> {
    try {
      return await readUnread(segment)
    } catch (failure) {
      if (!(failure instanceof Error && 'code' in failure && failure.code === 'ENOENT')) throw failure
      this.#tell('taken', failure)
      segment.pendingRows = 0
      return Buffer.alloc(0)
    }
  }

  #noteApplied(segment: Segment, id: string): void {
    const { rows, acceptedAt } = readBatchId(id)
    segment.pendingRows -= rows
    segment.oldestAt = segment.pendingRows > 0 ? acceptedAt : undefined
  }

  async #somethingNew(): Promise<void> {
    const slept = new AbortController()
    this.#wake = () => slept.abort()
    // What came while nobody listened must not wait for the next scan.
    if (!this.#hasNews && !this.#stop.signal.aborted) {
      await sleep(scanEveryMs, { signal: slept.signal }).catch(() => {})
    }
    this.#hasNews = false
  }

  #tell(outcome: string, cause?: unknown): void {
    begin({ component: 'queue', name: this.#name, operation: 'journal' }, this.#report)(outcome, cause)
  }
}
