import { type Clock, systemClock } from './clock.ts'
import { type Duration, parseDuration } from './duration.ts'
import { InvalidOptionError } from './errors.ts'
import { harmless } from './harmless.ts'
import { checkOptionNames } from './options.ts'
import { OutagePatterns } from './outage-patterns.ts'
import { publicError } from './public-error.ts'
import { isFailure, type Report, type Reporter } from './report.ts'

/** The part of a logger that is used here: pino's, Fastify's, bunyan's. */
export interface Logger {
  error(fields: object, message: string): void
  warn(fields: object, message: string): void
  info(fields: object, message: string): void
  debug(fields: object, message: string): void
  trace(fields: object, message: string): void
  /** Where there is one, nothing is made for a level that is off. */
  isLevelEnabled?(level: string): boolean
}

export interface LogReportsOptions {
  /** How often a failure that repeats is said again, with how often it happened meanwhile. Default one minute. */
  readonly every?: Duration | undefined
  readonly clock?: Clock | undefined
}

type Level = 'error' | 'warn' | 'info' | 'debug' | 'trace'

/**
 * Logs operations: what failed at `error`, what went wrong and was survived at `warn`, both with the cause as
 * `err`; everything else at `trace`. A failure that repeats is said at once, then once per `every` with its
 * count, and at `info` when it has stayed away for that long; each single one of them is at `debug`. The
 * fields are `stepladder: { component, name, operation, outcome, ms }`: never a key and never a value, and of a
 * cause only type, message, stack, code and causes, not the command or request that clients hang on it.
 * Never throws.
 */
export function logReports(logger: Logger, options: LogReportsOptions = {}): Reporter {
  checkOptionNames('logReports', options, ['every', 'clock'])
  if (typeof logger?.error !== 'function') {
    throw new InvalidOptionError('logReports', 'logger', logger, 'a logger with the methods that pino has')
  }
  const { every = '1m', clock = systemClock } = options
  const everyMs = parseDuration('logReports', 'every', every)
  const period = `${everyMs / 1_000} s`

  const say = harmless('logged', (report, level: Level, note: string, repeated?: number) => {
    if (logger.isLevelEnabled?.(level) !== false)
      logger[level](fieldsOf(report, repeated), textOf(report, note))
  })
  const patterns = new OutagePatterns(everyMs, clock, (latest, count, total) => {
    if (count > 0) say(latest, levelOf(latest), `, ${count} more in ${period}`, count)
    else if (total > 1) say(latest, 'info', ` no more: ${total} in all, none for ${period}`, total)
  })
  return (report) => {
    if (report.cause === undefined) say(report, 'trace', '')
    else say(report, patterns.isNew(report) ? levelOf(report) : 'debug', '')
  }
}

function levelOf(report: Report): Level {
  return isFailure(report) ? 'error' : 'warn'
}

function textOf({ component, name, operation, outcome }: Report, note: string): string {
  return `${component} "${name}": ${operation} ${outcome}${note}`
}

/** In an object of their own: `name` is the app's own in most loggers. */
function fieldsOf(report: Report, repeated: number | undefined): object {
  const { component, name, operation, outcome, ms, cause } = report
  return {
    stepladder: { component, name, operation, outcome, ms, ...(repeated !== undefined && { repeated }) },
    ...(cause === undefined ? {} : { err: publicError(cause) }),
  }
}
