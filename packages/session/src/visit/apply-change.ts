import { type Fields, type RecordCookie, readRecord, type SessionMeta } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { encodeFields, refuseOversize } from './encode-fields.ts'
import { appFields, refuseReserved } from './live-fields.ts'

/** What `session.update` is given. */
export type Change<Result> = (fields: Fields) => Result

/** What a change has made of a record. */
export interface AppliedChange<Result> {
  readonly cookie: RecordCookie
  readonly meta: SessionMeta
  /** The app's fields as JSON. */
  readonly data: string
  readonly result: Result
  /** It is not the session of the same user any more. */
  readonly isOtherUser: boolean
}

/** Throws what `change` throws, and `SessionNotSerializableError` and `SessionTooLargeError` for what it left behind. */
export function applyChange<Result>(
  { settings, users }: SessionsParts,
  current: string,
  change: Change<Result>,
): AppliedChange<Result> {
  const { cookie, meta, fields } = readRecord(current, settings.clock.now())
  const own = appFields(fields)
  const user = users?.userOf(own)
  const result = mustBeSync(change(own))
  const data = encodeFields(own)
  refuseReserved(own, data)
  refuseOversize(data, settings.maxBytes)
  return { cookie, meta, data, result, isOtherUser: users !== undefined && users.userOf(own) !== user }
}

function mustBeSync<Result>(result: Result): Result {
  if (result instanceof Promise) {
    result.catch(() => {})
    throw new TypeError(
      'session.update takes a function that returns at once: it may be called several times',
    )
  }
  return result
}
