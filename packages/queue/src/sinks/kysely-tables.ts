import { retry } from '@stepladder/core'
import type { Kysely } from 'kysely'

/** Tables are named at run time, so their columns are unknown to the compiler. */
export type AnyTables = Record<string, Record<string, unknown>>

/**
 * Makes the ledger and the dead table unless they are there. Looks first, since an account that may not
 * create tables is fine once somebody else has; tries again, since two processes that create a table at the
 * same moment do collide in Postgres in spite of IF NOT EXISTS.
 */
export async function ensureTables(database: Kysely<AnyTables>, ledger: string, dead: string): Promise<void> {
  await retry(
    async () => {
      if (!(await isThere(database, ledger, 'batch_id'))) await createLedger(database, ledger)
      if (!(await isThere(database, dead, 'batch_id'))) await createDeadTable(database, dead)
    },
    { attempts: 3 },
  )
}

async function isThere(database: Kysely<AnyTables>, table: string, column: string): Promise<boolean> {
  return database
    .selectFrom(table)
    .select(column)
    .limit(1)
    .execute()
    .then(
      () => true,
      // Not there, or not reachable: creating it will say which.
      () => false,
    )
}

async function createLedger(database: Kysely<AnyTables>, name: string): Promise<void> {
  await database.schema
    .createTable(name)
    .ifNotExists()
    .addColumn('batch_id', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('row_count', 'integer', (column) => column.notNull())
    .addColumn('applied_at', 'bigint', (column) => column.notNull())
    .execute()
}

async function createDeadTable(database: Kysely<AnyTables>, name: string): Promise<void> {
  await database.schema
    .createTable(name)
    .ifNotExists()
    .addColumn('batch_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('ordinal', 'integer', (column) => column.notNull())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('row', 'text', (column) => column.notNull())
    .addColumn('error', 'text', (column) => column.notNull())
    .addColumn('quarantined_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint(`${name}_pk`, ['batch_id', 'ordinal'])
    .execute()
}
