import { clearCookie, setCookie } from '../cookie/set-cookie.ts'
import type { SessionMeta } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { ttlMs } from './new-record.ts'
import type { SessionCookie } from './session-cookie.ts'

/** The `Set-Cookie` header of a session; without one, `meta` undefined, that which removes the cookie. */
export function cookieHeader(
  parts: SessionsParts,
  id: string,
  meta: SessionMeta | undefined,
  cookie: SessionCookie,
): string {
  if (!meta) return clearCookie(parts.cookie)
  const keepsMs = isPersistent(parts, cookie) ? ttlMs(parts, cookie, meta) : undefined
  return setCookie(parts.cookie, parts.signer.sign(id), keepsMs)
}

/** Whether the browser keeps the cookie when it is closed, so that it must hear of each new end. */
export function isPersistent({ cookie: settings }: SessionsParts, { maxAge }: SessionCookie): boolean {
  return maxAge !== null || settings.isPersistent
}
