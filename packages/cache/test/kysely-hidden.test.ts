import { createCache } from '@stepladder/cache'
import {
  cached,
  invalidateAfterCommit,
  invalidateOnWrite,
  type KeepsAnswers,
  OpaqueStatementError,
  relayOutbox,
} from '@stepladder/cache/kysely'
import { type RawBuilder, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { fill, mysqlCompiler, postgresCompiler, sqliteDatabase } from './kysely-database.ts'
import { RecordingCache } from './recording-cache.ts'

/** The tables whose writes invalidate the answer. */
async function tablesOf(query: Parameters<typeof cached>[1]): Promise<string[]> {
  let tables: string[] = []
  const cache: KeepsAnswers = {
    getOrSet: async (_key, _load, { tags = [] }) => {
      tables = tags.map((tag) => tag.replace(/^table:/, '')).toSorted()
      return [] as never // nobody looks at the rows
    },
  }
  await cached(cache, query)
  return tables
}

describe('a `with` hides no table that the query reads:', () => {
  const db = invalidateOnWrite(postgresCompiler(), new RecordingCache())

  test('one of the same name in other letters, which Postgres tells apart', async () => {
    const query = db
      .with('Flights', (q) => q.selectFrom('airports').select('code'))
      .selectFrom('flights')
      .selectAll()
    expect(await tablesOf(query)).toEqual(['airports', 'flights'])
  })

  test('one that a recursive `with` reads before that name is another query, as MySQL does', async () => {
    const query = db
      .withRecursive('busy', (q) => q.selectFrom('flights').select('id'))
      .with('flights', (q) => q.selectFrom('airports').select('code as id'))
      .selectFrom('busy')
      .selectAll()
    expect(await tablesOf(query)).toEqual(['airports', 'flights'])
  })
})

test.each<[string, RawBuilder<unknown>]>([
  ['of one of the tables that it names', sql`with x as (select 1 as id) delete f from flights f join x`],
  ['of several', sql`with x as (select 1) delete f, \`a\`.* from flights f join airports a`],
  ['with modifiers', sql`with x as (select 1) delete low_priority ignore from flights`],
])("raw SQL behind a `with`: MySQL's delete %s is refused", async (_what, statement) => {
  const cache = new RecordingCache()
  await expect(statement.execute(invalidateOnWrite(mysqlCompiler(), cache))).rejects.toThrow(
    OpaqueStatementError,
  )
})

test('after `commit and chain` the next transaction is one: it invalidates after its own commit', async () => {
  const cache = new RecordingCache()
  const db = invalidateOnWrite(postgresCompiler(), cache)
  await db.connection().execute(async (one) => {
    await sql`begin`.execute(one)
    await one.deleteFrom('flights').execute()
    await sql`commit and chain`.execute(one)
    expect(cache.tables).toEqual(['flights'])

    await one.deleteFrom('airports').execute()
    expect(cache.tables).toEqual(['flights'])
    await sql`rollback and chain`.execute(one)
    await one.deleteFrom('ops.flights').execute()
    expect(cache.tables).toEqual(['flights'])
    await sql`commit and no chain`.execute(one)
    expect(cache.tables).toEqual(['flights', 'flights ops.flights'])

    await one.deleteFrom('airports').execute()
    expect(cache.tables).toEqual(['flights', 'flights ops.flights', 'airports'])
  })
})

test('going back to a savepoint forgets nothing that a database with one case keeps', async () => {
  const base = sqliteDatabase()
  await fill(base)
  const cache = new RecordingCache()
  const first = await invalidateOnWrite(base, cache).startTransaction().execute()
  const outer = await first.savepoint('A').execute()
  await outer.deleteFrom('flights').execute()
  const inner = await outer.savepoint('a').execute()
  // SQLite goes back to the latest of both.
  await (await inner.rollbackToSavepoint('A').execute()).commit().execute()
  expect(await base.selectFrom('flights').selectAll().execute()).toEqual([])
  expect(cache.tables).toEqual(['flights'])
  await base.destroy()
})

test('a namespace is refused where rows name a cache: its keys would be looked for in vain', async () => {
  const cache = createCache({ name: 'airline', ttl: '1m' })
  const base = sqliteDatabase()
  const part = cache.namespace('part') as never // its type is refused, too
  expect(() => relayOutbox({ db: base, cache: part })).toThrow('"cache"')
  expect(() => invalidateOnWrite(base, part)).toThrow('"cache"')
  const named = base.transaction().execute((trx) => invalidateAfterCommit(trx, { keys: ['a'], cache: part }))
  await expect(named).rejects.toThrow('"cache"')
  await base.destroy()
  await cache.close()
})
