import { checkOptionNames, InvalidOptionError, parseSize, type Size } from '@stepladder/core'
import { type CompressOptions, Compressor } from './compression.ts'
import { Encryption, type EncryptOptions } from './encryption.ts'
import { isId } from './id.ts'
import { jsonCodec } from './json.ts'
import type { ValueCodec } from './value-codec.ts'

/** How values become records in the store. */
export interface RecordOptions {
  /**
   * Writes the values; of a list the first one writes, and all read, so that a change of codec can be rolled out.
   * JSON can always be read. Default `jsonCodec`.
   */
  readonly codec?: ValueCodec | readonly ValueCodec[] | undefined
  /** Larger values are handed out and not kept, measured as their codec writes them. Default '8mb'. */
  readonly maxValueBytes?: Size | undefined
  /** Compresses values above a size. Default: none; what others compressed is read all the same. */
  readonly compress?: CompressOptions | undefined
  /** Encrypts the values, and authenticates their times, tags and keys with them. Default: none. */
  readonly encrypt?: EncryptOptions | undefined
}

export interface RecordCodecOptions extends RecordOptions {
  /** The cache's: a record is bound to it as it is to its key. */
  readonly name: string
}

/** The options, checked and complete. */
export interface RecordSettings {
  /** Stands before the key in all that binds a record to it. */
  readonly scope: string
  readonly codec: ValueCodec
  readonly codecs: ReadonlyMap<string, ValueCodec>
  readonly maxValueBytes: number
  readonly compressor: Compressor | undefined
  readonly encryption: Encryption | undefined
}

/** Strings cannot be much longer, nor is anybody's event loop meant to parse them. */
const mostBytes = 256 * 1024 ** 2

/** Throws `InvalidOptionError` or `UnknownOptionError`. */
export function readRecordOptions({ name, ...options }: RecordCodecOptions): RecordSettings {
  const owner = `cache "${name}"`
  const scope = `${name}:`
  checkOptionNames(owner, options, ['codec', 'maxValueBytes', 'compress', 'encrypt'])
  const { codec = jsonCodec, maxValueBytes: size = '8mb', compress, encrypt } = options
  const codecs = readCodecs(owner, codec)
  const maxValueBytes = parseSize(owner, 'maxValueBytes', size)
  if (maxValueBytes > mostBytes) throw new InvalidOptionError(owner, 'maxValueBytes', size, "at most '256mb'")
  return {
    ...{ scope, maxValueBytes, codec: codecs[0]! },
    codecs: new Map([jsonCodec, ...codecs].map((one) => [one.id, one])),
    compressor: compress === undefined ? undefined : new Compressor(owner, compress),
    // Nothing but undefined means none: an empty text of the environment must not leave values open.
    encryption: encrypt === undefined ? undefined : new Encryption(owner, scope, encrypt),
  }
}

function readCodecs(owner: string, given: ValueCodec | readonly ValueCodec[]): readonly ValueCodec[] {
  const codecs = isList(given) ? given : [given]
  if (codecs.length === 0) throw new InvalidOptionError(owner, 'codec', given, 'a codec, or a list of them')
  for (const codec of codecs) {
    if (!isCodec(codec)) {
      const expected = 'made of an id (1 to 32 letters, digits, "_", "." and "-"), encode() and decode()'
      throw new InvalidOptionError(owner, 'codec', codec, expected)
    }
    // A record names its codec by nothing else.
    const isOther = (one: ValueCodec) => one.id === codec.id && one !== codec
    if ([jsonCodec, ...codecs].some(isOther)) {
      throw new InvalidOptionError(owner, 'codec', codec.id, 'an id that no other codec has')
    }
  }
  return codecs
}

/** `Array.isArray` does not tell a readonly array from the rest. */
function isList(given: ValueCodec | readonly ValueCodec[]): given is readonly ValueCodec[] {
  return Array.isArray(given)
}

function isCodec(codec: unknown): boolean {
  if (typeof codec !== 'object' || codec === null) return false
  const { id, encode, decode } = codec as Partial<ValueCodec> // whatever a caller in JavaScript passes
  return isId(id) && typeof encode === 'function' && typeof decode === 'function'
}
