/** Names codecs and keys in records: 1 to 32 letters, digits, `_`, `.` and `-`. */
export function isId(id: unknown): id is string {
  return typeof id === 'string' && /^[\w.-]{1,32}$/.test(id)
}
