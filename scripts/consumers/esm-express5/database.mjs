import { DatabaseSync } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'

/** A SQLite file behind Kysely; `inserts` and `selects` count the statements that reached it. */
export function openDatabase(file) {
  const sqlite = new DatabaseSync(file)
  sqlite.exec(`pragma journal_mode = wal; pragma busy_timeout = 5000;
    create table if not exists airports (code text primary key, name text);
    create table if not exists events (flight text, kind text);
    create table if not exists bookings (customer text, flight text);
    insert or ignore into airports values ('ZRH', 'Zurich'), ('LIS', 'Lisbon')`)
  const prepare = (sql) => {
    const statement = sqlite.prepare(sql)
    const reader = statement.columns().length > 0
    return {
      reader,
      all: (parameters) => statement.all(...parameters),
      run: (parameters) => statement.run(...parameters),
      iterate: (parameters) => statement.iterate(...parameters),
    }
  }
  const counts = { inserts: 0, selects: 0 }
  const log = ({ query }) => {
    if (/^insert into "events"/.test(query.sql)) counts.inserts++
    if (/^select .* from "airports"/.test(query.sql)) counts.selects++
  }
  const db = new Kysely({
    dialect: new SqliteDialect({ database: { prepare, close: () => sqlite.close() } }),
    log,
  })
  return Object.assign(db, { counts })
}
