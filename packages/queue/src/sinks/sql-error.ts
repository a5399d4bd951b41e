/**
 * What to do about a failed statement: `data`, the database refuses these very rows and always will;
 * `schema`, it refuses every row until somebody changes it; `transient`, anything else: try again.
 */
export type SqlFailure = 'data' | 'schema' | 'transient'

/**
 * Reads the SQLSTATE of Postgres or the result code of SQLite (`node:sqlite`, better-sqlite3). What it does
 * not know is transient: trying again for ever loses nothing, setting rows aside wrongly would.
 */
export function judgeSqlError(error: unknown): SqlFailure {
  if (!(error instanceof Error)) return 'transient'
  if ('errcode' in error && typeof error.errcode === 'number') return judgeSqliteCode(error.errcode)
  const code = 'code' in error ? String(error.code) : ''
  if (code.startsWith('SQLITE_')) return judgeSqliteName(code)
  // node:sqlite, for a value that no column can hold.
  if (code === 'ERR_INVALID_ARG_TYPE' || code === 'ERR_INVALID_ARG_VALUE') return 'data'
  return /^[0-9A-Z]{5}$/.test(code) ? judgeSqlState(code) : 'transient'
}

/** Classes of the SQL standard: 21 cardinality, 22 data, 23 integrity; 42 names and access rules. */
function judgeSqlState(code: string): SqlFailure {
  const group = code.slice(0, 2)
  if (group === '21' || group === '22' || group === '23') return 'data'
  return group === '42' || group === '3F' ? 'schema' : 'transient'
}

/** The lowest byte is the primary code (https://sqlite.org/rescode.html); 1 is what SQL itself gets wrong. */
function judgeSqliteCode(code: number): SqlFailure {
  const primary = code & 0xff
  const [error, tooBig, constraint, mismatch] = [1, 18, 19, 20]
  if (primary === tooBig || primary === constraint || primary === mismatch) return 'data'
  return primary === error ? 'schema' : 'transient'
}

function judgeSqliteName(code: string): SqlFailure {
  if (/^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)/.test(code)) return 'data'
  return code === 'SQLITE_ERROR' ? 'schema' : 'transient'
}
