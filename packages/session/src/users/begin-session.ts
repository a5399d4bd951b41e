import { SessionEndedError } from '../errors.ts'
import type { SessionMeta, SessionRecord } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { endSessions } from './end-session.ts'
import { eventOf } from './event-of.ts'

/** A session as it is to be in the store. */
export interface NewSession {
  readonly key: string
  readonly record: SessionRecord
  readonly ttlMs: number
}

/**
 * Puts a new session into the store: a user's for a short time only, until it is listed and those over the limit have
 * ended, so that a crash leaves nothing behind. Throws `SessionLimitError`, and `SessionEndedError` where the user's
 * sessions were revoked meanwhile.
 */
export async function beginSession(parts: SessionsParts, { key, record, ttlMs }: NewSession): Promise<void> {
  const { users, records, events } = parts
  const { user } = record.meta
  const isListed = users !== undefined && user !== undefined
  await records.create(key, record.text, isListed ? provisionalMs(parts, ttlMs) : ttlMs)
  try {
    if (isListed) await endSessions(parts, user, await users.admit(user, key, ttlMs), 'limit')
    await noteEnd(parts, key, record.meta, ttlMs)
    if (isListed && !(await records.extend(key, ttlMs))) throw new SessionEndedError()
  } catch (failure) {
    await takeBack(parts, user, key)
    throw failure
  }
  events.created(eventOf(parts, key, record.meta))
}

/** Has its end waited for, where the app wants to hear of that. */
export async function noteEnd(
  parts: SessionsParts,
  key: string,
  meta: SessionMeta,
  ttlMs: number,
): Promise<void> {
  await parts.expiries?.note(key, eventOf(parts, key, meta), ttlMs)
}

/** How long a record may live that is not confirmed yet: longer than all that is left to do can take. */
export function provisionalMs({ settings }: SessionsParts, ttlMs: number): number {
  return Math.min(ttlMs, Math.max(10_000, settings.timeoutMs * 8))
}

/** If this fails too, the record ends by itself in a moment. */
export async function takeBack(
  { records, users, expiries }: SessionsParts,
  user: string | undefined,
  key: string,
): Promise<void> {
  try {
    await records.destroy(key)
    await expiries?.forget(key)
    if (user !== undefined) await users?.leave(user, [key])
  } catch {
    // It is reported.
  }
}
