import { DatabaseSync } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'

type Row = Record<string, string | number | bigint | null>

/** Kysely on Node's own SQLite. A file is shared by processes; the default is one of its own, in memory. */
export function sqliteDatabase(file = ':memory:'): Kysely<Record<string, Row>> {
  const database = new DatabaseSync(file)
  const dialect = new SqliteDialect({
    database: {
      prepare(sql) {
        const statement = database.prepare(sql)
        // Kysely hands on what it was given, and that is what SQLite takes.
        const given = (parameters: readonly unknown[]) => parameters as (string | number | null)[]
        return {
          reader: statement.columns().length > 0,
          all: (parameters) => statement.all(...given(parameters)),
          run: (parameters) => statement.run(...given(parameters)),
          iterate: (parameters) => statement.iterate(...given(parameters)),
        }
      },
      close: () => database.close(),
    },
  })
  return new Kysely({ dialect })
}
