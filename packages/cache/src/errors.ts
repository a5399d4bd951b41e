import { StepladderError } from '@stepladder/core'

/** Thrown for a key or tag that is not a string of 1 to 1024 bytes. */
export class InvalidKeyError extends StepladderError {
  readonly code = 'INVALID_KEY'

  constructor(cache: string, what: 'key' | 'tag', problem: string) {
    super(`cache "${cache}": a ${what} must be a string of 1 to 1024 bytes, but ${problem}`)
  }
}

/**
 * The value does not survive the store: it holds a function, a BigInt, a Map, a cycle ... `set` rejects with
 * it; `getOrSet` hands the value to its callers, keeps nothing, and reports it as the cause of `unstorable`.
 */
export class UnstorableValueError extends StepladderError {
  readonly code = 'UNSTORABLE_VALUE'
  /** Where in the value, such as `$.rows[3].price`. */
  readonly path: string

  constructor(path: string, found: string) {
    super(`A cached value must be plain data (JSON and dates), but ${path} is ${found}`)
    this.path = path
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
