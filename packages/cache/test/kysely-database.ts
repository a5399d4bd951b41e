import { DatabaseSync } from 'node:sqlite'
import {
  type Driver,
  DummyDriver,
  Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  PostgresAdapter,
  PostgresDialect,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteDialect,
} from 'kysely'
import { Pool } from 'pg'

export interface Flights {
  id: number
  airport: string
  seats: number
}

export interface Airports {
  code: string
  name: string
}

/** The tables of these tests. */
export interface Tables {
  flights: Flights
  airports: Airports
  'ops.flights': Flights
}

/** Kysely on Node's own SQLite. A file is shared by processes; the default is one of its own, in memory. */
export function sqliteDatabase(file = ':memory:'): Kysely<Tables> {
  const database = new DatabaseSync(file, { timeout: 5_000 })
  if (file !== ':memory:') database.exec('pragma journal_mode = wal; pragma synchronous = off')
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

/** Kysely on Postgres. A connection that ends with its server is no failure of the test. */
export function postgresDatabase(url: string, max = 10): Kysely<Tables> {
  const pool = new Pool({ connectionString: url, max })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return new Kysely({ dialect: new PostgresDialect({ pool }) })
}

/** Kysely that makes MySQL's SQL and executes nothing; `hear` is told what it would have sent. */
export function mysqlCompiler(hear: (sql: string) => void = () => {}): Kysely<Tables> {
  return new Kysely({
    log: ({ query }) => hear(query.sql),
    dialect: {
      createAdapter: () => new MysqlAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new MysqlIntrospector(db),
      createQueryCompiler: () => new MysqlQueryCompiler(),
    },
  })
}

/** Kysely that makes Postgres's SQL and executes nothing. */
export function postgresCompiler(driver: Driver = new DummyDriver()): Kysely<Tables> {
  return new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}

/** `flights` 1 to 3, all of SFO with 10 seats, and the airport; the tables are made anew. */
export async function fill(db: Kysely<Tables>): Promise<void> {
  await db.schema.dropTable('flights').ifExists().execute()
  await db.schema.dropTable('airports').ifExists().execute()
  await db.schema
    .createTable('flights')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('airport', 'text')
    .addColumn('seats', 'integer')
    .execute()
  await db.schema
    .createTable('airports')
    .addColumn('code', 'varchar(3)', (column) => column.primaryKey())
    .addColumn('name', 'text')
    .execute()
  await db
    .insertInto('flights')
    .values([1, 2, 3].map((id) => ({ id, airport: 'SFO', seats: 10 })))
    .execute()
  await db.insertInto('airports').values({ code: 'SFO', name: 'San Francisco' }).execute()
}
