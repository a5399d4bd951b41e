import { StepladderError } from '@stepladder/core'

/** Thrown for a key or tag that is not a string of 1 to 1024 bytes. */
export class InvalidKeyError extends StepladderError {
  readonly code = 'INVALID_KEY'

  constructor(cache: string, what: 'key' | 'tag', problem: string) {
    super(`cache "${cache}": a ${what} must be a string of 1 to 1024 bytes, but ${problem}`)
  }
}

/** A memoized function was called with something that cannot be part of a key, such as a function; see its option `key`. */
export class UnkeyableArgumentError extends StepladderError {
  readonly code = 'UNKEYABLE_ARGUMENT'

  constructor(name: string, path: string, found: string) {
    super(`memoize "${name}": ${path} is ${found}, which cannot be part of a key: give the option \`key\``)
  }
}

/**
 * The value does not survive the store: it holds a function, a class instance with methods, a cycle ... `set` rejects
 * with it; `getOrSet` hands the value to its callers, keeps nothing, and reports it as the cause of `unstorable`.
 */
export class UnstorableValueError extends StepladderError {
  readonly code = 'UNSTORABLE_VALUE'
  /** Where in the value, such as `$.rows[3].price`. */
  readonly path: string

  constructor(path: string, found: string, options?: ErrorOptions) {
    super(`A cached value must be data that comes back as it is, but ${path} is ${found}`, options)
    this.path = path
  }
}

/** The value is larger than `maxValueBytes`. `set` rejects with it; `getOrSet` hands the value out and keeps nothing. */
export class ValueTooLargeError extends StepladderError {
  readonly code = 'VALUE_TOO_LARGE'
  readonly bytes: number

  constructor(bytes: number, maxBytes: number) {
    super(`A cached value may have ${maxBytes} bytes (maxValueBytes), but this one has ${bytes}`)
    this.bytes = bytes
  }
}

/** Reported, never thrown at a caller: the store held something under our key that is no record of ours. */
export class UnreadableRecordError extends StepladderError {
  readonly code = 'UNREADABLE_RECORD'

  constructor(problem: string, options?: ErrorOptions) {
    super(`The stored record cannot be read: ${problem}`, options)
  }
}

/** Thrown by every method after `close()`. */
export class CacheClosedError extends StepladderError {
  readonly code = 'CACHE_CLOSED'

  constructor(cache: string) {
    super(`cache "${cache}" is closed`)
  }
}

/** A loader took longer than the `hardTimeout` of its call. It goes on, and what it brings is stored. */
export class LoadTimeoutError extends StepladderError {
  readonly code = 'LOAD_TIMEOUT'
  readonly ms: number

  constructor(cache: string, ms: number) {
    super(`cache "${cache}": a loader did not end within ${ms} ms`)
    this.ms = ms
  }
}

/** A loader called `notModified()` where there was no previous value: `previous` says whether there is one. */
export class NothingToKeepError extends StepladderError {
  readonly code = 'NOTHING_TO_KEEP'

  constructor() {
    super('notModified() was called by a loader that has no previous value')
  }
}

/** A `loadMany` did not answer with one value per key, in their order. */
export class LoadManyAnswerError extends StepladderError {
  readonly code = 'LOAD_MANY_ANSWER'

  constructor(cache: string, asked: number, found: string) {
    super(
      `cache "${cache}": loadMany must answer an array of ${asked}, one for each key, but answered ${found}`,
    )
  }
}

/** Reported, never thrown at a caller: a handler answered 5xx, and an older response may stand in for it. */
export class ResponseFailedError extends StepladderError {
  readonly code = 'RESPONSE_FAILED'
  readonly status: number

  constructor(status: number) {
    super(`A handler answered ${status}`)
    this.status = status
  }
}
