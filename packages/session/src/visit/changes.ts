import { encodeFields, refuseOversize } from './encode-fields.ts'
import type { KeptSession } from './kept-session.ts'
import { hasFields, refuseReserved } from './live-fields.ts'
import type { LiveSession } from './session.ts'
import type { SessionCookie } from './session-cookie.ts'

/** What a request left to be saved. */
export interface Changes {
  readonly kind: 'create' | 'change' | 'touch'
  /** The app's fields as JSON. */
  readonly data: string
}

/** What a request knows of its session. */
export interface Leaving {
  readonly session: LiveSession
  /** Undefined: it is not in the store yet. */
  readonly kept: KeptSession | undefined
  readonly cookie: SessionCookie
  /** Something is to be noted that is worth a write. */
  readonly isNoteDue: boolean
  readonly maxBytes: number
}

/**
 * Undefined: it is as it was; whether it is due to be touched is another question.
 * Throws `SessionNotSerializableError` and `SessionTooLargeError`.
 */
export function findChanges({ session, kept, cookie, isNoteDue, maxBytes }: Leaving): Changes | undefined {
  if (!kept && !isNoteDue && !hasFields(session)) return undefined
  const data = encodeFields(session)
  const isChanged = isNoteDue || (kept ? kept.isOtherThan(data, cookie) : data !== '{}')
  if (!isChanged) return kept && { kind: 'touch', data }
  refuseReserved(session, data)
  refuseOversize(data, maxBytes)
  return { kind: kept ? 'change' : 'create', data }
}
