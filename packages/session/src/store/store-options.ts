import {
  checkOptionNames,
  type Duration,
  InvalidOptionError,
  parseDuration,
  parseSize,
  type Size,
} from '@stepladder/core'
import { type PlaceOptions, type PlaceSettings, parseTime, placeOptionNames, readPlace } from '../options.ts'

export interface SessionStoreOptions extends PlaceOptions {
  /** How long a session may rest when its cookie has no expiry of its own. Default one day. */
  readonly ttl?: Duration | undefined
  /**
   * A request that only reads moves the end of its session when the last one did so at least this long ago; 0: each
   * does. Default a thousandth of the time that the session may rest, at most a minute.
   */
  readonly touchAfter?: Duration | undefined
  /** A session that is more JSON than this is not saved: `SessionTooLargeError`. Default `'256kb'`. */
  readonly maxSize?: Size | undefined
}

/** The options that do not say where sessions are kept, checked and complete. */
export interface StoreSettings extends PlaceSettings {
  readonly ttlMs: number
  /** Undefined: it depends on how long the session may rest. */
  readonly touchAfterMs: number | undefined
  readonly maxBytes: number
}

const owner = 'sessionStore'

/** Throws `InvalidOptionError` or `UnknownOptionError`, naming the option and its value. */
export function readStoreOptions(options: SessionStoreOptions): StoreSettings {
  checkOptionNames(owner, options, [...placeOptionNames, 'ttl', 'touchAfter', 'maxSize'])
  const { ttl = '1d', touchAfter, maxSize = '256kb' } = options
  const ttlMs = parseTime(owner, 'ttl', ttl)
  return {
    ...readPlace(owner, options),
    ttlMs,
    touchAfterMs: touchAfter === undefined ? undefined : readTouchAfter(touchAfter, ttlMs),
    maxBytes: parseSize(owner, 'maxSize', maxSize),
  }
}

function readTouchAfter(touchAfter: Duration, ttlMs: number): number {
  const ms = parseDuration(owner, 'touchAfter', touchAfter)
  if (ms > ttlMs / 2) throw new InvalidOptionError(owner, 'touchAfter', touchAfter, 'at most half of `ttl`')
  return ms
}
