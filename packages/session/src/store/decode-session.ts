import { InvalidSessionRecordError } from '../errors.ts'
import { decodeRecord, isObject, type SessionLike } from '../record.ts'

/**
 * As `decodeRecord`, but what an app has saved without the cookie that belongs to every session is handed out as it is:
 * express-session says what is wrong with it, and the request ends with that error. Throws `InvalidSessionRecordError`.
 */
export function decodeSession(text: string): SessionLike {
  try {
    return decodeRecord(text)
  } catch (cause) {
    const bare = cause instanceof InvalidSessionRecordError ? withoutCookie(text) : undefined
    if (bare) return bare
    throw cause
  }
}

function withoutCookie(text: string): SessionLike | undefined {
  try {
    const record: unknown = JSON.parse(text)
    // There is no cookie to say anything about.
    return isObject(record) && !('cookie' in record) ? (record as unknown as SessionLike) : undefined
  } catch {
    return undefined
  }
}
