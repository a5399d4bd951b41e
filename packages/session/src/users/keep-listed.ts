import { SessionEndedError } from '../errors.ts'
import type { SessionMeta } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'

/** A session that is about to be written. */
export interface Listing {
  readonly key: string
  readonly meta: SessionMeta
  /** Whose it is now. */
  readonly user: string | undefined
  readonly ttlMs: number
  /** It will live longer than its entry reckons with. */
  readonly isLonger: boolean
}

/** What the write has to note of its user. */
export type ListingNotes = Pick<SessionMeta, 'user' | 'listed'>

/**
 * Writes a session, and keeps its entry ahead of it: seldom, since an entry lives longer than its record. `write` says
 * whether the session is still there, or throws `SessionEndedError`.
 */
export async function keepListed<T>(
  parts: SessionsParts,
  listing: Listing,
  write: (notes: ListingNotes | undefined) => Promise<T>,
): Promise<T> {
  const { users } = parts
  if (!users) return write(undefined)
  const { key, meta, user } = listing
  const isRenewed = isDue(parts, listing)
  if (isRenewed && user !== undefined) await users.renew(user, key, listing.ttlMs)
  try {
    const written = await write(isRenewed ? { user, listed: parts.settings.clock.now() } : undefined)
    const isOver = written === false
    if (isOver && isRenewed && user !== undefined) await users.leave(user, [key])
    if (meta.user !== undefined && meta.user !== user) await users.leave(meta.user, [key])
    return written
  } catch (failure) {
    if (failure instanceof SessionEndedError && isRenewed && user !== undefined)
      await users.leave(user, [key])
    throw failure
  }
}

/** Also where another program, connect-redis say, has logged somebody in, or did so before there was a list. */
export function isDue({ settings }: SessionsParts, { meta, user, isLonger }: Listing): boolean {
  if (meta.user !== user) return true
  if (user === undefined) return false
  return isLonger || settings.clock.now() - (meta.listed ?? 0) >= settings.touchAfterMs
}
