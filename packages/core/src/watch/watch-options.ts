import { type Duration, parseDuration } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { parseSize, type Size } from '../size.ts'

/** When a worker is replaced that is alive. */
export interface WatchOptions {
  /**
   * A worker whose event loop stands still for so long hangs, and is replaced. At least 500 ms; default 1.5 s;
   * `'off'`: it is left alone, and runs without a watchdog.
   */
  readonly hang?: Duration | 'off' | undefined
  /** A worker that holds so much memory (its resident set) is replaced. Default: no limit. */
  readonly maxMemory?: Size | undefined
  /** A worker that is so old is replaced. Default: no limit. */
  readonly maxAge?: Duration | undefined
  /** A worker that has had so many requests is replaced. Default: no limit. */
  readonly maxRequests?: number | undefined
}

/** The same, checked; what is undefined has no limit. Each worker's limits are up to 10 % off these, `hangMs` is not. */
export interface WatchSettings {
  readonly hangMs: number | undefined
  readonly maxMemoryBytes: number | undefined
  readonly maxAgeMs: number | undefined
  readonly maxRequests: number | undefined
}

/** A shorter one would be found where a machine is just busy, in milliseconds. */
const leastHangMs = 500

/** Throws `InvalidOptionError` in the name of `owner`. */
export function checkWatchOptions(
  owner: string,
  { hang = '1.5s', maxMemory, maxAge, maxRequests }: WatchOptions,
): WatchSettings {
  if (maxRequests !== undefined && !(Number.isInteger(maxRequests) && maxRequests > 0)) {
    throw new InvalidOptionError(owner, 'maxRequests', maxRequests, 'a whole number from 1 on')
  }
  return {
    hangMs: hang === 'off' ? undefined : checkHang(owner, hang),
    maxMemoryBytes: maxMemory === undefined ? undefined : parseSize(owner, 'maxMemory', maxMemory),
    maxAgeMs: maxAge === undefined ? undefined : parseDuration(owner, 'maxAge', maxAge),
    maxRequests,
  }
}

function checkHang(owner: string, hang: Duration): number {
  const hangMs = parseDuration(owner, 'hang', hang)
  if (hangMs < leastHangMs || hangMs === Infinity) {
    throw new InvalidOptionError(owner, 'hang', hang, '"off" or a duration from 500 ms on')
  }
  return hangMs
}
