import { mergeFields } from '../merge.ts'
import type { Fields } from '../record/session-record.ts'
import { encodeFields } from './encode-fields.ts'
import type { KeptSession } from './kept-session.ts'
import { becomeFields } from './live-fields.ts'
import type { LiveSession } from './session.ts'
import type { SessionCookie } from './session-cookie.ts'

/**
 * Changes a session in the store, and lets the live one become what it is there. What the handler changed in that while
 * the update was under way stays, to be saved later; throws `SessionNotSerializableError` where it is no JSON.
 */
export async function updateSession<Result>(
  kept: KeptSession,
  session: LiveSession,
  cookie: SessionCookie,
  change: (fields: Fields) => Result,
): Promise<Result> {
  const { data, cookie: known } = kept
  const [result, fields] = await kept.update(change)
  if (cookie.maxAge === (known.originalMaxAge ?? null)) cookie.become(kept.cookie)
  takeIn(session, data, fields)
  return result
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
