import { checkOptionNames, InvalidOptionError, parseSize, type Size } from '@stepladder/core'
import { jsonCodec } from './json.ts'
import type { ValueCodec } from './value-codec.ts'

/** How values become records in the store. */
export interface RecordOptions {
  /**
   * Writes the values, or a list of which the first writes and all read: what lets a change of codec be rolled out.
   * JSON can always be read. Default `jsonCodec`.
   */
  readonly codec?: ValueCodec | readonly ValueCodec[] | undefined
  /** A larger value, measured as its codec writes it, is handed out and not kept. Default '8mb'. */
  readonly maxValueBytes?: Size | undefined
}

export interface RecordCodecOptions extends RecordOptions {
  /** The cache's. */
  readonly name: string
}

/** The options, checked and complete. */
export interface RecordSettings {
  readonly name: string
  readonly codec: ValueCodec
  readonly codecs: ReadonlyMap<string, ValueCodec>
  readonly maxValueBytes: number
}

const mostBytes = 1024 ** 3 / 4

export function readRecordOptions({ name, ...options }: RecordCodecOptions): RecordSettings {
  const owner = `cache "${name}"`
  checkOptionNames(owner, options, ['codec', 'maxValueBytes'])
  const { codec = jsonCodec, maxValueBytes = '8mb' } = options
  const bytes = parseSize(owner, 'maxValueBytes', maxValueBytes)
  if (bytes > mostBytes) throw new InvalidOptionError(owner, 'maxValueBytes', maxValueBytes, 'at most 256mb')
  const all = readCodecs(owner, codec)
  return {
    ...{ name, maxValueBytes: bytes, codec: all[0]! },
    codecs: new Map([jsonCodec, ...all].map((one) => [one.id, one])),
  }
}

function readCodecs(owner: string, given: ValueCodec | readonly ValueCodec[]): readonly ValueCodec[] {
  const codecs = 'id' in given ? [given] : given
  if (codecs.length === 0) throw new InvalidOptionError(owner, 'codec', given, 'a codec, or a list of them')
  for (const { id, encode, decode } of codecs) {
    if (!/^[\w.-]{1,32}$/.test(id) || typeof encode !== 'function' || typeof decode !== 'function') {
      throw new InvalidOptionError(
        owner,
        'codec',
        id,
        'made of an id (1 to 32 letters, digits, "_", "." and "-"), encode and decode',
      )
    }
  }
  return codecs
}
