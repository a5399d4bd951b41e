import { UnreadableRecordError } from '../errors.ts'
import type { StoredValue, TagSnapshot } from './stored-value.ts'

/** What stands before the value in a record. */
export interface Header extends Omit<StoredValue, 'value'> {
  readonly codecId: string
  readonly compression: Compression
  /** The value's size before compression. */
  readonly valueBytes: number
  /** The key that encrypts the value; undefined if nothing does. */
  readonly keyId: string | undefined
}

export interface ReadHeader extends Header {
  /** Where the value begins. */
  readonly start: number
}

/** In the order of their numbers in the flags. */
const compressions = ['none', 'zstd', 'gzip', 'brotli'] as const
export type Compression = (typeof compressions)[number]

const magic = 0xca
const format = 2
const flags = { compression: 3, encrypted: 4, etag: 8, all: 15 }
const maxMs = 2 ** 40 - 1
const maxMicros = 2 ** 32 - 1

/**
 * Where each field begins, as in docs/reference/cache-records.md: numbers are little endian, lengths of texts are
 * in UTF-16 units. Stored records outlive releases: what stands here may get a new flag, and never another meaning.
 */
const at = {
  ...{ magic: 0, format: 1, flags: 2, codecId: 3, keyId: 4 },
  ...{ createdAt: 5, freshFor: 11, staleFor: 16, loadMicros: 21, valueBytes: 25 },
  ...{ version: 29, etag: 31, epochs: 33, texts: 35, lengths: 39 },
}

/** A record with its header written, and room for `restBytes` from `start` on. */
export function startRecord(
  header: Header,
  restBytes: number,
): { readonly record: Buffer; readonly start: number } {
  const { codecId, keyId = '', version, etag = '', epochs } = header
  let texts = codecId + keyId + version + etag
  for (const [tag, epoch] of epochs) texts += tag + epoch
  const textBytes = Buffer.byteLength(texts)
  const textsAt = at.lengths + 4 * epochs.length
  const start = textsAt + textBytes
  const record = Buffer.allocUnsafe(start + restBytes)
  writeFields(record, header)
  record.writeUInt32LE(textBytes, at.texts)
  for (let index = 0; index < epochs.length; index++) {
    const [tag, epoch] = epochs[index]!
    record.writeUInt16LE(tag.length, at.lengths + 4 * index)
    record.writeUInt16LE(epoch.length, at.lengths + 4 * index + 2)
  }
  record.write(texts, textsAt, textBytes)
  return { record, start }
}

function writeFields(record: Buffer, header: Header): void {
  const { codecId, keyId, version, etag, epochs, createdAt, freshUntil, staleUntil, loadMs } = header
  record[at.magic] = magic
  record[at.format] = format
  record[at.flags] =
    compressions.indexOf(header.compression) |
    (keyId === undefined ? 0 : flags.encrypted) |
    (etag === undefined ? 0 : flags.etag)
  record[at.codecId] = codecId.length
  record[at.keyId] = keyId === undefined ? 0 : keyId.length
  record.writeUIntLE(Math.round(createdAt), at.createdAt, 6)
  record.writeUIntLE(within(maxMs, freshUntil - createdAt), at.freshFor, 5)
  record.writeUIntLE(within(maxMs, staleUntil - freshUntil), at.staleFor, 5)
  record.writeUInt32LE(within(maxMicros, loadMs * 1_000), at.loadMicros)
  record.writeUInt32LE(header.valueBytes, at.valueBytes)
  record.writeUInt16LE(version.length, at.version)
  record.writeUInt16LE(etag === undefined ? 0 : etag.length, at.etag)
  record.writeUInt16LE(epochs.length, at.epochs)
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

/**
 * The header, and where the value begins. Proves nothing: whether the record is whole, and stands under the key
 * that it was made for, only decoding it tells. Throws, whatever error, for a record that is not whole.
 */
export function readHeader(record: Buffer): ReadHeader {
  const textsAt = at.lengths + 4 * record.readUInt16LE(at.epochs)
  const start = textsAt + record.readUInt32LE(at.texts)
  if (start > record.length) throw new RangeError('the header is longer than the record')
  const texts = new Texts(record.toString('utf8', textsAt, start))
  const codecId = texts.take(record[at.codecId]!)
  const keyId = texts.take(record[at.keyId]!)
  const version = texts.take(record.readUInt16LE(at.version))
  const etag = texts.take(record.readUInt16LE(at.etag))
  const epochs: TagSnapshot[] = []
  for (let lengthsAt = at.lengths; lengthsAt < textsAt; lengthsAt += 4) {
    const tag = texts.take(record.readUInt16LE(lengthsAt))
    epochs.push([tag, texts.take(record.readUInt16LE(lengthsAt + 2))])
  }
  const createdAt = record.readUIntLE(at.createdAt, 6)
  const freshUntil = createdAt + record.readUIntLE(at.freshFor, 5)
  const flag = record[at.flags]!
  return {
    ...{ codecId, version, epochs, createdAt, freshUntil, start },
    staleUntil: freshUntil + record.readUIntLE(at.staleFor, 5),
    loadMs: record.readUInt32LE(at.loadMicros) / 1_000,
    valueBytes: record.readUInt32LE(at.valueBytes),
    compression: compressions[flag & flags.compression]!,
    keyId: flag & flags.encrypted ? keyId : undefined,
    etag: flag & flags.etag ? etag : undefined,
  }
}

/** Texts that were written one after the other. */
class Texts {
  readonly #all: string
  #taken = 0

  constructor(all: string) {
    this.#all = all
  }

  take(length: number): string {
    const from = this.#taken
    this.#taken += length
    if (this.#taken > this.#all.length) throw new RangeError('a text is longer than all of them')
    return this.#all.slice(from, this.#taken)
  }
}
