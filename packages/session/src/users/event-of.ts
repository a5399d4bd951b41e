import type { SessionEvent } from '../events.ts'
import type { SessionMeta } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { handleOf } from './handle.ts'

/** What the app's hooks are told of a session. */
export function eventOf({ settings }: SessionsParts, key: string, meta: SessionMeta): SessionEvent {
  return { handle: handleOf(settings, key, meta), user: meta.user, createdAt: meta.created }
}
