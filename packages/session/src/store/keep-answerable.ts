import { SessionNotSerializableError } from '../errors.ts'
import { encodeRecord, type SessionLike } from '../record.ts'
import { isPlainJson } from './plain-json.ts'
import type { LiveSession } from './session-classes.ts'

/**
 * Lets a request whose session cannot be written as JSON come to an end. express-session stringifies the
 * session inside `res.end`, and a throw from there leaves the request without an answer for ever. It
 * calls `touch` just before: from there on, a session that would throw shows itself as a marker instead.
 * It then counts as changed, goes to the store, and the store's error reaches the app.
 */
export function keepAnswerable(session: SessionLike & LiveSession): void {
  hide(session, 'touch', touchAndCheck)
}

/** As `encodeRecord`, for a session that may carry a `toJSON` of ours. */
export function encodeSession(session: SessionLike): string {
  const outer = beingEncoded
  beingEncoded = session
  try {
    return encodeRecord(session)
  } finally {
    beingEncoded = outer
  }
}

function touchAndCheck(this: SessionLike & LiveSession): unknown {
  if (!isSerialisable(this)) hide(this, 'toJSON', toSafeJson)
  // What `hide` stands before: express-session's own.
  const { touch } = Object.getPrototypeOf(this) as LiveSession
  return touch.call(this)
}

const marker = { isSerialisable: false }
let beingEncoded: object | undefined

function toSafeJson(this: SessionLike): object {
  // Its encoding has come upon the session again, inside itself.
  if (beingEncoded === this) throw new SessionNotSerializableError('it holds itself')
  return isSerialisable(this) ? this : marker
}

function isSerialisable(session: SessionLike): boolean {
  try {
    if (!session.cookie || !isPlainRecord(session)) encodeSession(session)
    return true
  } catch {
    return false
  }
}

/** The cookie is express-session's, and becomes JSON always. */
function isPlainRecord(session: SessionLike): boolean {
  const fields = session as SessionLike & Readonly<Record<string, unknown>>
  for (const name in fields) {
    if (name !== 'cookie' && Object.hasOwn(fields, name) && !isPlainJson(fields[name])) return false
  }
  return true
}

/** Not enumerable, as express-session's own methods are: it must not become part of the record. */
function hide(session: object, name: string, value: unknown): void {
  Object.defineProperty(session, name, { value, configurable: true, enumerable: false, writable: true })
}
