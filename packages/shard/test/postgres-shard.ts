import { Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import type { BookingsDatabase } from './sqlite-shard.ts'

/** A shard at this URL, with an empty table of bookings. */
export async function postgresShard(url: string): Promise<Kysely<BookingsDatabase>> {
  const pool = new Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 10_000 })
  // Without a listener, a server that goes away would end the process.
  pool.on('error', () => {})
  const db = new Kysely<BookingsDatabase>({ dialect: new PostgresDialect({ pool }) })
  await db.schema
    .createTable('bookings')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('customer', 'text', (column) => column.notNull())
    .execute()
  return db
}
