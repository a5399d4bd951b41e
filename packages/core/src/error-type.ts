/** What a failure is called where its kind is wanted, not its words: as OpenTelemetry's `error.type`. */
export function errorTypeOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return '_OTHER'
  const { code, name } = cause as { readonly code?: unknown; readonly name?: unknown }
  // `ECONNREFUSED`, `SHARD_UNAVAILABLE`, and the five characters of SQL's states. A code is stable; prose is not.
  if (typeof code === 'string' && /^[A-Z0-9_]{2,64}$/.test(code)) return code
  return typeof name === 'string' && /^\w{1,64}$/.test(name) ? name : '_OTHER'
}
