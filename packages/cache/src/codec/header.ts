import { UnreadableRecordError, UnstorableValueError } from '../errors.ts'
import { ReadValue, type StoredValue, type TagSnapshot } from './stored-value.ts'

/** How a value stands in its record. */
export interface Frame {
  readonly codecId: string
  readonly compression: Compression
  /** The value's size before compression. */
  readonly valueBytes: number
  /** The key that encrypts the value; undefined if nothing does. */
  readonly keyId: string | undefined
}

/** In the order of their numbers in the flags. */
const compressions = ['none', 'zstd', 'gzip', 'brotli'] as const
export type Compression = (typeof compressions)[number]

const magic = 0xca
const format = 2
const flags = { compression: 3, encrypted: 4, etag: 8, all: 15 }
const maxMs = 2 ** 40 - 1
const maxMicros = 2 ** 32 - 1
const mostTexts = 2 ** 16 - 1

/**
 * Where each field begins, as in docs/reference/cache-records.md: numbers are little endian, lengths of texts are
 * in UTF-16 units. Stored records outlive releases: what stands here may get a new flag, and never another meaning.
 */
const at = {
  ...{ magic: 0, format: 1, flags: 2, codecId: 3, keyId: 4 },
  ...{ createdAt: 5, freshFor: 11, staleFor: 16, loadMicros: 21, valueBytes: 25 },
  ...{ version: 29, etag: 31, epochs: 33, texts: 35, lengths: 39 },
}

/** A record with its header written, and room for `restBytes` from `start` on. Throws `UnstorableValueError`. */
export function startRecord(
  stored: StoredValue,
  frame: Frame,
  restBytes: number,
): { readonly record: Buffer; readonly start: number } {
  const { version, etag, epochs } = stored
  if (epochs.length > mostTexts || (etag !== undefined && etag.length > mostTexts)) {
    throw new UnstorableValueError('$', `stored with more than ${mostTexts} tags, or characters of an etag`)
  }
  let texts = frame.codecId + (frame.keyId ?? '') + version + (etag ?? '')
  for (const [tag, epoch] of epochs) texts += tag + epoch
  const textBytes = Buffer.byteLength(texts)
  const textsAt = at.lengths + 4 * epochs.length
  const start = textsAt + textBytes
  const record = Buffer.allocUnsafe(start + restBytes)
  writeFrame(record, frame)
  writeStored(record, stored)
  record.writeUInt32LE(textBytes, at.texts)
  record.write(texts, textsAt)
  return { record, start }
}

function writeFrame(record: Buffer, { codecId, compression, valueBytes, keyId }: Frame): void {
  record[at.magic] = magic
  record[at.format] = format
  record[at.flags] = compressions.indexOf(compression) | (keyId === undefined ? 0 : flags.encrypted)
  record[at.codecId] = codecId.length
  record[at.keyId] = keyId === undefined ? 0 : keyId.length
  record.writeUInt32LE(valueBytes, at.valueBytes)
}

function writeStored(record: Buffer, stored: StoredValue): void {
  const { createdAt, freshUntil, staleUntil, loadMs, version, etag, epochs } = stored
  record.writeUIntLE(Math.round(createdAt), at.createdAt, 6)
  record.writeUIntLE(within(maxMs, freshUntil - createdAt), at.freshFor, 5)
  record.writeUIntLE(within(maxMs, staleUntil - freshUntil), at.staleFor, 5)
  record.writeUInt32LE(within(maxMicros, loadMs * 1_000), at.loadMicros)
  record.writeUInt16LE(version.length, at.version)
  record.writeUInt16LE(etag === undefined ? 0 : etag.length, at.etag)
  if (etag !== undefined) record[at.flags]! |= flags.etag
  record.writeUInt16LE(epochs.length, at.epochs)
  for (let index = 0; index < epochs.length; index++) {
    const [tag, epoch] = epochs[index]!
    record.writeUInt16LE(tag.length, at.lengths + 4 * index)
    record.writeUInt16LE(epoch.length, at.lengths + 4 * index + 2)
  }
}

function within(max: number, value: number): number {
  return Math.min(max, Math.max(0, Math.round(value)))
}

/** Throws `UnreadableRecordError` for what is no record, or one of another format. */
export function checkFormat(record: Buffer): void {
  if (record[at.magic] !== magic || record.length < at.lengths) {
    throw new UnreadableRecordError('it is not a cache record')
  }
  if (record[at.format] !== format || record[at.flags]! > flags.all) {
    throw new UnreadableRecordError(
      `it has format ${record[at.format]} with flags ${record[at.flags]}, and this version reads format ${format}`,
    )
  }
}

export function isEncrypted(record: Buffer): boolean {
  return (record[at.flags]! & flags.encrypted) !== 0
}

/** A header as it was read. Proves nothing: whether the record is whole, only its checksum or its encryption tells. */
export class ReadFrame implements Frame {
  readonly codecId: string
  readonly compression: Compression
  readonly valueBytes: number
  readonly keyId: string | undefined
  /** Where the value begins. */
  readonly start: number
  readonly #record: Buffer
  /** Written one after the other. */
  readonly #texts: string
  #taken = 0

  /** Throws, whatever error, for a record that is not whole. */
  constructor(record: Buffer) {
    const textsAt = at.lengths + 4 * record.readUInt16LE(at.epochs)
    const start = textsAt + record.readUInt32LE(at.texts)
    if (start > record.length) throw new RangeError('its header is longer than the record')
    this.start = start
    this.#record = record
    this.#texts = record.toString('utf8', textsAt, start)
    this.codecId = this.#take(record[at.codecId]!)
    const keyId = this.#take(record[at.keyId]!)
    this.keyId = isEncrypted(record) ? keyId : undefined
    this.compression = compressions[record[at.flags]! & flags.compression]!
    this.valueBytes = record.readUInt32LE(at.valueBytes)
  }

  /** What the record says beside its frame, and the value that was read from it. To be called once. */
  withValue(value: unknown): StoredValue {
    const record = this.#record
    const createdAt = record.readUIntLE(at.createdAt, 6)
    const freshUntil = createdAt + record.readUIntLE(at.freshFor, 5)
    const version = this.#take(record.readUInt16LE(at.version))
    const etag = this.#take(record.readUInt16LE(at.etag))
    const count = record.readUInt16LE(at.epochs)
    const epochs: TagSnapshot[] = []
    for (let index = 0; index < count; index++) {
      const tag = this.#take(record.readUInt16LE(at.lengths + 4 * index))
      epochs.push([tag, this.#take(record.readUInt16LE(at.lengths + 4 * index + 2))])
    }
    return new ReadValue({
      value,
      createdAt,
      freshUntil,
      staleUntil: freshUntil + record.readUIntLE(at.staleFor, 5),
      loadMs: record.readUInt32LE(at.loadMicros) / 1_000,
      version,
      etag: (record[at.flags]! & flags.etag) === 0 ? undefined : etag,
      epochs,
    })
  }

  #take(length: number): string {
    const from = this.#taken
    this.#taken += length
    if (this.#taken > this.#texts.length)
      throw new RangeError('a text of its header is longer than all of them')
    return this.#texts.slice(from, this.#taken)
  }
}
