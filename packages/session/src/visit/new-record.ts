import {
  type RecordCookie,
  type SessionMeta,
  type SessionRecord,
  writeRecord,
} from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import type { Notes } from './note-book.ts'
import type { SessionCookie } from './session-cookie.ts'

/** The record of a session that begins now. */
export function newRecord(
  parts: SessionsParts,
  cookie: SessionCookie,
  data: string,
  notes: Notes | undefined,
): SessionRecord {
  const watched = parts.expiries && { watched: true as const }
  return writeRecord(recordCookie(parts, cookie), { ...newMeta(parts), ...watched, ...notes }, data)
}

/** Of a session that is not in the store yet. */
export function newMeta({ settings }: SessionsParts): SessionMeta {
  const now = settings.clock.now()
  return { created: now, seen: now, v: 1 }
}

export function ttlMs(
  { settings }: Pick<SessionsParts, 'settings'>,
  {
    maxAge,
    originalMaxAge,
  }: { readonly maxAge?: number | null; readonly originalMaxAge?: number | null | undefined },
  { created }: SessionMeta,
): number {
  const mayRestMs = maxAge ?? originalMaxAge ?? settings.idleMs
  return Math.max(1, Math.ceil(Math.min(mayRestMs, created + settings.absoluteMs - settings.clock.now())))
}

/** The cookie's part of a record, as this request leaves it. */
export function recordCookie({ settings }: SessionsParts, { maxAge }: SessionCookie): RecordCookie {
  // What another program stored may be longer than time lasts.
  const restsMs = Math.max(0, Math.min(maxAge ?? 0, settings.absoluteMs))
  const expires = maxAge === null ? null : new Date(settings.clock.now() + restsMs).toISOString()
  const { path, httpOnly, domain, secure, sameSite } = settings.cookie
  const cookie = { originalMaxAge: maxAge, expires, httpOnly, path }
  // express-session sets its cookies as the record says, should it ever read this one.
  return settings.hashIds ? cookie : { ...cookie, domain, secure, sameSite }
}
