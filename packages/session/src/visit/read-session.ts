import type { ShownSession } from '../cookie/cookie-reader.ts'
import { InvalidSessionRecordError } from '../errors.ts'
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

/**
 * The session that a record holds; undefined when the id that was shown is let in no more. Throws
 * `InvalidSessionRecordError`.
 */
export function readSession(
  { settings }: SessionsParts,
  { key, stored, text, moves }: FoundRecord,
  shown: ShownSession,
): ReadSession | undefined {
  const now = settings.clock.now()
  const isMoved = moves.length > 0
  if (isMoved && !isLetIn(moves, now)) return undefined
  const record = readRecord(text, now)
  const isCookieDue = shown.isOldSecret || isMoved
  const id = isMoved ? idAfter(shown.id, moves) : shown.id
  return { id, key, record, fields: record.fields, stored, isMoved, isCookieDue }
}

/** The session as this process saw it last; undefined where it did not, or heard that it was changed or ended. */
export function lastSeenSession(parts: SessionsParts, shown: ShownSession): ReadSession | undefined {
  try {
    const found = parts.records.lastSeen(shown.key)
    return found && readSession(parts, found, shown)
  } catch (cause) {
    // It was reported when it was read.
    if (!(cause instanceof InvalidSessionRecordError)) throw cause
    return undefined
  }
}
