import { crc32 } from 'node:zlib'
import type { QueuedBatch } from '../broker.ts'

/**
 * A record: length of the payload (4 bytes, little endian), its CRC-32 (4 bytes), and the payload: the
 * batch's name, a line feed, its rows. A segment is nothing but records.
 */
const headerBytes = 8

export function encodeRecord({ id, body }: QueuedBatch): Buffer {
  const payloadBytes = Buffer.byteLength(id) + 1 + Buffer.byteLength(body)
  const record = Buffer.allocUnsafe(headerBytes + payloadBytes)
  record.write(`${id}\n${body}`, headerBytes)
  record.writeUInt32LE(payloadBytes, 0)
  record.writeUInt32LE(crc32(record.subarray(headerBytes)), 4)
  return record
}

/** A batch and where its record ends in the bytes that were read. */
export interface ReadBatch extends QueuedBatch {
  readonly end: number
}

export interface ReadRecords {
  readonly batches: ReadBatch[]
  /** Records that are whole and do not match their checksum: not torn by a crash, but damaged since. */
  readonly damaged: number
}

/**
 * The records of a segment. A crash can tear only the last one, which nobody was promised: it is cut off. A
 * damaged one in the middle is skipped and counted.
 */
export function readRecords(segment: Buffer): ReadRecords {
  const batches: ReadBatch[] = []
  let damaged = 0
  for (let at = 0; at + headerBytes < segment.length; ) {
    const payloadBytes = segment.readUInt32LE(at)
    const end = at + headerBytes + payloadBytes
    if (payloadBytes === 0 || end > segment.length) break // torn, or never written
    const payload = segment.subarray(at + headerBytes, end)
    if (crc32(payload) === segment.readUInt32LE(at + 4)) batches.push({ ...decodePayload(payload), end })
    else if (end < segment.length) damaged++
    at = end
  }
  return { batches, damaged }
}

function decodePayload(payload: Buffer): QueuedBatch {
  const lineFeed = payload.indexOf('\n')
  return { id: payload.toString('latin1', 0, lineFeed), body: payload.toString('utf8', lineFeed + 1) }
}
