import {
  type Clock,
  checkOptionNames,
  type Duration,
  InvalidOptionError,
  ignoreReports,
  parseDuration,
  type RedisOption,
  type Reporter,
  systemClock,
} from '@stepladder/core'
import type { Sink } from './sink.ts'

export interface WriteBehindOptions<Row> {
  /** Names the queue in Redis, its folder, its reports and errors: letters, digits, `-` and `_`. */
  readonly name: string
  /** Where the rows go in the end: `kyselySink(...)`, or a function of yours. */
  readonly sink: Sink<Row>
  /** A URL, a client that the app has (it is duplicated), or undefined: then the journal serves. */
  readonly redis?: RedisOption | undefined
  /** Where the journal lives, on a local disk; needed when there is no `redis`. */
  readonly directory?: string | undefined
  /**
   * `'both'` (default) writes and applies; `'producer'` leaves applying to other processes. Without `redis`
   * there are no others that could, and the journal applies in either role.
   */
  readonly role?: 'both' | 'producer' | undefined
  /** How long a row may wait for company. Default 0: no longer than the hand-over before it takes. */
  readonly linger?: Duration | undefined
  /** Default 500. */
  readonly maxBatchRows?: number | undefined
  /** Rows of this process that may wait to be accepted before `write` refuses more. Default 50,000. */
  readonly maxPendingRows?: number | undefined
  /** How long `close()` waits for rows to reach the database; the rest stays queued. Default 5 s. */
  readonly drainWithin?: Duration | undefined
  /** Says that the journal is meant to serve production, on this one machine. */
  readonly embedded?: boolean | undefined
  readonly report?: Reporter | undefined
  readonly clock?: Clock | undefined
}

/** The options as the module uses them: checked, in milliseconds, with their defaults. */
export interface WriteBehindSettings<Row> {
  readonly name: string
  readonly sink: Sink<Row>
  readonly redis: RedisOption | undefined
  readonly directory: string | undefined
  readonly role: 'both' | 'producer'
  readonly lingerMs: number
  readonly maxBatchRows: number
  readonly maxPendingRows: number
  readonly drainWithinMs: number
  readonly embedded: boolean
  readonly report: Reporter
  readonly clock: Clock
}

const names = [
  ...['name', 'sink', 'redis', 'directory', 'role', 'linger', 'maxBatchRows', 'maxPendingRows'],
  ...['drainWithin', 'embedded', 'report', 'clock'],
]

/** Throws `InvalidOptionError` or `UnknownOptionError`, naming the option and its value. */
export function checkOptions<Row>(options: WriteBehindOptions<Row>): WriteBehindSettings<Row> {
  checkOptionNames('createWriteBehind', options, names)
  const { name, sink, redis, directory, role = 'both' } = options
  demand('name', name, typeof name === 'string' && /^[\w-]{1,64}$/.test(name), 'letters, digits, - and _')
  demand('sink', sink, typeof sink === 'function', 'a sink such as kyselySink(...), or a function')
  demand('role', role, role === 'both' || role === 'producer', "'both' or 'producer'")
  const { maxBatchRows = 500, maxPendingRows = 50_000 } = options
  demand('maxBatchRows', maxBatchRows, isCount(maxBatchRows), 'a whole number above 0')
  demand('maxPendingRows', maxPendingRows, isCount(maxPendingRows), 'a whole number above 0')
  const { linger = 0, drainWithin = 5_000 } = options
  const { embedded = false, report = ignoreReports, clock = systemClock } = options
  const lingerMs = parseDuration('createWriteBehind', 'linger', linger)
  const drainWithinMs = parseDuration('createWriteBehind', 'drainWithin', drainWithin)
  return {
    ...{ name, sink, redis, directory, role, lingerMs, maxBatchRows, maxPendingRows, drainWithinMs },
    ...{ embedded, report, clock },
  }
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0
}

function demand(option: string, value: unknown, isFine: boolean, expected: string): void {
  if (!isFine) throw new InvalidOptionError('createWriteBehind', option, value, expected)
}
