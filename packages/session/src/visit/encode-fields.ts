import { SessionNotSerializableError, SessionTooLargeError } from '../errors.ts'

/** The app's fields as JSON. Throws `SessionNotSerializableError`. */
export function encodeFields(fields: object): string {
  let data: string | undefined
  try {
    data = JSON.stringify(fields)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'something was thrown that is no Error'
    throw new SessionNotSerializableError(why, { cause })
  }
  if (!data?.startsWith('{')) throw new SessionNotSerializableError('its `toJSON` makes no object of it')
  return data
}

/** Throws `SessionTooLargeError`. */
export function refuseOversize(data: string, maxBytes: number): void {
  // No character takes more than three bytes of UTF-8 for each of its units.
  if (data.length * 3 <= maxBytes) return
  const bytes = Buffer.byteLength(data)
  if (bytes > maxBytes) throw new SessionTooLargeError(bytes, maxBytes)
}
