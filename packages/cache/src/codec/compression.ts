import * as zlib from 'node:zlib'
import { checkOptionNames, InvalidOptionError, parseSize, type Size } from '@stepladder/core'

export interface CompressOptions {
  /** Values of more bytes than this are compressed, where that makes them smaller. Default '4kb'. */
  readonly above?: Size | undefined
  /**
   * Default `'zstd'` where Node.js has it (22.15 and later), else `'gzip'`. While processes with and without zstd
   * share a cache, say `'gzip'`: those without find a miss. What is stored is read whatever is said here.
   */
  readonly algorithm?: Algorithm | undefined
}

type Algorithm = 'zstd' | 'gzip' | 'brotli'
type Done = (error: Error | null, bytes: Buffer) => void

/** More than this is left to the threads of libuv, so that the event loop is not held for it. */
const holdAtMostBytes = 32 * 1024

/** Brotli's own default takes many times as long, for a few percent. */
const brotliQuality = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }

/** Absent before Node.js 22.15, whatever the types say. */
const hasZstd = typeof zlib.zstdCompress === 'function'

export class Compressor {
  readonly algorithm: Algorithm
  readonly aboveBytes: number

  /** Throws `InvalidOptionError` or `UnknownOptionError` in the name of `owner`. */
  constructor(owner: string, options: CompressOptions) {
    if (typeof options !== 'object' || options === null) {
      throw new InvalidOptionError(owner, 'compress', options, "options such as { above: '4kb' }")
    }
    checkOptionNames(`${owner}: compress`, options, ['above', 'algorithm'])
    const { above = '4kb', algorithm = hasZstd ? 'zstd' : 'gzip' } = options
    if (!Object.hasOwn(compressors, algorithm) || (algorithm === 'zstd' && !hasZstd)) {
      const expected = `one of ${Object.keys(compressors).join(', ')} that this version of Node.js has`
      throw new InvalidOptionError(owner, 'compress.algorithm', algorithm, expected)
    }
    this.algorithm = algorithm
    this.aboveBytes = parseSize(owner, 'compress.above', above)
  }

  compress(bytes: Buffer): Buffer | Promise<Buffer> {
    const { sync, later } = compressors[this.algorithm]
    return bytes.length <= holdAtMostBytes ? sync(bytes) : inThread((done) => later(bytes, done))
  }
}

/** The value that was compressed, of which the record says the size. Throws or rejects if it is not that. */
export function decompress(
  bytes: Buffer,
  algorithm: Algorithm,
  valueBytes: number,
): Buffer | Promise<Buffer> {
  if (algorithm === 'zstd' && !hasZstd) throw new Error('this version of Node.js has no zstd')
  const { sync, later } = decompressors[algorithm]
  const limit = { maxOutputLength: Math.max(1, valueBytes) }
  return valueBytes <= holdAtMostBytes ? sync(bytes, limit) : inThread((done) => later(bytes, limit, done))
}

interface Compress {
  readonly sync: (bytes: Buffer) => Buffer
  readonly later: (bytes: Buffer, done: Done) => void
}

const compressors: Readonly<Record<Algorithm, Compress>> = {
  zstd: {
    sync: (bytes) => zlib.zstdCompressSync(bytes),
    later: (bytes, done) => zlib.zstdCompress(bytes, done),
  },
  gzip: { sync: (bytes) => zlib.gzipSync(bytes), later: (bytes, done) => zlib.gzip(bytes, done) },
  brotli: {
    sync: (bytes) => zlib.brotliCompressSync(bytes, brotliQuality),
    later: (bytes, done) => zlib.brotliCompress(bytes, brotliQuality, done),
  },
}

interface Limit {
  readonly maxOutputLength: number
}

interface Decompress {
  readonly sync: (bytes: Buffer, limit: Limit) => Buffer
  readonly later: (bytes: Buffer, limit: Limit, done: Done) => void
}

const decompressors: Readonly<Record<Algorithm, Decompress>> = {
  zstd: { sync: zlib.zstdDecompressSync, later: zlib.zstdDecompress },
  gzip: { sync: zlib.gunzipSync, later: zlib.gunzip },
  brotli: { sync: zlib.brotliDecompressSync, later: zlib.brotliDecompress },
}

function inThread(start: (done: Done) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    start((error, bytes) => (error ? reject(error) : resolve(bytes)))
  })
}
