import { invalidateAfterCommit, invalidateOnWrite } from '@stepladder/cache/kysely'
import { sharedPostgres } from '@stepladder/core/testing'
import { type Kysely, sql } from 'kysely'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fill, postgresDatabase, sqliteDatabase, type Tables } from './kysely-database.ts'
import { RecordingCache } from './recording-cache.ts'

let url: string | undefined
async function postgresUrl(): Promise<string> {
  url ??= await (await sharedPostgres()).createDatabase()
  return url
}
afterAll(async () => {
  if (url) await (await sharedPostgres()).dropDatabase(url)
})

// One connection each: whoever waits for another waits for ever.
describe.each<[string, () => Promise<Kysely<Tables>>]>([
  ['SQLite', async () => sqliteDatabase()],
  ['Postgres', async () => postgresDatabase(await postgresUrl(), 1)],
])('on one connection of %s', (kind, open) => {
  let told: RecordingCache
  let db: Kysely<Tables>
  beforeEach(async () => {
    const base = await open()
    await fill(base)
    told = new RecordingCache()
    db = invalidateOnWrite(base, told)
  })
  afterEach(() => db.destroy())

  const isThere = async (on: Kysely<Tables>) => (await on.selectFrom('flights').select('id').execute()).length

  test('transactions and statements follow each other, and each invalidates at its end', async () => {
    await db.connection().execute(async (one) => {
      expect(await isThere(one)).toBe(3)
      await one.transaction().execute(async (trx) => {
        await trx.deleteFrom('flights').where('id', '=', 1).execute()
        expect(told.tables).toEqual([])
      })
      expect(told.tables).toEqual(['flights'])
      await one.deleteFrom('airports').execute()
      expect(told.tables).toEqual(['flights', 'airports'])

      const undone = one.transaction().execute(async (trx) => {
        await trx.deleteFrom('flights').execute()
        throw new Error('no')
      })
      await expect(undone).rejects.toThrow('no')
      const controlled = await one.startTransaction().execute()
      await controlled.deleteFrom('flights').where('id', '=', 2).execute()
      await controlled.commit().execute()
      expect(told.tables).toEqual(['flights', 'airports', 'flights'])
      expect(await isThere(one)).toBe(1)
    })
    expect(await isThere(db)).toBe(1)
  })

  test('what SQL began after a transaction, and nobody ended, invalidates when the connection goes back', async () => {
    await db.connection().execute(async (one) => {
      await one.transaction().execute((trx) => trx.deleteFrom('airports').execute())
      await sql`begin`.execute(one)
      await one.deleteFrom('flights').execute()
    })
    expect(told.tables).toEqual(['airports', 'flights'])
    await sql`commit`.execute(db)
  })

  test('what a transaction that was rolled back asked for is asked no more', async () => {
    await db.connection().execute(async (one) => {
      const trx = await one.startTransaction().execute()
      await invalidateAfterCommit(trx, { keys: ['a'] })
      await trx.rollback().execute()
      await one.deleteFrom('airports').execute() // with an outbox it would fail: there is none
    })
    expect(told.told).toEqual([{ keys: [], tags: ['table:airports', 'table:*.airports'] }])
  })

  if (kind === 'Postgres') {
    test('it is the same connection all along: what it has locked stays locked, and what it has set is set', async () => {
      const idOf = async (on: Kysely<Tables>) => {
        const { rows } = await sql<{ id: number }>`select pg_backend_pid() as id`.execute(on)
        return rows[0]!.id
      }
      const wide = postgresDatabase(await postgresUrl())
      const ids = await invalidateOnWrite(wide, told)
        .connection()
        .execute(async (one) => [
          await one.transaction().execute(idOf),
          await idOf(one),
          await one.transaction().execute(idOf),
        ])
      expect(new Set(ids).size).toBe(1)
      await wide.destroy()
    })
  }
})
