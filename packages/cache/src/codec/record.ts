import { UnreadableRecordError, UnstorableValueError, ValueTooLargeError } from '../errors.ts'
import { Checksum, checksumBytes } from './checksum.ts'
import { checkFormat, readHeader, startRecord } from './header.ts'
import { type RecordCodecOptions, type RecordSettings, readRecordOptions } from './options.ts'
import type { StoredValue } from './stored-value.ts'

/** How a cache writes its records, and reads those of others. */
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

class Records implements RecordCodec {
  readonly #settings: RecordSettings
  readonly #checksum: Checksum

  constructor(settings: RecordSettings) {
    this.#settings = settings
    this.#checksum = new Checksum(`${settings.name}:`)
  }

  encode(stored: StoredValue, key: string): Buffer {
    const { codec, maxValueBytes } = this.#settings
    const value = this.#encodeValue(stored.value)
    const valueBytes = Buffer.byteLength(value)
    if (valueBytes > maxValueBytes) throw new ValueTooLargeError(valueBytes, maxValueBytes)
    const header = {
      ...stored,
      codecId: codec.id,
      compression: 'none',
      valueBytes,
      keyId: undefined,
    } as const
    const { record, start } = startRecord(header, valueBytes + checksumBytes)
    if (typeof value === 'string') record.write(value, start, valueBytes)
    else value.copy(record, start)
    this.#checksum.seal(record, key)
    return record
  }

  check(value: unknown): void {
    this.#encodeValue(value)
  }

  decode(record: Buffer, key: string): StoredValue {
    try {
      checkFormat(record)
      if (!this.#checksum.isRight(record, key)) {
        throw new UnreadableRecordError('it is damaged, or was written for another key')
      }
      const { codecId, compression, valueBytes, keyId, start, ...rest } = readHeader(record)
      const codec = this.#settings.codecs.get(codecId)
      if (codec === undefined) throw new UnreadableRecordError(`its codec "${codecId}" is none of this cache`)
      return { ...rest, value: codec.decode(record.subarray(start, record.length - checksumBytes)) }
    } catch (cause) {
      if (cause instanceof UnreadableRecordError) throw cause
      throw new UnreadableRecordError('it is damaged', { cause })
    }
  }

  #encodeValue(value: unknown): Buffer | string {
    const { codec, maxValueBytes } = this.#settings
    let encoded: Buffer | string
    try {
      encoded = codec.encode(value)
    } catch (cause) {
      if (cause instanceof UnstorableValueError) throw cause
      throw new UnstorableValueError('$', 'refused by its codec', { cause })
    }
    const bytes = Buffer.byteLength(encoded)
    if (bytes > maxValueBytes) throw new ValueTooLargeError(bytes, maxValueBytes)
    return encoded
  }
}
