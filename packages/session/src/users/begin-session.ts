import { SessionEndedError } from '../errors.ts'
import type { SessionMeta, SessionRecord } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { endSessions } from './end-session.ts'
import { handleOf } from './handle.ts'
import type { Users } from './users.ts'

/** A session as it is to be in the store. */
export interface NewSession {
  readonly key: string
  readonly record: SessionRecord
  readonly ttlMs: number
}

/**
 * Puts a new session into the store. Throws `SessionLimitError`, and `SessionEndedError` where the user's sessions were
 * revoked meanwhile.
 */
export async function beginSession(parts: SessionsParts, begun: NewSession): Promise<void> {
  const { users, records } = parts
  const { key, record, ttlMs } = begun
  const { user } = record.meta
  if (users && user !== undefined) await beginListed(parts, users, user, begun)
  else await records.create(key, record.text, ttlMs)
  tellCreated(parts, key, record.meta)
}

export function tellCreated({ events, settings }: SessionsParts, key: string, meta: SessionMeta): void {
  events.created({ handle: handleOf(settings, key, meta), user: meta.user, createdAt: meta.created })
}

/** Until it is listed and those over the limit have ended, it has only a short time: a crash must leave nothing behind. */
async function beginListed(
  parts: SessionsParts,
  users: Users,
  user: string,
  { key, record, ttlMs }: NewSession,
): Promise<void> {
  const { records } = parts
  await records.create(key, record.text, provisionalMs(parts, ttlMs))
  try {
    await endSessions(parts, user, await users.admit(user, key, ttlMs), 'limit')
    if (!(await records.extend(key, ttlMs))) throw new SessionEndedError()
  } catch (failure) {
    await takeBack(parts, user, key)
    throw failure
  }
}

/** How long a record may live that is not confirmed yet: longer than all that is left to do can take. */
export function provisionalMs({ settings }: SessionsParts, ttlMs: number): number {
  return Math.min(ttlMs, Math.max(10_000, settings.timeoutMs * 8))
}

/** If this fails too, the record ends by itself in a moment. */
export async function takeBack(
  { records, users }: SessionsParts,
  user: string | undefined,
  key: string,
): Promise<void> {
  try {
    await records.destroy(key)
    if (user !== undefined) await users?.leave(user, [key])
  } catch {
    // It is reported.
  }
}
