import { type Cache, createCache } from '@stepladder/cache'
import {
  createOutboxTable,
  type Invalidates,
  invalidateAfterCommit,
  invalidateOnWrite,
  type OutboxRelay,
  relayOutbox,
} from '@stepladder/cache/kysely'
import { FakeClock, keyPrefix, RecordedReports, sharedPostgres, startRedis } from '@stepladder/core/testing'
import { type Kysely, sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fill, mysqlCompiler, postgresDatabase, sqliteDatabase, type Tables } from './kysely-database.ts'
import { RecordingCache } from './recording-cache.ts'

let url: string | undefined
async function postgresUrl(): Promise<string> {
  url ??= await (await sharedPostgres()).createDatabase()
  return url
}
afterAll(async () => {
  if (url) await (await sharedPostgres()).dropDatabase(url)
})

const databases: [string, () => Promise<Kysely<Tables>>][] = [
  ['SQLite', async () => sqliteDatabase()],
  ['Postgres', async () => postgresDatabase(await postgresUrl())],
]
type WithOutbox = Kysely<Tables & { stepladder_cache_outbox: Record<string, unknown> }>

const relays: OutboxRelay[] = []
/** One that looks once now, and then when the clock says so. */
function startRelay(
  options: Omit<Parameters<typeof relayOutbox>[0], 'clock'>,
  clock = new FakeClock(),
): OutboxRelay {
  const relay = relayOutbox({ ...options, clock })
  relays.push(relay)
  return relay
}
async function closeRelays(): Promise<void> {
  await Promise.all(relays.splice(0).map((relay) => relay.close()))
}

const eventually = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 10_000, interval: 10 })

describe.each(databases)('on %s', (kind, open) => {
  let base: WithOutbox
  let told: RecordingCache
  let db: Kysely<Tables>
  beforeEach(async () => {
    base = (await open()) as WithOutbox
    await fill(base)
    await base.schema.dropTable('stepladder_cache_outbox').ifExists().execute()
    await createOutboxTable(base)
    told = new RecordingCache()
    db = invalidateOnWrite(base, told)
  })
  afterEach(async () => {
    await closeRelays()
    await base.destroy()
  })

  const rows = () => base.selectFrom('stepladder_cache_outbox').selectAll().execute()
  /** As a crash right after the commit leaves it: due now. */
  const leaveRow = (keys: readonly string[], tags: readonly string[] = []) =>
    base.transaction().execute((trx) => invalidateAfterCommit(trx, { keys, tags, cache: told }))
  /** The second that a relay leaves to the process that wrote a row is over. */
  const endHeadStart = () => base.updateTable('stepladder_cache_outbox').set({ due_at: 0 }).execute()
  /** As if the process had been killed after its commit: the cache hears nothing. */
  const dead: Invalidates = {
    name: 'recording',
    invalidate: async () => {
      throw new Error('too late')
    },
  }

  test('the table may be made twice, and by two at a time', async () => {
    await createOutboxTable(base)
    await base.schema.dropTable('stepladder_cache_outbox').execute()
    await Promise.all([createOutboxTable(base), createOutboxTable(base)])
    expect(await rows()).toEqual([])
  })

  test('the process that commits tells its cache at once, and takes its row out again', async () => {
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('flights').set({ seats: 1 }).execute()
      await invalidateAfterCommit(trx, { keys: ['flight:1'], tags: ['sfo'] })
      expect(told.told).toEqual([])
    })
    expect(told.told).toEqual([{ keys: ['flight:1'], tags: ['table:flights', 'table:*.flights', 'sfo'] }])
    await eventually(async () => expect(await rows()).toEqual([]))
  })

  test('a crash between commit and invalidation leaves the row, and a relay delivers it', async () => {
    const killed = invalidateOnWrite(base, dead)
    await killed.transaction().execute((trx) => invalidateAfterCommit(trx, { keys: ['flight:1'] }))
    expect(await rows()).toHaveLength(1)
    await endHeadStart()
    const relay = startRelay({ db: base, cache: told })
    await eventually(async () => {
      expect(told.told).toEqual([{ keys: ['flight:1'], tags: [] }])
      expect(await relay.backlog()).toEqual({ rows: 0, oldestMs: 0 })
    })
  })

  test('what is rolled back is not delivered, nor what was after a savepoint', async () => {
    const rolledBack = db.transaction().execute(async (trx) => {
      await invalidateAfterCommit(trx, { keys: ['never'] })
      throw new Error('no')
    })
    await expect(rolledBack).rejects.toThrow('no')
    const trx = await invalidateOnWrite(base, dead).startTransaction().execute()
    await invalidateAfterCommit(trx, { keys: ['always'] })
    const inner = await trx.savepoint('inner').execute()
    await invalidateAfterCommit(inner, { keys: ['never'] })
    const back = await inner.rollbackToSavepoint('inner').execute()
    await back.commit().execute()
    expect((await rows()).map(({ invalidation }) => JSON.parse(String(invalidation)))).toEqual([
      { keys: ['always'], tags: [] },
    ])
    expect(told.told).toEqual([])
  })

  test('an instance that nobody watches writes rows for any cache, with the cache named', async () => {
    await base.transaction().execute(async (trx) => {
      await expect(invalidateAfterCommit(trx, { keys: ['a'] })).rejects.toThrow('"cache"')
      await invalidateAfterCommit(trx, { keys: ['a'], cache: told })
      await invalidateAfterCommit(trx, { keys: ['b'], cache: { name: 'other' } })
    })
    startRelay({ db: base, cache: told })
    await eventually(() => expect(told.told).toEqual([{ keys: ['a'], tags: [] }]))
    await eventually(async () => expect((await rows()).map(({ cache }) => cache)).toEqual(['other']))
  })

  test('with `outbox: true` every write leaves its row with it, in a transaction or alone', async () => {
    const killed = invalidateOnWrite(base, dead, { outbox: true })
    await killed.insertInto('airports').values({ code: 'LAX', name: 'x' }).execute()
    expect(await rows()).toHaveLength(1)
    await killed.transaction().execute((trx) => trx.deleteFrom('flights').execute())
    expect(await rows()).toHaveLength(2)
    await killed.connection().execute(async (one) => {
      await sql`begin`.execute(one)
      await one.deleteFrom('flights').execute()
      await sql`commit`.execute(one)
    })
    expect(await rows()).toHaveLength(3)
    const failing = killed.insertInto('airports').values({ code: 'LAX', name: 'again' }).execute()
    await expect(failing).rejects.toThrow()
    await expect(killed.selectFrom('airports').selectAll().execute()).resolves.toHaveLength(2)
    expect(await rows()).toHaveLength(3)
    await endHeadStart()
    startRelay({ db: base, cache: told })
    await eventually(async () => {
      expect(new Set(told.tables.flatMap((tables) => tables.split(' ')))).toEqual(
        new Set(['airports', 'flights']),
      )
      expect(await rows()).toEqual([])
    })
  })

  test('with `outbox: true` a write without the table is not done', async () => {
    await base.schema.dropTable('stepladder_cache_outbox').execute()
    const durable = invalidateOnWrite(base, told, { outbox: true })
    await expect(durable.deleteFrom('flights').execute()).rejects.toThrow('stepladder_cache_outbox')
    const inTransaction = durable.transaction().execute((trx) => trx.deleteFrom('flights').execute())
    await expect(inTransaction).rejects.toThrow('stepladder_cache_outbox')
    expect(await base.selectFrom('flights').selectAll().execute()).toHaveLength(3)
  })

  test('rows stay while the cache cannot be told, and how many and how old is reported', async () => {
    await leaveRow(['a'])
    await leaveRow(['b'])
    told.answer = 'queued'
    const reports = new RecordedReports()
    const clock = new FakeClock()
    const relay = startRelay({ db: base, cache: told, report: reports.report }, clock)
    const { cause, component, name } = await reports.until('outbox', 'waiting')
    expect({ component, name, cause }).toMatchObject({
      ...{ component: 'cache', name: 'recording' },
      cause: { code: 'OUTBOX_BACKLOG', rows: 2, oldestMs: expect.any(Number) },
    })
    expect((await relay.backlog()).rows).toBe(2)
    told.answer = 'done'
    await eventually(async () => {
      await clock.advance(1_000)
      expect(await rows()).toEqual([])
    })
    expect(reports.outcomes('outbox')).toContain('delivered')
  })

  test('a database that fails is reported, and asked again', async () => {
    await base.schema.dropTable('stepladder_cache_outbox').execute()
    const reports = new RecordedReports()
    const clock = new FakeClock()
    startRelay({ db: base, cache: told, report: reports.report }, clock)
    await reports.until('outbox', 'failed')
    await createOutboxTable(base)
    await leaveRow(['a'])
    await eventually(async () => {
      await clock.advance(1_000)
      expect(told.told).toEqual([{ keys: ['a'], tags: [] }])
    })
  })

  test('batches are bounded, and follow each other at once', async () => {
    for (let index = 0; index < 25; index++) await leaveRow([`k${index}`])
    startRelay({ db: base, cache: told, batch: 10 })
    await eventually(async () => expect(await rows()).toEqual([]))
    expect(told.told.map(({ keys }) => keys.length)).toEqual([10, 10, 5])
  })

  test('more names than a cache can be told at a time are delivered all the same', async () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `k${index}`)
    await leaveRow(keys, ['sfo'])
    // As one whose budget is over before it has told Redis all of them.
    const slow = {
      name: 'recording',
      clear: async () => 'queued' as const,
      invalidate: async (some: { readonly keys: readonly string[]; readonly tags: readonly string[] }) => {
        if (some.keys.length + some.tags.length > 2_000) return 'queued'
        return told.invalidate(some)
      },
    }
    startRelay({ db: base, cache: slow })
    await eventually(async () => expect(await rows()).toEqual([]))
    expect(told.told.flatMap((some) => some.keys).toSorted()).toEqual(keys.toSorted())
    expect(told.told.flatMap((some) => some.tags)).toEqual(['sfo'])
  })

  test('a relay leaves a row for a second to the process that wrote it', async () => {
    await invalidateOnWrite(base, dead)
      .transaction()
      .execute((trx) => invalidateAfterCommit(trx, { keys: ['a'] }))
    const [row] = await rows()
    expect(Number(row?.due_at) - Number(row?.created_at)).toBe(1_000)
    const reports = new RecordedReports()
    await leaveRow(['b'])
    startRelay({ db: base, cache: told, report: reports.report })
    await reports.until('outbox', 'delivered')
    expect(told.told).toEqual([{ keys: ['b'], tags: [] }])
  })

  test('a relay may work through the watched instance: emptying the outbox does not fill it', async () => {
    const durable = invalidateOnWrite(base, told, { outbox: true })
    await leaveRow(['a'])
    startRelay({ db: durable, cache: told })
    await eventually(async () => expect(await rows()).toEqual([]))
    expect(told.told).toEqual([{ keys: ['a'], tags: [] }])
  })

  test('a relay that is told by a function looks at once; one that cannot listen polls', async () => {
    let tell = () => {}
    let isOver = false
    const listen = async (wake: () => void) => {
      tell = wake
      return () => {
        isOver = true
      }
    }
    const relay = startRelay({ db: base, cache: told, listen })
    await eventually(() => expect(tell).not.toThrow())
    await leaveRow(['a'])
    tell()
    await eventually(() => expect(told.told).toEqual([{ keys: ['a'], tags: [] }]))
    await relay.close()
    expect(isOver).toBe(true)

    const reports = new RecordedReports()
    const clock = new FakeClock()
    const deaf = async () => {
      throw new Error('no LISTEN here')
    }
    startRelay({ db: base, cache: told, listen: deaf, report: reports.report }, clock)
    await reports.until('outbox', 'failed')
    await leaveRow(['b'])
    await eventually(async () => {
      await clock.advance(1_000)
      expect(told.told.at(-1)).toEqual({ keys: ['b'], tags: [] })
    })
  })

  test('two relays share the rows: each is delivered by one of them', async () => {
    for (let index = 0; index < 40; index++) await leaveRow([`k${index}`])
    const slow = new RecordingCache()
    const two = { name: 'recording', clear: async () => 'done' as const }
    const tell = (to: RecordingCache) => ({
      ...two,
      invalidate: async (invalidation: Parameters<Invalidates['invalidate']>[0]) => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        return to.invalidate(invalidation)
      },
    })
    startRelay({ db: base, cache: tell(told), batch: 5 })
    startRelay({ db: base, cache: tell(slow), batch: 5 })
    await eventually(async () => expect(await rows()).toEqual([]))
    const keys = [...told.told, ...slow.told].flatMap((one) => one.keys)
    expect(keys.length).toBe(40)
    expect(new Set(keys).size).toBe(40)
  })

  test('a relay that is killed while it delivers leaves its rows to another', async () => {
    await leaveRow(['a'])
    let isHanging = false
    const hanging = {
      ...{ name: 'recording', clear: () => new Promise<'done'>(() => {}) },
      invalidate: () => {
        isHanging = true
        return new Promise<'done'>(() => {})
      },
    }
    // Of its own: on Postgres its connection ends with the process.
    const other = kind === 'Postgres' ? postgresDatabase(await postgresUrl()) : base
    relayOutbox({ db: other, cache: hanging, clock: new FakeClock() })
    await eventually(() => expect(isHanging).toBe(true))
    const clock = new FakeClock()
    startRelay({ db: base, cache: told }, clock)
    if (kind === 'Postgres') {
      expect(told.told).toEqual([])
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where state = 'idle in transaction' and datname = current_database()`.execute(base)
    } else {
      await endHeadStart() // its claim ends by the same column
    }
    await eventually(async () => {
      await clock.advance(1_000)
      expect(told.told).toEqual([{ keys: ['a'], tags: [] }])
      expect(await rows()).toEqual([])
    })
  })

  test('a row that cannot be understood clears the cache: it may have meant anything', async () => {
    const row = { id: 'x', cache: 'recording', created_at: 1, due_at: 1 }
    await base
      .insertInto('stepladder_cache_outbox')
      .values({ ...row, invalidation: '{"what":1}' })
      .execute()
    await base
      .insertInto('stepladder_cache_outbox')
      .values({ ...row, id: 'y', invalidation: JSON.stringify({ keys: [''], tags: [] }) })
      .execute()
    startRelay({ db: base, cache: told, batch: 1 })
    await eventually(async () => expect(await rows()).toEqual([]))
    expect(told.cleared).toBe(2)
  })

  test('a row of a clock that runs far ahead is delivered all the same', async () => {
    const far = Date.now() + 3_600_000
    await base
      .insertInto('stepladder_cache_outbox')
      .values({
        id: 'x',
        cache: 'recording',
        created_at: far,
        due_at: far,
        invalidation: '{"keys":["a"],"tags":[]}',
      })
      .execute()
    startRelay({ db: base, cache: told })
    await eventually(() => expect(told.told).toEqual([{ keys: ['a'], tags: [] }]))
  })

  test('many names become as many rows as it takes', async () => {
    const keys = Array.from({ length: 2_000 }, (_, index) => `flight:${index}:${'x'.repeat(50)}`)
    await leaveRow(keys, ['tag'])
    const lengths = (await rows()).map(({ invalidation }) => String(invalidation).length)
    expect(Math.max(...lengths)).toBeLessThan(65_535)
    startRelay({ db: base, cache: told })
    await eventually(async () => expect(await rows()).toEqual([]))
    expect(new Set(told.told.flatMap((one) => one.keys))).toEqual(new Set(keys))
  })

  test('wrong use is refused by name', async () => {
    await expect(invalidateAfterCommit(base, { keys: ['a'] })).rejects.toThrow('"trx"')
    await db.transaction().execute(async (trx) => {
      await expect(invalidateAfterCommit(trx, { keys: [''] })).rejects.toMatchObject({ code: 'INVALID_KEY' })
      await expect(invalidateAfterCommit(trx, { key: 'a' } as never)).rejects.toThrow('"keys"')
    })
    expect(() => relayOutbox({ db: base, cache: told, poll: 1 })).toThrow('"poll"')
    expect(() => relayOutbox({ db: base, cache: told, batch: 0 })).toThrow('"batch"')
    expect(() => relayOutbox({ db: base, cache: told, table: 'a b' })).toThrow('"table"')
    expect(() => relayOutbox({ db: base, cache: {} as never })).toThrow('"cache"')
    expect(() => relayOutbox({ db: {} as never, cache: told })).toThrow('"db"')
  })
})

test('MySQL is asked in its own words', async () => {
  const sent: string[] = []
  const mysql = mysqlCompiler((text) => sent.push(text))
  await createOutboxTable(mysql)
  const relay = relayOutbox({ db: mysql, cache: new RecordingCache(), clock: new FakeClock() })
  await eventually(() => expect(sent.at(-1)).toContain('for update skip locked'))
  await relay.close()
  expect(sent[0]).toBe(
    'create table if not exists `stepladder_cache_outbox` (`id` varchar(36) primary key, `cache` varchar(64) not null, ' +
      '`invalidation` text not null, `created_at` bigint not null, `due_at` bigint not null)',
  )
  await expect(createOutboxTable(mysql, { notify: true })).rejects.toThrow('"notify"')
})

test('a relay that listens on Postgres delivers at the commit, without a poll', async () => {
  const base = postgresDatabase(await postgresUrl())
  await base.schema.dropTable('stepladder_cache_outbox').ifExists().execute()
  await createOutboxTable(base, { notify: true })
  await createOutboxTable(base, { notify: true })
  const client = new Client({ connectionString: await postgresUrl() })
  await client.connect()
  const cache = new RecordingCache()
  // A clock that stands still never polls.
  const relay = relayOutbox({ db: base, cache, listen: client, clock: new FakeClock() })
  await eventually(async () => {
    const { rows } =
      await sql`select 1 from pg_stat_activity where query like 'LISTEN%' and datname = current_database()`.execute(
        base,
      )
    expect(rows).toHaveLength(1)
  })
  await base.transaction().execute((trx) => invalidateAfterCommit(trx, { keys: ['a'], cache }))
  await eventually(() => expect(cache.told).toEqual([{ keys: ['a'], tags: [] }]))
  await relay.close()
  await client.end()
  await base.destroy()
})

test('Redis away: the write goes through, the row stays, and is delivered when Redis is back', async () => {
  await using redis = await startRedis()
  const base = sqliteDatabase()
  await fill(base)
  await createOutboxTable(base)
  const cache: Cache = createCache({ name: keyPrefix('outbox'), ttl: '1m', redis: redis.url })
  const db = invalidateOnWrite(base, cache, { outbox: true })
  const relay = relayOutbox({ db: base, cache, poll: 50 })
  await cache.getOrSet('warm', async () => 1)
  await redis.freeze()
  await db.updateTable('flights').set({ seats: 3 }).execute()
  expect(await db.selectFrom('flights').select('seats').executeTakeFirst()).toEqual({ seats: 3 })
  expect((await relay.backlog()).rows).toBe(1)
  await redis.thaw()
  await eventually(async () => expect((await relay.backlog()).rows).toBe(0))
  await relay.close()
  await cache.close()
  await db.destroy()
})
