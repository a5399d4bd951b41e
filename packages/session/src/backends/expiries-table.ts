import type { TableDefinition } from './created-tables.ts'
import type { SessionTables } from './sessions-table.ts'

export interface ExpiryTables extends SessionTables {
  stepladder_session_expiries: {
    /** The session's key, after the prefix of the store. */
    sid: string
    /** What is known of it, as JSON text. */
    about: string
    /** When it is to be looked at, in milliseconds since the epoch. */
    expires: number
  }
}

export const expiriesTable: TableDefinition<ExpiryTables> = {
  look: (database) =>
    database.selectFrom('stepladder_session_expiries').select(['sid', 'about', 'expires']).limit(0).execute(),
  async create({ schema }) {
    await schema
      .createTable('stepladder_session_expiries')
      .ifNotExists()
      .addColumn('sid', 'text', (column) => column.primaryKey())
      .addColumn('about', 'text', (column) => column.notNull())
      .addColumn('expires', 'bigint', (column) => column.notNull())
      .execute()
    await schema
      .createIndex('stepladder_session_expiries_expires')
      .ifNotExists()
      .on('stepladder_session_expiries')
      .column('expires')
      .execute()
  },
}
