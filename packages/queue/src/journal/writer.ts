import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readBatchId } from '../batch-id.ts'
import type { QueuedBatch } from '../broker.ts'
import { abandonedFolderName, newFolderName } from './owner.ts'
import { encodeRecord } from './record.ts'
import { newSegment, type Segment, segmentPath, syncFolder } from './segments.ts'

const segmentBytes = 1024 ** 2

/** The open end of a journal: a file handle and how it is known to readers. */
interface OpenSegment {
  readonly handle: FileHandle
  readonly segment: Segment
}

/**
 * Appends batches to a folder that belongs to this process alone. An append resolves after `fdatasync`, and
 * only if the folder is still in its place: whoever takes over a folder renames it first and reads it then,
 * so that a record is either acknowledged and seen by the new owner, or not acknowledged, even if that owner
 * was wrong to think this process dead.
 */
export class JournalWriter {
  readonly #directory: string
  readonly #segments: Segment[]
  #folder: string | undefined
  #open: OpenSegment | undefined
  #lastNumber = 0
  #tail: Promise<unknown> = Promise.resolve()

  /** New segments are put at the end of `segments` as soon as they hold something. */
  constructor(directory: string, segments: Segment[]) {
    this.#directory = directory
    this.#segments = segments
  }

  append(batch: QueuedBatch): Promise<void> {
    const appended = this.#tail.then(() => this.#append(batch))
    this.#tail = appended.catch(() => {})
    return appended
  }

  /** Ends writing. A folder that holds nothing more is removed; any other one is left to whoever finds it. */
  async close(isEmpty: boolean): Promise<void> {
    await this.#tail
    await this.#seal()
    if (this.#folder === undefined) return
    if (isEmpty) await rm(this.#folder, { recursive: true, force: true })
    // Taken over by somebody who thought us dead: then it is theirs.
    else await rename(this.#folder, join(this.#directory, abandonedFolderName())).catch(() => {})
    this.#folder = undefined
  }

  async #append(batch: QueuedBatch): Promise<void> {
    this.#open ??= await this.#openSegment()
    const { handle, segment } = this.#open
    const record = encodeRecord(batch)
    try {
      await handle.appendFile(record)
      await handle.datasync()
      await stat(segment.path)
    } catch (cause) {
      // After a failed sync nobody knows what the disk has; the next record starts a file of its own.
      await this.#seal()
      this.#folder = undefined
      throw cause
    }
    const { rows, acceptedAt } = readBatchId(batch.id)
    segment.durableBytes += record.length
    segment.pendingRows += rows
    segment.oldestAt ??= acceptedAt
    if (segment.durableBytes >= segmentBytes) await this.#seal()
  }

  async #openSegment(): Promise<OpenSegment> {
    if (this.#folder === undefined) {
      const folder = join(this.#directory, newFolderName())
      await mkdir(folder, { recursive: true })
      await syncFolder(this.#directory)
      this.#folder = folder
      this.#lastNumber = 0
    }
    const path = segmentPath(this.#folder, ++this.#lastNumber)
    const handle = await open(path, 'ax')
    await syncFolder(this.#folder)
    const segment = newSegment(path)
    this.#segments.push(segment)
    return { handle, segment }
  }

  async #seal(): Promise<void> {
    if (!this.#open) return
    const { handle, segment } = this.#open
    this.#open = undefined
    segment.isSealed = true
    await handle.close()
  }
}
