import { type SharedPostgres, sharedPostgres } from '@stepladder/core/testing'
import { bucketSql, createShards, placeBuckets } from '@stepladder/shard'
import { testSqlTwin } from '@stepladder/shard/testing'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresShard } from './postgres-shard.ts'

let postgres: SharedPostgres
const databases: string[] = []
beforeAll(async () => {
  postgres = await sharedPostgres()
  databases.push(...(await Promise.all([1, 2, 3].map(() => postgres.createDatabase()))))
})
afterAll(() => Promise.all(databases.map((url) => postgres.dropDatabase(url))))

async function connect() {
  const client = new Client({ connectionString: databases[0] })
  await client.connect()
  return {
    query: async (text: string): Promise<Record<string, unknown>[]> => (await client.query(text)).rows,
    close: () => client.end(),
  }
}

describe('the same key finds the same shard in SQL', () => {
  testSqlTwin('Postgres', connect, { test })

  test('control: a server that hashes otherwise fails that contract, for every key type', async () => {
    const open = async () => {
      const { query, close } = await connect()
      return { query: (text: string) => query(text.replace(', 0) &', ', 1) &')), close }
    }
    const runs: (() => Promise<void>)[] = []
    testSqlTwin('Another seed', open, { test: (_title, run) => runs.push(run) })

    expect(runs).toHaveLength(3)
    for (const run of runs) await expect(run()).rejects.toThrow('keys have another bucket there')
  })

  test('control: a text key hashed as a number finds another bucket', async () => {
    const { query, close } = await connect()
    const shards = createShards({ shards: { only: { destroy: close } }, key: 'text' })
    const [row] = await query(`select ${bucketSql('bigint', 4096, "'42'")} as bucket`)
    expect(row?.bucket).not.toBe(shards.bucketOf('42'))
    await close()
  })

  test('also where the column has a collation that ignores case', async () => {
    const { query, close } = await connect()
    const shards = createShards({ shards: { only: { destroy: close } }, key: 'text' })
    await query(`create collation caseless
      (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`)
    const [row] = await query(`
      select ${shards.bucketSql('name')} as bucket, (hashtextextended(name, 0) & 4095)::int as control
      from (values ('Ada' collate caseless)) as customer(name)`)

    expect(row?.bucket).toBe(shards.bucketOf('Ada'))
    expect(row?.control).not.toBe(shards.bucketOf('Ada'))
    await close()
  })

  test('the expression can be indexed, so that one bucket is found without reading the table', async () => {
    const { query, close } = await connect()
    const bucket = { text: bucketSql('text', 4096, 't'), uuid: bucketSql('uuid', 4096, 'u') }
    await query(`
      create table customers as
        select i::text as t, gen_random_uuid() as u from generate_series(1, 20000) as i;
      create index by_text on customers (${bucket.text});
      create index by_uuid on customers (${bucket.uuid});
      analyze customers`)

    for (const [type, index] of [
      ['text', 'by_text'],
      ['uuid', 'by_uuid'],
    ] as const) {
      const plan = await query(`explain select * from customers where ${bucket[type]} = 17`)
      expect(JSON.stringify(plan)).toContain(index)
    }
    await close()
  })
})

test('every row written through for() lies, by its own SQL, in a bucket that its shard owns', async () => {
  const placement = placeBuckets({ shards: { eu: 3, us: 1 }, buckets: 64 })
  const shards = createShards({
    shards: {
      eu: await postgresShard(databases[1]!),
      us: await postgresShard(databases[2]!),
    },
    key: 'text',
    placement,
    ownsDatabases: true,
  })
  for (let id = 0; id < 400; id++) {
    const customer = `Zoë ${id}`
    await shards.for(customer).insertInto('bookings').values({ id, customer }).execute()
  }

  const bucketsOn = (
    await shards.all((db) =>
      db
        .selectFrom('bookings')
        .select(sql<number>`${sql.raw(shards.bucketSql('customer'))}`.as('bucket'))
        .execute(),
    )
  ).map((rows) => rows.map(({ bucket }) => bucket))

  expect(placement.shards).toEqual({ eu: '0-47', us: '48-63' })
  expect(bucketsOn.flat()).toHaveLength(400)
  expect(bucketsOn[0]?.every((bucket) => bucket <= 47)).toBe(true)
  expect(bucketsOn[1]?.every((bucket) => bucket >= 48)).toBe(true)
  await shards.close()
})
