import { SessionEndedError } from '../errors.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { noteEnd, provisionalMs, takeBack } from '../users/begin-session.ts'
import { endSession, endSessions } from '../users/end-session.ts'
import { eventOf } from '../users/event-of.ts'
import { KeptSession } from './kept-session.ts'
import { newRecord, ttlMs } from './new-record.ts'
import type { Notes } from './note-book.ts'
import type { SessionCookie } from './session-cookie.ts'

/** The session that takes another's place. */
export interface Replacement {
  readonly id: string
  readonly cookie: SessionCookie
  readonly notes: Notes
  /** Its fields as JSON, made of the record of the former: as it was read, and again of what it had become at its end. */
  dataFrom(former: string): string
}

/**
 * Puts a session with a new id in the place of another, whose fields it takes along: at a login, so that who knew the id
 * before it knows nothing of what follows. Throws `SessionEndedError` where the former had ended already: its fields must
 * not come back to life under a new id.
 *
 *     new for a moment ─▶ listed ─▶ former ends, unlisted ─▶ those over the limit end ─▶ new for its full time
 *
 * Killed in between, the new one dies by itself, and the former at the latest then has ended.
 */
export async function replaceSession(
  parts: SessionsParts,
  former: KeptSession,
  { id, cookie, notes, dataFrom }: Replacement,
): Promise<KeptSession> {
  const key = parts.keyOf(id)
  const record = newRecord(parts, cookie, dataFrom(former.text), notes)
  const { user } = record.meta
  const restsMs = ttlMs(parts, cookie, record.meta)
  await parts.records.create(key, record.text, provisionalMs(parts, restsMs))
  try {
    const over = await list(parts, former, { key, user, restsMs })
    const ended = await endSession(parts, { key: former.key, user: former.meta.user }, 'regenerate')
    if (ended === undefined) throw new SessionEndedError()
    if (user !== undefined) await endSessions(parts, user, over, 'limit')
    const final = ended === former.text ? record : newRecord(parts, cookie, dataFrom(ended), notes)
    await noteEnd(parts, key, final.meta, restsMs)
    const change = { base: record.text, stored: undefined, apply: () => final.text, ttlMs: () => restsMs }
    const isThere =
      final.data === record.data
        ? await parts.records.extend(key, restsMs)
        : (await parts.records.change('set', key, change)) !== 'gone'
    if (!isThere) throw new SessionEndedError()
    parts.events.created(eventOf(parts, key, final.meta))
    // What others had changed in the former is theirs: the next save tells its own changes from this.
    return new KeptSession(parts, { key, record, stored: undefined })
  } catch (failure) {
    await takeBack(parts, user, key)
    throw failure
  }
}

/** Of the same user there is not one more in the end. */
async function list(
  { users }: SessionsParts,
  former: KeptSession,
  {
    key,
    user,
    restsMs,
  }: { readonly key: string; readonly user: string | undefined; readonly restsMs: number },
): Promise<readonly string[]> {
  if (!users || user === undefined) return []
  if (user !== former.meta.user) return users.admit(user, key, restsMs)
  await users.renew(user, key, restsMs)
  return []
}
