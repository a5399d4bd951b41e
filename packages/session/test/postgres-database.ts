import { Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'

/**
 * Kysely on Postgres. A connection that ends with its server is no failure of the test: the pool hears of those that
 * rest, and nobody of those that Kysely has taken out, unless they are listened to.
 */
export function postgresDatabase(url: string): Kysely<Record<string, Record<string, unknown>>> {
  const pool = new Pool({ connectionString: url, max: 10 })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return new Kysely({ dialect: new PostgresDialect({ pool }) })
}
