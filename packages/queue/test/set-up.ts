import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sharedPostgres } from '@stepladder/core/testing'
import type { Kysely } from 'kysely'
import { onTestFinished } from 'vitest'
import { openPostgres, openSqlite, type Tables } from './events-database.ts'

/** A folder that goes away with the test. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stepladder-queue-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A database of the test's own with an empty table `events`. */
export async function makeDatabase(
  engine: 'sqlite' | 'postgres',
  { hasKey = false } = {},
): Promise<{ database: Kysely<Tables>; place: string }> {
  const place =
    engine === 'sqlite'
      ? join(await tempFolder(), 'events.db')
      : await (await sharedPostgres()).createDatabase()
  const database = engine === 'sqlite' ? openSqlite(place) : openPostgres(place)
  onTestFinished(() => database.destroy())
  await database.schema
    .createTable('events')
    .addColumn('id', 'varchar(64)', (column) => (hasKey ? column.primaryKey() : column.notNull()))
    .addColumn('value', 'integer', (column) => column.notNull().defaultTo(7))
    .execute()
  return { database, place }
}
