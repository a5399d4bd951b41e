import type { TableDefinition } from './created-tables.ts'

export interface UserTables {
  stepladder_session_users: {
    /** The user, after the prefix of the store. */
    user_id: string
    /** The session's key, without the prefix; empty in the row that is the list's lock. */
    sid: string
    /** Until when the session may live, in milliseconds since the epoch. */
    expires: number
  }
}

export const usersTable: TableDefinition<UserTables> = {
  look: (database) =>
    database.selectFrom('stepladder_session_users').select(['user_id', 'sid', 'expires']).limit(0).execute(),
  async create({ schema }) {
    await schema
      .createTable('stepladder_session_users')
      .ifNotExists()
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('sid', 'text', (column) => column.notNull())
      .addColumn('expires', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('stepladder_session_users_pk', ['user_id', 'sid'])
      .execute()
    await schema
      .createIndex('stepladder_session_users_expires')
      .ifNotExists()
      .on('stepladder_session_users')
      .column('expires')
      .execute()
  },
}
