import type { EndReason } from '../events.ts'
import { readRecord, type SessionMeta } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { eventOf } from './event-of.ts'
import { inGroups } from './in-groups.ts'

/** Ends a session for good, and resolves to its record as it was then; undefined when somebody else was first. */
export async function endSession(
  parts: SessionsParts,
  { key, user }: { readonly key: string; readonly user: string | undefined },
  reason: EndReason,
): Promise<string | undefined> {
  const text = await destroyRecord(parts, key, reason)
  // Not before: what is listed may be dead, what is not listed must be.
  if (user !== undefined) await parts.users?.leave(user, [key])
  return text
}

/** Ends sessions of one user, and resolves to how many of them were alive. */
export async function endSessions(
  parts: SessionsParts,
  user: string,
  keys: readonly string[],
  reason: EndReason,
): Promise<number> {
  const ended = await inGroups(keys, (key) => destroyRecord(parts, key, reason))
  await parts.users?.leave(user, keys)
  return ended.filter((text) => text !== undefined).length
}

async function destroyRecord(
  parts: SessionsParts,
  key: string,
  reason: EndReason,
): Promise<string | undefined> {
  const { records, events } = parts
  const text = await records.destroy(key)
  if (text === undefined || !(events.hearsDestroyed || parts.expiries)) return text
  const meta = metaOf(text)
  if (meta && (await isOurs(parts, key, meta))) events.destroyed({ ...eventOf(parts, key, meta), reason })
  return text
}

/** Who has its note has its end to tell: another process may have found the session expired, in this very moment. */
async function isOurs({ expiries }: SessionsParts, key: string, { watched }: SessionMeta): Promise<boolean> {
  if (!expiries || !watched) return true
  // It is reported, and told as expired when its time is over.
  return expiries.forget(key).catch(() => false)
}

/** A spoilt record was no session. */
function metaOf(text: string): SessionMeta | undefined {
  try {
    return readRecord(text, 0).meta
  } catch {
    return undefined
  }
}
