import { DatabaseSync } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'

export interface BookingsDatabase {
  bookings: { id: number; customer: string }
}

/** A shard in memory with an empty table of bookings. */
export function sqliteShard(): Kysely<BookingsDatabase> {
  const db = new DatabaseSync(':memory:')
  db.exec('create table bookings (id integer primary key, customer text not null)')
  return new Kysely({
    dialect: new SqliteDialect({
      database: {
        prepare(sql) {
          const statement = db.prepare(sql)
          // Kysely types parameters as unknown; SQLite refuses by itself what it cannot bind.
          const bind = (parameters: readonly unknown[]) => parameters as null[]
          return {
            reader: statement.columns().length > 0,
            all: (parameters) => statement.all(...bind(parameters)),
            run: (parameters) => statement.run(...bind(parameters)),
            iterate: (parameters) => statement.iterate(...bind(parameters)),
          }
        },
        close: () => db.close(),
      },
    }),
  })
}
