import { DatabaseSync } from 'node:sqlite'
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely'
import { Pool } from 'pg'

/** What the tests write; `id` is unique only in tables made with a key. */
export interface Event {
  id: string
  value: number
}

export interface Tables {
  events: Event
  stepladder_ledger: { batch_id: string; row_count: number }
  stepladder_ledger_dead: { batch_id: string; ordinal: number; target: string; row: string; error: string }
}

export function openSqlite(file: string): Kysely<Tables> {
  const db = new DatabaseSync(file)
  db.exec('pragma journal_mode = wal; pragma busy_timeout = 0')
  const database = {
    prepare: (sql: string) => {
      const statement = db.prepare(sql)
      // Kysely hands over the values it was given; SQLite itself refuses those that it cannot hold.
      const bind = (values: readonly unknown[]) => values as (string | number)[]
      return {
        reader: statement.columns().length > 0,
        all: (values: readonly unknown[]) => statement.all(...bind(values)),
        run: (values: readonly unknown[]) => statement.run(...bind(values)),
        iterate: (values: readonly unknown[]) => statement.iterate(...bind(values)),
      }
    },
    close: () => db.close(),
  }
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
}

export function openPostgres(url: string): Kysely<Tables> {
  const pool = new Pool({ connectionString: url, max: 4 })
  // Without a listener a server that goes away would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
}
