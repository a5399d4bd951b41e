import { UnreadableRecordError, UnstorableValueError, ValueTooLargeError } from '../errors.ts'
import { Checksum, checksumBytes } from './checksum.ts'
import { decompress } from './compression.ts'
import { encryptionBytes } from './encryption.ts'
import {
  type Compression,
  checkFormat,
  isEncrypted,
  type ReadHeader,
  readHeader,
  startRecord,
} from './header.ts'
import { type RecordCodecOptions, type RecordSettings, readRecordOptions } from './options.ts'
import type { StoredValue } from './stored-value.ts'

/** How a cache writes its records, and reads those of others. Promises only where there is much to (de)compress. */
export interface RecordCodec {
  /**
   * Throws or rejects with `UnstorableValueError` for a value that would come back as something else, and with
   * `ValueTooLargeError`.
   */
  encode(stored: StoredValue, key: string): Buffer | Promise<Buffer>
  /** Throws what `encode` would throw for this value. */
  check(value: unknown): void
  /** Throws or rejects with `UnreadableRecordError` for all that `encode` did not write for this key. */
  decode(record: Buffer, key: string): StoredValue | Promise<StoredValue>
}

/** Throws `InvalidOptionError` or `UnknownOptionError`. */
export function recordCodec(options: RecordCodecOptions): RecordCodec {
  return new Records(readRecordOptions(options))
}

/** A value as its codec wrote it, and perhaps compressed. */
interface Encoded {
  readonly content: Buffer | string
  readonly bytes: number
  readonly valueBytes: number
  readonly compression: Compression
}

interface Opened {
  readonly header: ReadHeader
  readonly content: Buffer
}

class Records implements RecordCodec {
  readonly #settings: RecordSettings
  readonly #checksum: Checksum

  constructor(settings: RecordSettings) {
    this.#settings = settings
    this.#checksum = new Checksum(settings.scope)
  }

  encode(stored: StoredValue, key: string): Buffer | Promise<Buffer> {
    const { compressor } = this.#settings
    const encoded = this.#encodeValue(stored.value)
    if (compressor === undefined || encoded.bytes <= compressor.aboveBytes) {
      return this.#seal(stored, key, encoded)
    }
    const { content: value } = encoded
    const compressed = compressor.compress(typeof value === 'string' ? Buffer.from(value) : value)
    const seal = (content: Buffer): Buffer => {
      if (content.length >= encoded.bytes) return this.#seal(stored, key, encoded)
      const compression = compressor.algorithm
      return this.#seal(stored, key, { ...encoded, content, bytes: content.length, compression })
    }
    return compressed instanceof Promise ? compressed.then(seal) : seal(compressed)
  }

  check(value: unknown): void {
    this.#encodeValue(value)
  }

  decode(record: Buffer, key: string): StoredValue | Promise<StoredValue> {
    try {
      checkFormat(record)
      const { header, content } = isEncrypted(record) ? this.#decrypt(record, key) : this.#open(record, key)
      const value = this.#decompress(header, content)
      if (!(value instanceof Promise)) return this.#read(header, value)
      return value.then((whole) => this.#read(header, whole)).catch(refuse)
    } catch (cause) {
      return refuse(cause)
    }
  }

  #encodeValue(value: unknown): Encoded {
    const { codec, maxValueBytes } = this.#settings
    let content: Buffer | string
    try {
      content = codec.encode(value)
    } catch (cause) {
      if (cause instanceof UnstorableValueError) throw cause
      throw new UnstorableValueError('$', 'refused by its codec', { cause })
    }
    const bytes = Buffer.byteLength(content)
    if (bytes > maxValueBytes) throw new ValueTooLargeError(bytes, maxValueBytes)
    return { content, bytes, valueBytes: bytes, compression: 'none' }
  }

  #seal(stored: StoredValue, key: string, { content, bytes, valueBytes, compression }: Encoded): Buffer {
    const { codec, encryption } = this.#settings
    const header = { ...stored, codecId: codec.id, compression, valueBytes, keyId: encryption?.keyId }
    const { record, start } = startRecord(header, bytes + (encryption ? encryptionBytes : checksumBytes))
    if (encryption) {
      encryption.seal(record, start, key, content)
    } else {
      if (typeof content === 'string') record.write(content, start)
      else content.copy(record, start)
      this.#checksum.seal(record, key)
    }
    return record
  }

  #decrypt(record: Buffer, key: string): Opened {
    const { encryption } = this.#settings
    if (!encryption) throw new UnreadableRecordError('it is encrypted, and this cache has no keys')
    const header = readHeader(record)
    return { header, content: encryption.open(record, header, key) }
  }

  #open(record: Buffer, key: string): Opened {
    const { encryption } = this.#settings
    if (encryption && !encryption.acceptsPlain) {
      throw new UnreadableRecordError('it is not encrypted, and this cache reads only what is')
    }
    if (!this.#checksum.isRight(record, key)) {
      throw new UnreadableRecordError('it is damaged, or was written for another key')
    }
    const header = readHeader(record)
    return { header, content: record.subarray(header.start, record.length - checksumBytes) }
  }

  #decompress({ compression, valueBytes }: ReadHeader, content: Buffer): Buffer | Promise<Buffer> {
    if (compression === 'none') return content
    const { maxValueBytes } = this.#settings
    if (valueBytes > maxValueBytes) throw new ValueTooLargeError(valueBytes, maxValueBytes)
    return decompress(content, compression, valueBytes)
  }

  #read(header: ReadHeader, content: Buffer): StoredValue {
    const { codecId, compression, valueBytes, keyId, start, ...rest } = header
    if (content.length !== valueBytes)
      throw new RangeError('the value does not have the size that the header says')
    const codec = this.#settings.codecs.get(codecId)
    if (codec === undefined) throw new UnreadableRecordError(`its codec "${codecId}" is none of this cache`)
    return { ...rest, value: codec.decode(content) }
  }
}

function refuse(cause: unknown): never {
  if (cause instanceof UnreadableRecordError) throw cause
  const why = cause instanceof Error ? cause.message : 'it is damaged'
  throw new UnreadableRecordError(why, { cause })
}
