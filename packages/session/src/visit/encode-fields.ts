import { SessionNotSerializableError, SessionTooLargeError } from '../errors.ts'

/** The app's fields as JSON. Throws `SessionNotSerializableError` and `SessionTooLargeError`. */
export function encodeFields(fields: object, maxBytes: number): string {
  const data = stringify(fields)
  // No character takes more than three bytes of UTF-8 for each of its units.
  if (data.length * 3 > maxBytes) {
    const bytes = Buffer.byteLength(data)
    if (bytes > maxBytes) throw new SessionTooLargeError(bytes, maxBytes)
  }
  return data
}

function stringify(fields: object): string {
  let data: string | undefined
  try {
    data = JSON.stringify(fields)
  } catch (cause) {
    throw new SessionNotSerializableError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
  if (!data?.startsWith('{')) throw new SessionNotSerializableError('its `toJSON` makes no object of it')
  return data
}
