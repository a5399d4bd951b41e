import { retry } from '@stepladder/core'
import type { Kysely } from 'kysely'
import { isCreationRace } from './sql-errors.ts'

export interface SessionTables {
  stepladder_sessions: {
    sid: string
    /** The record as JSON text: compared to the letter, hence not a JSON column. */
    sess: string
    /** When the record ends, in milliseconds since the epoch. */
    expires: number
  }
}

/** Creates the table unless it is there. Several processes may call it at once. */
export async function createSessionsTable(database: Kysely<SessionTables>): Promise<void> {
  // Looked for first: an app whose tables come from migrations may have no right to create any.
  if (await hasSessionsTable(database)) return
  await retry(
    async () => {
      await database.schema
        .createTable('stepladder_sessions')
        .ifNotExists()
        .addColumn('sid', 'text', (column) => column.primaryKey())
        .addColumn('sess', 'text', (column) => column.notNull())
        .addColumn('expires', 'bigint', (column) => column.notNull())
        .execute()
      await database.schema
        .createIndex('stepladder_sessions_expires')
        .ifNotExists()
        .on('stepladder_sessions')
        .column('expires')
        .execute()
    },
    { attempts: 5, retryIf: isCreationRace },
  )
}

async function hasSessionsTable(database: Kysely<SessionTables>): Promise<boolean> {
  const look = database
    .selectFrom('stepladder_sessions')
    .select(['sid', 'sess', 'expires'])
    .limit(0)
    .execute()
  return look.then(
    () => true,
    () => false,
  )
}
