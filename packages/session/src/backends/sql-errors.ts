/** SQLite lets one connection write at a time, and tells the others to come again. */
export function isBusy(failure: unknown): boolean {
  const { code, errcode } = codesOf(failure)
  // node:sqlite gives SQLite's number (whose low byte is the kind), better-sqlite3 its name.
  return (
    (typeof errcode === 'number' && ((errcode & 0xff) === 5 || (errcode & 0xff) === 6)) ||
    (typeof code === 'string' && /^SQLITE_(BUSY|LOCKED)/.test(code))
  )
}

/** Two processes created the same thing at once. Postgres's `if not exists` does not hold against that. */
export function isCreationRace(failure: unknown): boolean {
  const { code } = codesOf(failure)
  return code === '23505' || code === '42P07' || code === '42710' || isBusy(failure)
}

function codesOf(failure: unknown): { readonly code?: unknown; readonly errcode?: unknown } {
  return typeof failure === 'object' && failure !== null ? failure : {}
}
