import type { SessionLike } from './record.ts'

/**
 * How long a session may rest from `now`, in whole milliseconds; zero or less when its time is over.
 * The cookie's own expiry counts; a cookie without one leaves it to `defaultMs`, as connect-redis has it.
 */
export function timeToLive({ cookie }: SessionLike, defaultMs: number, now: number): number {
  const expiresAt = cookie.expires == null ? Number.NaN : new Date(cookie.expires).getTime()
  return Number.isNaN(expiresAt) ? defaultMs : Math.ceil(expiresAt - now)
}
