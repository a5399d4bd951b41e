import { StepladderError } from '@stepladder/core'

/**
 * Thrown when the place where sessions are kept gave no answer in time, or refused. `status` lets Express
 * answer 503 where the app says nothing else; `cause` tells what lay beneath. Asking again later is right.
 */
export class SessionUnavailableError extends StepladderError {
  readonly code = 'SESSION_UNAVAILABLE'
  readonly status = 503
  readonly operation: string

  constructor(store: string, operation: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`Session store "${store}" could not ${operation}: ${why}`, { cause })
    this.operation = operation
  }
}

/** Thrown when a session holds what JSON cannot: a BigInt, a cycle, or no cookie. Nothing was saved. */
export class SessionNotSerializableError extends StepladderError {
  readonly code = 'SESSION_NOT_SERIALIZABLE'

  constructor(reason: string, options?: ErrorOptions) {
    super(`The session cannot be saved as JSON: ${reason}`, options)
  }
}

/**
 * Thrown when a session is larger than `maxSize`: every request of its user would carry it. Nothing was saved. Keep ids
 * in the session, and look the rest up.
 */
export class SessionTooLargeError extends StepladderError {
  readonly code = 'SESSION_TOO_LARGE'
  readonly bytes: number
  readonly maxBytes: number

  constructor(bytes: number, maxBytes: number) {
    super(`The session is ${bytes} bytes of JSON, and at most ${maxBytes} are allowed (\`maxSize\`)`)
    this.bytes = bytes
    this.maxBytes = maxBytes
  }
}

/**
 * Thrown when a change came too late: another request has ended the session, by a logout say. Nothing was saved, and
 * the session does not come back. `status` lets Express answer 401 where the app says nothing else.
 */
export class SessionEndedError extends StepladderError {
  readonly code = 'SESSION_ENDED'
  readonly status = 401

  constructor() {
    super('The session was ended by another request while this one was under way')
  }
}

/**
 * Thrown when a session was begun after the headers of its response were sent: no cookie can tell the browser of it. Begin
 * it before the first byte; `request.session.save()` does so at once.
 */
export class SessionTooLateError extends StepladderError {
  readonly code = 'SESSION_TOO_LATE'

  constructor() {
    super('A session was begun after the headers were sent, so that its cookie could not go with them')
  }
}

/**
 * Thrown when `request.session` is not one of ours: another library's middleware has put its own there, or the app has
 * assigned an object to it. Nothing was saved.
 */
export class ForeignSessionError extends StepladderError {
  readonly code = 'FOREIGN_SESSION'

  constructor(whose: string) {
    super(
      `\`request.session\` is not a session of Stepladder: ${whose}. Mount one session middleware alone, and change the session's fields instead of assigning another object`,
    )
  }
}

/** Thrown when a request would change something and does not show that it comes from a page of this app. */
export class CsrfError extends StepladderError {
  readonly code = 'CSRF_REJECTED'
  readonly status = 403
  /** The token is missing, or is not the session's; or the browser says that another site's page has sent the request. */
  readonly reason: 'missing' | 'wrong' | 'foreign'

  constructor(reason: 'missing' | 'wrong' | 'foreign') {
    super(`The request was refused: ${csrfReasons[reason]}`)
    this.reason = reason
  }
}

const csrfReasons = {
  missing: 'send `session.csrfToken()` along, in the header `x-csrf-token` or the field `_csrf`',
  wrong: 'its token belongs to another session, or to one that is over; load the page anew',
  foreign: 'a page of another site has sent it; name that in `origins` if it may',
}

/** Thrown by `requireRecentLogin`: ask for the password, call `session.regenerate({ keep: true })`, and go on. */
export class RecentLoginRequiredError extends StepladderError {
  readonly code = 'RECENT_LOGIN_REQUIRED'
  readonly status = 401

  constructor() {
    super('The last login of this session is too long ago for this request: log in again')
  }
}

/** Only reported, never thrown: what was found under a session's id is not a session, so there is none. */
export class InvalidSessionRecordError extends StepladderError {
  readonly code = 'INVALID_SESSION_RECORD'

  constructor(reason: string) {
    super(`A stored session was passed over: ${reason}`)
  }
}

/** Only reported, never thrown: memory was full, and the session that rested longest was let go. */
export class SessionEvictedError extends StepladderError {
  readonly code = 'SESSION_EVICTED'

  constructor() {
    super('Memory for sessions is full, so the one that rested longest was let go; use Redis or a database')
  }
}

/**
 * Thrown when a user has `maxPerUser` sessions already and `onLimit` is `'refuse'`: this one was not begun. `status` lets
 * Express answer 409 where the app says nothing else.
 */
export class SessionLimitError extends StepladderError {
  readonly code = 'SESSION_LIMIT'
  readonly status = 409
  readonly most: number

  constructor(most: number) {
    super(`The user has ${most} sessions already, and may have no more (\`maxPerUser\`)`)
    this.most = most
  }
}

/** Thrown when `userOf` returns what can be no user's name: not text or a finite number, or over 256 characters. */
export class InvalidSessionUserError extends StepladderError {
  readonly code = 'INVALID_SESSION_USER'

  constructor(reason: string) {
    super(`Whose session this is cannot be said: ${reason}`)
  }
}
