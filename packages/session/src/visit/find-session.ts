import type { ShownSession } from '../cookie/cookie-reader.ts'
import { InvalidSessionRecordError } from '../errors.ts'
import { reportOnce } from '../operation.ts'
import { type ReadRecord, readRecord } from '../record/session-record.ts'
import type { FoundRecord } from '../records.ts'
import { idAfter, isLetIn } from '../rotation/next-id.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import type { FoundSession } from './keeper.ts'

/** A session that was just read. */
export interface ReadSession extends FoundSession {
  readonly record: ReadRecord
  readonly stored: string
  /** It has another id than the one that was shown. */
  readonly isMoved: boolean
}

/** The session with this id; undefined when there is none, or when that id is let in no more. */
export async function findSession(
  parts: SessionsParts,
  shown: ShownSession,
  isFresh: boolean,
): Promise<ReadSession | undefined> {
  const { records, migration, settings } = parts
  const { key } = shown
  try {
    const found = migration
      ? await migration.find(shown.id, key, () => records.read(key, isFresh))
      : await records.read(key, isFresh)
    return found && readSession(found, shown, settings.clock.now())
  } catch (cause) {
    // A spoilt record is no session: an error would answer every request of its cookie, until it expires.
    if (!(cause instanceof InvalidSessionRecordError)) throw cause
    reportOnce('get', settings, 'invalid', cause)
    return undefined
  }
}

/** The session as this process saw it last; undefined where it did not, or heard that it was changed or ended. */
export function lastSeenSession(parts: SessionsParts, shown: ShownSession): ReadSession | undefined {
  const { records, settings } = parts
  try {
    const found = records.lastSeen(shown.key)
    return found && readSession(found, shown, settings.clock.now())
  } catch (cause) {
    // It was reported when it was read.
    if (!(cause instanceof InvalidSessionRecordError)) throw cause
    return undefined
  }
}

function readSession(found: FoundRecord, shown: ShownSession, now: number): ReadSession | undefined {
  const { key, stored, text, moves } = found
  const isMoved = moves.length > 0
  if (isMoved && !isLetIn(moves, now)) return undefined
  const record = readRecord(text, now)
  const isCookieDue = shown.isOldSecret || isMoved
  const id = isMoved ? idAfter(shown.id, moves) : shown.id
  return { id, key, record, fields: record.fields, stored, isMoved, isCookieDue }
}
