import type { ControlledTransaction, Kysely } from 'kysely'
import type { AnyTables } from './kysely-tables.ts'
import { judgeSqlError } from './sql-error.ts'
import { type Columns, mergeByKey, splitIntoStatements } from './statements.ts'

/** Where rows go, and what happens to a row whose key is there already. */
export interface UpsertTarget {
  readonly table: string
  readonly key: readonly string[]
  readonly onConflict: 'ignore' | 'update' | undefined
}

/** A row that the database refused, by its place in the batch. */
export interface RefusedRow {
  readonly ordinal: number
  readonly row: Columns
  readonly error: unknown
}

/** Writes all rows, in as few statements as the database takes; fails as a whole. */
export async function upsert(
  database: Kysely<AnyTables>,
  target: UpsertTarget,
  rows: readonly Columns[],
): Promise<void> {
  const merged = target.onConflict === 'update' ? mergeByKey(rows, target.key) : rows
  for (const statement of splitIntoStatements(merged)) await insert(database, target, statement)
}

/**
 * Writes the rows that the database takes and returns the others: a part that is refused is halved until
 * single rows are left, about 2 log2(n) statements for each bad row. The order stays, left half first.
 */
export async function upsertSparing(
  transaction: ControlledTransaction<AnyTables>,
  target: UpsertTarget,
  rows: readonly Columns[],
  firstOrdinal = 0,
): Promise<RefusedRow[]> {
  // Postgres takes nothing more in a transaction after an error, but for going back to a savepoint.
  const savepoint = await transaction.savepoint('part').execute()
  try {
    await upsert(savepoint, target, rows)
    await savepoint.releaseSavepoint('part').execute()
    return []
  } catch (error) {
    if (judgeSqlError(error) !== 'data') throw error
    await savepoint.rollbackToSavepoint('part').execute()
    if (rows.length === 1) return [{ ordinal: firstOrdinal, row: rows[0]!, error }]
  }
  const middle = Math.ceil(rows.length / 2)
  const left = await upsertSparing(transaction, target, rows.slice(0, middle), firstOrdinal)
  const right = await upsertSparing(transaction, target, rows.slice(middle), firstOrdinal + middle)
  return [...left, ...right]
}

async function insert(
  database: Kysely<AnyTables>,
  { table, key, onConflict }: UpsertTarget,
  rows: readonly Columns[],
): Promise<void> {
  const changed = Object.keys(rows[0]!).filter((column) => !key.includes(column))
  const query = database.insertInto(table).values(rows)
  if (onConflict === undefined) {
    await query.execute()
  } else if (onConflict === 'ignore' || changed.length === 0) {
    await query
      .onConflict((conflict) => (key.length > 0 ? conflict.columns(key).doNothing() : conflict.doNothing()))
      .execute()
  } else {
    await query
      .onConflict((conflict) =>
        conflict
          .columns(key)
          .doUpdateSet((of) =>
            Object.fromEntries(changed.map((column) => [column, of.ref(`excluded.${column}`)])),
          ),
      )
      .execute()
  }
}
