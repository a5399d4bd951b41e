import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readBatchId } from '../batch-id.ts'
import { readRecords } from './record.ts'

const segmentName = /^\d{8}\.segment$/

/** A file of records, and how far it has been written and read. */
export interface Segment {
  readonly path: string
  /** Bytes that are safe on disk; a reader sees no others. */
  durableBytes: number
  readBytes: number
  /** True once nothing more will be written to it. */
  isSealed: boolean
  /** Rows that were not applied yet, and since when the oldest of them waits (ms since the epoch). */
  pendingRows: number
  oldestAt: number | undefined
  /** Records that are there and cannot be read any more. */
  damaged: number
}

export function newSegment(path: string): Segment {
  return {
    ...{ path, durableBytes: 0, readBytes: 0, isSealed: false },
    ...{ pendingRows: 0, oldestAt: undefined, damaged: 0 },
  }
}

/** The path of the segment with that number; names sort as they were written. */
export function segmentPath(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(8, '0')}.segment`)
}

/** The segments that another process left in a folder, oldest first, with their rows counted. */
export async function findSegments(folder: string): Promise<Segment[]> {
  const files = (await readdir(folder)).filter((file) => segmentName.test(file)).toSorted()
  const segments: Segment[] = []
  for (const file of files) {
    const path = join(folder, file)
    const { batches } = readRecords(await readFile(path))
    const ids = batches.map(({ id }) => readBatchId(id))
    segments.push({
      ...newSegment(path),
      durableBytes: (await stat(path)).size,
      isSealed: true,
      pendingRows: ids.reduce((sum, { rows }) => sum + rows, 0),
      oldestAt: ids[0]?.acceptedAt,
    })
  }
  return segments
}

/** The durable bytes of a segment that were not read yet. */
export async function readUnread({ path, readBytes, durableBytes }: Segment): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(durableBytes - readBytes)
  if (bytes.length === 0) return bytes
  const handle = await open(path, 'r')
  try {
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, readBytes)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** Lets go of a segment that was read to its end; one with damaged records is kept under another name. */
export async function finishSegment({ path, damaged }: Segment): Promise<void> {
  if (damaged > 0) await rename(path, `${path}.damaged`)
  else await rm(path, { force: true })
}

/** Makes the creation of a file in the folder survive a power cut, where the system offers it. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; its file systems write such entries through their own log.
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().finally(() => handle.close())
}
