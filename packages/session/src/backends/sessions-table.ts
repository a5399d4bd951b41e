import type { TableDefinition } from './created-tables.ts'

export interface SessionTables {
  stepladder_sessions: {
    sid: string
    /** The record as JSON text: compared to the letter, hence not a JSON column. */
    sess: string
    /** When the record ends, in milliseconds since the epoch. */
    expires: number
  }
}

export const sessionsTable: TableDefinition<SessionTables> = {
  look: (database) =>
    database.selectFrom('stepladder_sessions').select(['sid', 'sess', 'expires']).limit(0).execute(),
  async create({ schema }) {
    await schema
      .createTable('stepladder_sessions')
      .ifNotExists()
      .addColumn('sid', 'text', (column) => column.primaryKey())
      .addColumn('sess', 'text', (column) => column.notNull())
      .addColumn('expires', 'bigint', (column) => column.notNull())
      .execute()
    await schema
      .createIndex('stepladder_sessions_expires')
      .ifNotExists()
      .on('stepladder_sessions')
      .column('expires')
      .execute()
  },
}
