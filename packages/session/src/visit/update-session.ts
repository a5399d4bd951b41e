import { mergeFields } from '../merge.ts'
import type { Fields } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { type AppliedChange, applyChange, type Change } from './apply-change.ts'
import { encodeFields } from './encode-fields.ts'
import type { KeptSession, Updated } from './kept-session.ts'
import { becomeFields } from './live-fields.ts'
import type { Notes } from './note-book.ts'
import type { LiveSession } from './session.ts'
import type { SessionCookie } from './session-cookie.ts'

/** A session that is updated, as its request has it. */
export interface Updating {
  readonly kept: KeptSession
  readonly session: LiveSession
  readonly cookie: SessionCookie
  /** Writes it where it is. */
  write<T>(write: (notes: Notes | undefined) => Promise<T>): Promise<T>
  /** Puts one with these fields and a new id in its place: see `replaceSession`. */
  move(fields: Fields, dataFrom: (former: string) => string): Promise<void>
}

/**
 * Changes a session in the store, and lets the live one become what it is there. What the handler changed in that while
 * the update was under way stays, to be saved later; throws `SessionNotSerializableError` where it is no JSON.
 */
export async function updateSession<Result>(
  parts: SessionsParts,
  updating: Updating,
  change: Change<Result>,
): Promise<Result> {
  const { kept, session, cookie } = updating
  const { data, cookie: known } = kept
  const updated = await updating.write((notes) => kept.update(change, notes))
  if (updated && cookie.maxAge === (known.originalMaxAge ?? null)) cookie.become(kept.cookie)
  const { result, fields } = updated ?? (await moveByChange(parts, updating, change))
  takeIn(session, data, fields)
  return result
}

/** The change makes it another user's. It is applied to what the former was at its end, as all changes are. */
async function moveByChange<Result>(
  parts: SessionsParts,
  { kept, move }: Updating,
  change: Change<Result>,
): Promise<Updated<Result>> {
  let applied: AppliedChange<Result> = applyChange(parts, kept.text, change)
  await move(JSON.parse(applied.data), (former) => {
    applied = applyChange(parts, former, change)
    return applied.data
  })
  return { result: applied.result, fields: JSON.parse(applied.data) }
}

/** `data` is what was known of the fields, as JSON: what differs from that by now is the handler's. */
function takeIn(session: LiveSession, data: string, fields: Fields): void {
  let live = data
  try {
    live = encodeFields(session)
  } finally {
    const isSame = live === data
    becomeFields(session, isSame ? fields : mergeFields(JSON.parse(data), JSON.parse(live), fields))
  }
}
