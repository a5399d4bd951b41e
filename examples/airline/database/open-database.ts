import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, type LogEvent, PostgresDialect, SqliteDialect } from 'kysely'
import pg from 'pg'
import type { Tables } from './tables.ts'

export interface OpenDatabaseOptions {
  /** Which database: the airline's own, or one that holds a part of the bookings. Default `airline`. */
  readonly name?: string | undefined
  /** Hears of every query. */
  readonly log?: ((event: LogEvent) => void) | undefined
  /** Where `DATABASE_URL` and `AIRLINE_DATA` are looked up. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

/** The databases that share the bookings from rung 5 on. */
export const bookingShards = ['bookings_east', 'bookings_west'] as const

/** Opens Postgres at `DATABASE_URL`, or a SQLite file when there is none. Close it with `destroy()`. */
export function openDatabase({
  name = 'airline',
  log,
  env = process.env,
}: OpenDatabaseOptions = {}): Kysely<Tables> {
  const dialect = env.DATABASE_URL
    ? postgres(databaseUrl(env.DATABASE_URL, name))
    : sqlite(join(dataFolder(env), `${name}.db`))
  return new Kysely<Tables>(log ? { dialect, log } : { dialect })
}

/** Where the airline keeps files: `AIRLINE_DATA`, or `.airline` in the current folder. */
export function dataFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env.AIRLINE_DATA ?? '.airline'
}

/** Beside the airline's own database, the others carry their name after an underscore. */
export function databaseUrl(url: string, name: string): string {
  const named = new URL(url)
  if (name !== 'airline') named.pathname += `_${name}`
  return named.href
}

function postgres(connectionString: string): PostgresDialect {
  // Postgres counts and averages in types wider than a number, which `pg` hands over as text.
  const isWide = (type: number) => type === pg.types.builtins.INT8 || type === pg.types.builtins.NUMERIC
  const getTypeParser: typeof pg.types.getTypeParser = (type: number, format?: 'text' | 'binary') =>
    isWide(type) ? Number : pg.types.getTypeParser(type, format)
  const pool = new pg.Pool({ connectionString, types: { getTypeParser } })
  // An idle connection that breaks is replaced by the pool; unheard, its error would end the process.
  pool.on('error', (error) => console.error(`database: ${error.message}`))
  return new PostgresDialect({ pool })
}

/** Kysely's own SQLite dialect over Node's own SQLite. */
function sqlite(file: string): SqliteDialect {
  mkdirSync(join(file, '..'), { recursive: true })
  // Several processes share the file: readers go on beside a writer, and writers wait for each other.
  const database = new DatabaseSync(file, { timeout: 5_000 })
  database.exec('pragma journal_mode = wal')
  // In KiB: all of the records fit into memory, as they do in Postgres.
  database.exec('pragma cache_size = -65536')
  return new SqliteDialect({
    database: {
      close: () => database.close(),
      prepare(query) {
        const statement = database.prepare(query)
        // Kysely hands over what its values are bound to, which it types as unknown.
        const values = (parameters: readonly unknown[]) => parameters as (string | number | null)[]
        return {
          reader: statement.columns().length > 0,
          all: (parameters) => statement.all(...values(parameters)),
          run: (parameters) => statement.run(...values(parameters)),
          iterate: (parameters) => statement.iterate(...values(parameters)),
        }
      },
    },
  })
}
