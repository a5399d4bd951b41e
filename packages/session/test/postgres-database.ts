import { Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'

/** Kysely on Postgres. A connection that ends with its server is no failure of the test. */
export function postgresDatabase(url: string): Kysely<Record<string, Record<string, unknown>>> {
  const pool = new Pool({ connectionString: url, max: 10 })
  pool.on('error', () => {})
  return new Kysely({ dialect: new PostgresDialect({ pool }) })
}
