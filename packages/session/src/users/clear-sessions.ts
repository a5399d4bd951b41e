import type { SessionsParts } from '../sessions-parts.ts'
import { endSession, endSessions } from './end-session.ts'
import { inGroups } from './in-groups.ts'

/**
 * Ends every session of everybody. First as they are listed, so that no list says anything that was true before; then
 * those that are nobody's.
 */
export async function clearSessions(parts: SessionsParts): Promise<void> {
  const { users, records, events, expiries } = parts
  for (const user of (await users?.all()) ?? []) {
    await endSessions(parts, user, (await users?.list(user)) ?? [], 'revoked')
  }
  if (!events.hearsDestroyed && !expiries) return records.ofAll('clear', (backend) => backend.clear())
  const rest = await records.ofAll('all', (backend) => backend.all())
  await inGroups([...rest.keys()], (key) => endSession(parts, { key, user: undefined }, 'revoked'))
}
