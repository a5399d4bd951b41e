import type { SessionsParts } from '../sessions-parts.ts'
import { endSession, endSessions } from './end-session.ts'

/** How many users, or sessions, are dealt with at once. */
const together = 100

/**
 * Ends every session of everybody. First as they are listed, so that no list says anything that was true before; then
 * those that are nobody's.
 */
export async function clearSessions(parts: SessionsParts): Promise<void> {
  const { users, records, events } = parts
  for (const some of inGroups((await users?.all()) ?? [])) {
    await Promise.all(
      some.map(async (user) => endSessions(parts, user, (await users?.list(user)) ?? [], 'revoked')),
    )
  }
  if (!events.hearsDestroyed) return records.ofAll('clear', (backend) => backend.clear())
  const rest = await records.ofAll('all', (backend) => backend.all())
  for (const some of inGroups([...rest.keys()])) {
    await Promise.all(some.map((key) => endSession(parts, { key, user: undefined }, 'revoked')))
  }
}

function inGroups<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / together) }, (_, group) =>
    all.slice(group * together, (group + 1) * together),
  )
}
