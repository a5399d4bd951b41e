import { UnreadableRecordError, UnstorableValueError, ValueTooLargeError } from '../errors.ts'
import { Checksum, checksumBytes } from './checksum.ts'
import { decompress } from './compression.ts'
import { encryptionBytes } from './encryption.ts'
import { type Compression, checkFormat, isEncrypted, ReadFrame, startRecord } from './header.ts'
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
      const frame = new ReadFrame(record)
      const content = this.#open(record, frame, key)
      if (!(content instanceof Promise)) return this.#read(frame, content)
      return content.then((whole) => this.#read(frame, whole)).catch(refuse)
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
    const frame = { codecId: codec.id, compression, valueBytes, keyId: encryption?.keyId }
    const rest = bytes + (encryption ? encryptionBytes : checksumBytes)
    const { record, start } = startRecord(stored, frame, rest)
    if (encryption) {
      encryption.seal(record, start, key, content)
    } else {
      if (typeof content === 'string') record.write(content, start)
      else content.copy(record, start)
      this.#checksum.seal(record, key)
    }
    return record
  }

  #open(record: Buffer, frame: ReadFrame, key: string): Buffer | Promise<Buffer> {
    const { compression, valueBytes } = frame
    const content = isEncrypted(record)
      ? this.#decrypt(record, frame, key)
      : this.#checked(record, frame, key)
    if (compression === 'none') return content
    const { maxValueBytes } = this.#settings
    if (valueBytes > maxValueBytes) throw new ValueTooLargeError(valueBytes, maxValueBytes)
    return decompress(content, compression, valueBytes)
  }

  #decrypt(record: Buffer, frame: ReadFrame, key: string): Buffer {
    const { encryption } = this.#settings
    if (!encryption) throw new UnreadableRecordError('it is encrypted, and this cache has no keys')
    return encryption.open(record, frame, key)
  }

  #checked(record: Buffer, { start }: ReadFrame, key: string): Buffer {
    const { encryption } = this.#settings
    if (encryption && !encryption.acceptsPlain) {
      throw new UnreadableRecordError('it is not encrypted, and this cache reads only what is')
    }
    if (!this.#checksum.isRight(record, key)) {
      throw new UnreadableRecordError('it is damaged, or was written for another key')
    }
    return record.subarray(start, record.length - checksumBytes)
  }

  #read(frame: ReadFrame, content: Buffer): StoredValue {
    const { codecId, valueBytes } = frame
    if (content.length !== valueBytes)
      throw new RangeError('its value does not have the size that its header says')
    const codec = this.#settings.codecs.get(codecId)
    if (codec === undefined) throw new UnreadableRecordError(`its codec "${codecId}" is none of this cache`)
    return frame.withValue(codec.decode(content))
  }
}

function refuse(cause: unknown): never {
  if (cause instanceof UnreadableRecordError) throw cause
  const why = cause instanceof Error ? cause.message : 'it is damaged'
  throw new UnreadableRecordError(why, { cause })
}
