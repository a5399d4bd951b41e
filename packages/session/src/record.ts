import { InvalidSessionRecordError, SessionNotSerializableError } from './errors.ts'

/** What a store minds of a session: the cookie it travels with. The app's own fields stand beside it. */
export interface SessionLike {
  readonly cookie: {
    readonly expires?: Date | string | null | undefined
    readonly originalMaxAge?: number | null | undefined
  }
}

/** The session as JSON text, as connect-redis writes it. Throws `SessionNotSerializableError`. */
export function encodeRecord(session: SessionLike): string {
  if (!isObject(session) || !(session.cookie === undefined || isObject(session.cookie)))
    throw new SessionNotSerializableError('it is not an object with a cookie')
  try {
    // A copy where `keepAnswerable` has put a `toJSON` on the session itself.
    return JSON.stringify('toJSON' in session ? { ...session } : session)
  } catch (cause) {
    throw new SessionNotSerializableError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/**
 * The session in a stored text. Throws `InvalidSessionRecordError` for what express-session could not work
 * with: it would throw while it ends a response, and the request would stay without an answer.
 */
export function decodeRecord(text: string): SessionLike {
  const record = parse(text)
  if (!isObject(record) || !isObject(record.cookie)) {
    throw new InvalidSessionRecordError('it is not an object with a cookie')
  }
  const { expires, originalMaxAge, maxAge } = record.cookie
  const isDated = expires == null || (typeof expires === 'string' && !Number.isNaN(Date.parse(expires)))
  const isTimed = originalMaxAge == null || typeof originalMaxAge === 'number'
  if (!isDated || !isTimed || maxAge !== undefined) {
    throw new InvalidSessionRecordError('its cookie holds a time that is none')
  }
  // What `SessionLike` claims was checked above.
  return record as unknown as SessionLike
}

function parse(text: string): unknown {
  try {
    return mayPollute.test(text) ? JSON.parse(text, withoutPrototype) : JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which may hold secrets.
    throw new InvalidSessionRecordError('it is not JSON')
  }
}

/** `__proto__`, or letters in disguise, which may spell it: then each name is looked at. */
const mayPollute = /__proto__|\\u00[4-7]/i

/** Code that merges what it finds in a session into other objects must not change the prototype of all of them. */
function withoutPrototype(this: unknown, name: string, value: unknown): unknown {
  return name === '__proto__' ? undefined : value
}

/** True for what JSON writes in braces. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
