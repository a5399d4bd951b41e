import { type Cache, createCache } from '@stepladder/cache'
import { cached, cachedFirst, invalidateOnWrite } from '@stepladder/cache/kysely'
import { keyPrefix, sharedPostgres, sharedRedis } from '@stepladder/core/testing'
import { type DatabaseConnection, DummyDriver, type Kysely, sql } from 'kysely'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fill, postgresCompiler, postgresDatabase, sqliteDatabase, type Tables } from './kysely-database.ts'
import { RecordingCache } from './recording-cache.ts'

const databases: [string, () => Promise<Kysely<Tables>>][] = [
  ['SQLite', async () => sqliteDatabase()],
  ['Postgres', async () => postgresDatabase(await postgresUrl())],
]

let url: string | undefined
async function postgresUrl(): Promise<string> {
  url ??= await (await sharedPostgres()).createDatabase()
  return url
}
afterAll(async () => {
  if (url) await (await sharedPostgres()).dropDatabase(url)
})

describe.each(databases)('on %s', (kind, open) => {
  let base: Kysely<Tables>
  let cache: Cache
  let db: Kysely<Tables>
  /** The watched instance again, with a cache that keeps what it is told. */
  let watched: Kysely<Tables>
  let told: RecordingCache
  beforeEach(async () => {
    base = await open()
    await fill(base)
    cache = createCache({ name: keyPrefix('kysely'), ttl: '1m' })
    db = invalidateOnWrite(base, cache)
    told = new RecordingCache()
    watched = invalidateOnWrite(base, told)
  })
  afterEach(async () => {
    await cache.close()
    await db.destroy()
  })

  const seatsOf = (from: Kysely<Tables>, id = 1) =>
    from.selectFrom('flights').select('seats').where('id', '=', id)
  const read = async (from = db) => (await cachedFirst(cache, seatsOf(from)))?.seats
  const setSeats = (to: Kysely<Tables>, seats: number) =>
    to.updateTable('flights').set({ seats }).where('id', '=', 1).execute()

  test('a query is asked once, and again when its table was written', async () => {
    expect(await read()).toBe(10)
    await setSeats(base, 9) // past the watched instance
    expect(await read()).toBe(10)
    expect(await cached(cache, seatsOf(db))).toEqual([{ seats: 10 }])
    await setSeats(db, 8)
    expect(await read()).toBe(8)
  })

  test('a write to another table leaves it', async () => {
    await read()
    await setSeats(base, 9)
    await db.updateTable('airports').set({ name: 'x' }).execute()
    expect(await read()).toBe(10)
    expect(
      await cachedFirst(cache, db.selectFrom('flights').selectAll().where('id', '=', 99)),
    ).toBeUndefined()
  })

  test('a transaction invalidates once, after its commit', async () => {
    await read()
    const seen: unknown[] = []
    await db.transaction().execute(async (trx) => {
      await setSeats(trx, 5)
      if (kind === 'Postgres') seen.push(await read())
    })
    expect(seen).toEqual(kind === 'Postgres' ? [10] : [])
    expect(await read()).toBe(5)

    await watched.transaction().execute(async (trx) => {
      for (let seats = 0; seats < 5; seats++) await setSeats(trx, seats)
      await trx.deleteFrom('airports').execute()
      expect(told.tables).toEqual([])
    })
    expect(told.tables).toEqual(['airports flights'])
  })

  test('a transaction that is rolled back invalidates nothing', async () => {
    const rolledBack = watched.transaction().execute(async (trx) => {
      await setSeats(trx, 5)
      throw new Error('no')
    })
    await expect(rolledBack).rejects.toThrow('no')
    expect(told.tables).toEqual([])
    expect(await seatsOf(base).executeTakeFirst()).toEqual({ seats: 10 })
  })

  test('a query in a transaction is neither served from the cache nor kept', async () => {
    await read()
    await db
      .transaction()
      .execute(async (trx) => {
        await setSeats(trx, 5)
        expect(await read(trx)).toBe(5)
        expect(await read(trx.withSchema(kind === 'Postgres' ? 'public' : 'main'))).toBe(5)
        expect(await read(trx.withoutPlugins())).toBe(5)
        throw new Error('no')
      })
      .catch(() => {})
    expect(await read()).toBe(10)
    await db.connection().execute(async (one) => {
      await setSeats(one, 6)
      expect(await read(one)).toBe(6)
    })
    expect(await read()).toBe(6)
  })

  test('a transaction that is controlled step by step', async () => {
    const committed = await watched.startTransaction().execute()
    await setSeats(committed, 5)
    expect(await cachedFirst(cache, seatsOf(committed))).toEqual({ seats: 5 })
    expect(told.tables).toEqual([])
    await committed.commit().execute()
    expect(committed.isCommitted).toBe(true)
    expect(told.tables).toEqual(['flights'])
    await expect(setSeats(committed, 6)).rejects.toThrow('already committed')

    const rolledBack = await watched.startTransaction().execute()
    await setSeats(rolledBack, 7)
    await rolledBack.rollback().execute()
    expect(rolledBack.isRolledBack).toBe(true)
    expect(told.tables).toEqual(['flights'])
    expect(await seatsOf(base).executeTakeFirst()).toEqual({ seats: 5 })
  })

  test('what was rolled back to a savepoint is not invalidated', async () => {
    const trx = await watched.startTransaction().execute()
    await trx.updateTable('airports').set({ name: 'x' }).execute()
    const first = await trx.savepoint('first').execute()
    await setSeats(first, 5)
    const second = await first.savepoint('second').execute()
    await setSeats(second, 4)
    await second.releaseSavepoint('second').execute()
    const back = await first.rollbackToSavepoint('first').execute()
    await back.commit().execute()
    expect(told.tables).toEqual(['airports'])

    const kept = await watched.startTransaction().execute()
    const inner = await kept.savepoint('inner').execute()
    await setSeats(inner, 3)
    await inner.releaseSavepoint('inner').execute()
    await kept.commit().execute()
    expect(told.tables).toEqual(['airports', 'flights'])
  })

  test('a transaction of raw SQL on one connection', async () => {
    await watched.connection().execute(async (one) => {
      await sql`begin`.execute(one)
      await setSeats(one, 5)
      await sql`savepoint here`.execute(one)
      await sql`rollback to here`.execute(one)
      expect(told.tables).toEqual([])
      await sql`COMMIT`.execute(one)
      expect(told.tables).toEqual(['flights'])
      await sql`begin`.execute(one)
      await setSeats(one, 4)
      await sql`rollback`.execute(one)
      await one.deleteFrom('airports').execute()
    })
    expect(told.tables).toEqual(['flights', 'airports'])
  })

  test('a statement that fails invalidates as well, since it may have been done', async () => {
    const twice = watched.insertInto('flights').values({ id: 1, airport: 'SFO', seats: 1 }).execute()
    await expect(twice).rejects.toThrow()
    expect(told.tables).toEqual(['flights'])
  })

  test('the instance is what it was', async () => {
    expect(db).toBeInstanceOf(base.constructor)
    expect(db.isTransaction).toBe(false)
    expect((await db.introspection.getTables()).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['flights']),
    )
    const inserted = db.insertInto('flights').values({ id: 7, airport: 'LAX', seats: 1 }).returningAll()
    expect(await inserted.executeTakeFirstOrThrow()).toEqual({ id: 7, airport: 'LAX', seats: 1 })
    const isolated = db.transaction().setIsolationLevel('serializable')
    if (kind === 'Postgres') {
      expect(
        await isolated.execute((trx) => sql<object>`show transaction isolation level`.execute(trx)),
      ).toMatchObject({
        rows: [{ transaction_isolation: 'serializable' }],
      })
      const cut = seatsOf(db).execute({ signal: AbortSignal.abort(new Error('cut')) })
      await expect(cut).rejects.toThrow('cut')
      expect(await seatsOf(db).execute({ signal: new AbortController().signal })).toEqual([{ seats: 10 }])
    }
  })

  test('many transactions and reads at a time do not hold each other up', async () => {
    const all = Array.from({ length: 30 }, async (_, id) => {
      await db.transaction().execute((trx) => setSeats(trx, id))
      await read()
    })
    await Promise.all(all)
    expect(await read()).toBe((await seatsOf(base).executeTakeFirstOrThrow()).seats)
  })
})

test('a write in one process is seen by a cached read in another within a second', async () => {
  const redis = await sharedRedis()
  const name = keyPrefix('kysely')
  const base = sqliteDatabase()
  await fill(base)
  const caches = [1, 2].map(() => createCache({ name, ttl: '1m', redis: redis.url, readBudget: '5s' }))
  const [here, there] = caches as [Cache, Cache]
  const seats = (cache: Cache) => {
    const db = invalidateOnWrite(base, cache)
    return cachedFirst(cache, db.selectFrom('flights').select('seats').where('id', '=', 1))
  }
  expect([await seats(here), await seats(there)]).toEqual([{ seats: 10 }, { seats: 10 }])
  await invalidateOnWrite(base, here).updateTable('flights').set({ seats: 3 }).execute()
  expect(await seats(here)).toEqual({ seats: 3 })
  await vi.waitFor(async () => expect(await seats(there)).toEqual({ seats: 3 }), {
    timeout: 1_000,
    interval: 5,
  })
  await Promise.all(caches.map((cache) => cache.close()))
  await base.destroy()
})

test('a load that a transaction overtook is not kept', async () => {
  const base = sqliteDatabase()
  await fill(base)
  const cache = createCache({ name: keyPrefix('kysely'), ttl: '1m' })
  const db = invalidateOnWrite(base, cache)
  const query = () => db.selectFrom('flights').select('seats').where('id', '=', 1)
  const compiled = query()
  const hasRead = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const slow = {
    compile: () => compiled.compile(),
    execute: async () => {
      const rows = await compiled.execute()
      hasRead.resolve()
      await held.promise
      return rows
    },
  }
  const overtaken = cachedFirst(cache, slow)
  await hasRead.promise
  await db.transaction().execute((trx) => trx.updateTable('flights').set({ seats: 3 }).execute())
  const after = cachedFirst(cache, query())
  held.resolve()
  expect(await overtaken).toEqual({ seats: 10 })
  expect(await after).toEqual({ seats: 3 })
  expect(await cachedFirst(cache, query())).toEqual({ seats: 3 })
  await cache.close()
  await db.destroy()
})

test('a stream of a write invalidates when it ends, also half way and by a failure', async () => {
  class Streaming extends DummyDriver {
    override async acquireConnection(): Promise<DatabaseConnection> {
      return {
        executeQuery: async () => ({ rows: [] }),
        async *streamQuery<R>() {
          for (const id of [1, 2]) yield { rows: [{ id } as R] } // whatever the query says
          throw new Error('no more')
        },
      }
    }
  }
  const told = new RecordingCache()
  const db = invalidateOnWrite(postgresCompiler(new Streaming()), told)
  const stream = () => db.updateTable('flights').set({ seats: 1 }).returning('id').stream()
  for await (const { id } of stream()) {
    expect(id).toBe(1)
    expect(told.tables).toEqual([])
    break
  }
  expect(told.tables).toEqual(['flights'])
  const ids: number[] = []
  const all = async () => {
    for await (const { id } of stream()) ids.push(id)
  }
  await expect(all()).rejects.toThrow('no more')
  expect(ids).toEqual([1, 2])
  expect(told.tables).toEqual(['flights', 'flights'])
})

describe('the control arms, on Postgres:', () => {
  const seats = (db: Kysely<Tables>) => db.selectFrom('flights').select('seats').where('id', '=', 1)
  const setUp = async () => {
    const base = postgresDatabase(await postgresUrl())
    await fill(base)
    const cache = createCache({ name: keyPrefix('kysely'), ttl: '1m' })
    /** As one would write it by hand, with nothing that watches. */
    const naive = (db: Kysely<Tables>) =>
      cache.getOrSet(seats(db).compile().sql, () => seats(db).executeTakeFirst(), { tags: ['flights'] })
    return { base, cache, naive }
  }

  test('invalidated at the statement and not at the commit, the old value stays', async () => {
    const { base, cache, naive } = await setUp()
    await base.transaction().execute(async (trx) => {
      await trx.updateTable('flights').set({ seats: 3 }).execute()
      await cache.invalidate({ tags: ['flights'] })
      await naive(base)
    })
    expect(await naive(base)).toEqual({ seats: 10 })
    expect(await seats(base).executeTakeFirst()).toEqual({ seats: 3 })

    const db = invalidateOnWrite(base, cache)
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('flights').set({ seats: 4 }).execute()
      await cachedFirst(cache, seats(db))
    })
    expect(await cachedFirst(cache, seats(db))).toEqual({ seats: 4 })
    await cache.close()
    await db.destroy()
  })

  test('cached in a transaction that is rolled back, what never was stays', async () => {
    const { base, cache, naive } = await setUp()
    const attempt = (db: Kysely<Tables>, read: (trx: Kysely<Tables>) => Promise<unknown>) =>
      db
        .transaction()
        .execute(async (trx) => {
          await trx.updateTable('flights').set({ seats: 3 }).execute()
          expect(await read(trx)).toEqual({ seats: 3 })
          throw new Error('no')
        })
        .catch(() => {})
    await attempt(base, naive)
    expect(await naive(base)).toEqual({ seats: 3 })

    const db = invalidateOnWrite(base, cache)
    await attempt(db, (trx) => cachedFirst(cache, seats(trx)))
    expect(await cachedFirst(cache, seats(db))).toEqual({ seats: 10 })
    await cache.close()
    await db.destroy()
  })
})

describe('on Postgres', () => {
  test('a commit that fails invalidates as well, since it may have been done', async () => {
    const base = postgresDatabase(await postgresUrl())
    await fill(base)
    await base.deleteFrom('flights').where('id', '>', 1).execute()
    await sql`alter table flights add constraint few unique (seats) deferrable initially deferred`.execute(
      base,
    )
    const told = new RecordingCache()
    const db = invalidateOnWrite(base, told)
    const failing = db
      .transaction()
      .execute((trx) => trx.insertInto('flights').values({ id: 5, airport: 'SFO', seats: 10 }).execute())
    await expect(failing).rejects.toThrow()
    expect(told.tables).toEqual(['flights'])
    await db.destroy()
  })

  test('after a transaction that lost its connection the pool goes on', async () => {
    const base = postgresDatabase(await postgresUrl())
    await fill(base)
    const told = new RecordingCache()
    const db = invalidateOnWrite(base, told)
    const cut = db.transaction().execute(async (trx) => {
      await trx.deleteFrom('flights').execute()
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx)
      await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(base)
    })
    await expect(cut).rejects.toThrow()
    expect(await db.selectFrom('flights').selectAll().execute()).toHaveLength(3)
    await db.destroy()
  })
})
