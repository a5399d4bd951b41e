import { InvalidSessionRecordError } from '../errors.ts'
import { type ReadRecord, readRecord } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'

/** The record that this process saw last under the key; undefined where it saw none, or heard of its end. */
export function lastSeen(
  { near, records, settings }: SessionsParts,
  key: string,
): (ReadRecord & { readonly stored: string }) | undefined {
  const stored = near?.lastSeen(key)
  if (stored === undefined) return undefined
  try {
    return { ...readRecord(records.sealer.open(key, stored), settings.clock.now()), stored }
  } catch (cause) {
    // It was reported when it was read.
    if (cause instanceof InvalidSessionRecordError) return undefined
    throw cause
  }
}
