import { checkOptionNames, type Duration, InvalidOptionError, parseSize, type Size } from '@stepladder/core'
import { parseTime } from '../options.ts'

export interface NearCacheOptions {
  /** Default 10,000. Beyond, the record that nobody asked for longest goes. */
  readonly maxEntries?: number | undefined
  /** Of all records together. Default `'64mb'`. */
  readonly maxBytes?: Size | undefined
  /**
   * How long a session that another process has ended or changed may be read from memory, at most. It is a network's
   * way as a rule; this is what holds when the connection that tells of changes breaks. Default one second.
   */
  readonly fence?: Duration | undefined
}

export interface NearSettings {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly fenceMs: number
  /** Whether reads are answered from memory. */
  readonly isServing: boolean
  /** Whether records are kept for times when the store is away. */
  readonly isKeeping: boolean
}

const shortestFenceMs = 100

/** Undefined where nothing is to be remembered. Throws `InvalidOptionError` or `UnknownOptionError`. */
export function readNearOptions(
  caller: string,
  options: boolean | NearCacheOptions,
  isKeeping: boolean,
): NearSettings | undefined {
  if (typeof options !== 'boolean' && (typeof options !== 'object' || options === null)) {
    throw new InvalidOptionError(caller, 'nearCache', options, 'true, false, or an object of its options')
  }
  const owner = `${caller}: nearCache`
  const given = typeof options === 'object' ? options : {}
  checkOptionNames(owner, given, ['maxEntries', 'maxBytes', 'fence'])
  const { maxEntries = 10_000, maxBytes = '64mb', fence = 1_000 } = given
  if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
    throw new InvalidOptionError(owner, 'maxEntries', maxEntries, 'a whole number, at least 1')
  }
  const fenceMs = parseTime(owner, 'fence', fence)
  if (fenceMs < shortestFenceMs) {
    throw new InvalidOptionError(owner, 'fence', fence, `at least ${shortestFenceMs} milliseconds`)
  }
  const settings = { maxEntries, maxBytes: parseSize(owner, 'maxBytes', maxBytes), fenceMs }
  const isServing = options !== false
  return isServing || isKeeping ? { ...settings, isServing, isKeeping } : undefined
}
