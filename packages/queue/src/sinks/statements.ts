/** One row, by column. */
export type Columns = Readonly<Record<string, unknown>>

/** Below what both SQLite (32,766) and Postgres (65,535) take in one statement. */
const maxParameters = 30_000

/**
 * The rows as one multi-row insert each: neighbours with the same columns, no more of them than a statement
 * may have parameters. Rows with other columns get a statement of their own, since a column left out means
 * its default and not NULL.
 */
export function splitIntoStatements(rows: readonly Columns[]): Columns[][] {
  const statements: Columns[][] = []
  let signature: string | undefined
  for (const row of rows) {
    const columns = Object.keys(row)
    const own = columns.toSorted().join('\n')
    const current = statements.at(-1)
    const hasRoom = current !== undefined && (current.length + 1) * columns.length <= maxParameters
    if (current && hasRoom && own === signature) current.push(row)
    else statements.push([row])
    signature = own
  }
  return statements
}

/**
 * Several writes to one key as one row that has the last value of each column, in the place of the last
 * write: one statement may not update a row twice (SQLSTATE 21000).
 */
export function mergeByKey(rows: readonly Columns[], key: readonly string[]): Columns[] {
  const merged = new Map<string, Columns>()
  for (const row of rows) {
    const identity = JSON.stringify(key.map((column) => identityOf(row[column])))
    const earlier = merged.get(identity)
    if (earlier) merged.delete(identity)
    merged.set(identity, earlier ? { ...earlier, ...row } : row)
  }
  return [...merged.values()]
}

function identityOf(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : (value ?? null)
}
