import { InvalidSessionRecordError } from '../errors.ts'
import { readRecord, type SessionMeta } from '../record/session-record.ts'
import type { Records } from '../records.ts'

/**
 * What is behind a key that is listed. `gone`: nothing, for good, since a record is there before it is listed; or a
 * session that has moved, and is listed where it is now. `spoilt`: no session, though there is something.
 */
export async function lookAt(records: Records, key: string): Promise<SessionMeta | 'gone' | 'spoilt'> {
  try {
    const found = await records.read(key, true)
    if (!found || found.key !== key) return 'gone'
    return readRecord(found.text, 0).meta
  } catch (failure) {
    if (failure instanceof InvalidSessionRecordError) return 'spoilt'
    throw failure
  }
}
