import { isObject, type SessionLike } from '../record.ts'

/**
 * What an app has saved without the cookie that belongs to every session. It is handed out as it is: express-session
 * says what is wrong with it, and the request ends with that error.
 */
export function withoutCookie(text: string): SessionLike | undefined {
  try {
    const record: unknown = JSON.parse(text)
    // There is no cookie to say anything about.
    return isObject(record) && !('cookie' in record) ? (record as unknown as SessionLike) : undefined
  } catch {
    return undefined
  }
}
