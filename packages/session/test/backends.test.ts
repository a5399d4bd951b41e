import {
  keyPrefix,
  type SharedPostgres,
  sharedPostgres,
  sharedRedis,
  startRedisCluster,
} from '@stepladder/core/testing'
import { KyselySessionBackend, MemorySessionBackend, RedisSessionBackend } from '@stepladder/session'
import {
  type MakeSessionBackend,
  testExpiryIndex,
  testSessionBackend,
  testUserIndex,
} from '@stepladder/session/testing'
import { Cluster, Redis } from 'ioredis'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresDatabase } from './postgres-database.ts'
import { sqliteDatabase } from './sqlite-database.ts'

function testBackend(name: string, make: MakeSessionBackend): void {
  testSessionBackend(name, make, { test })
  testUserIndex(name, make, { test })
  testExpiryIndex(name, make, { test })
}

testBackend('MemorySessionBackend', () => new MemorySessionBackend())

testBackend('KyselySessionBackend on SQLite', () => new KyselySessionBackend({ database: sqliteDatabase() }))

describe('on Redis', () => {
  let url: string
  beforeAll(async () => {
    url = (await sharedRedis()).url
  })

  // A prefix full of what SCAN would take for a pattern.
  testBackend(
    'RedisSessionBackend',
    () => new RedisSessionBackend({ redis: url, prefix: `${keyPrefix()}[*?]\\:` }),
  )

  test('a script that Redis has forgotten is sent again', async () => {
    const backend = new RedisSessionBackend({ redis: url, prefix: keyPrefix() })
    const client = new Redis(url)
    await backend.put('ada', '{}', 1_000)
    await backend.replace('ada', '{}', '{"n":1}', 1_000)
    await client.script('FLUSH')

    expect(await backend.replace('ada', '{"n":1}', '{"n":2}', 1_000)).toEqual({ isDone: true })
    await backend.close()
    client.disconnect()
  })
})

describe('on a Redis Cluster', () => {
  let stop: () => Promise<void>
  let cluster: Cluster
  beforeAll(async () => {
    const servers = await startRedisCluster()
    stop = servers.stop
    cluster = new Cluster([...servers.urls])
  })
  afterAll(async () => {
    cluster?.disconnect()
    await stop?.()
  })

  testBackend(
    "RedisSessionBackend, given the app's Cluster client",
    () => new RedisSessionBackend({ redis: cluster, prefix: keyPrefix(), commandTimeoutMs: 2_000 }),
  )
})

describe('on Postgres', () => {
  let server: SharedPostgres
  const opened: { url: string; database: Kysely<Record<string, Record<string, unknown>>> }[] = []
  const open = (url: string) => {
    const database = postgresDatabase(url)
    opened.push({ url, database })
    return database
  }
  beforeAll(async () => {
    server = await sharedPostgres()
  })
  afterAll(async () => {
    for (const { database } of opened) await database.destroy()
    for (const url of new Set(opened.map(({ url }) => url))) await server.dropDatabase(url)
  })

  testBackend(
    'KyselySessionBackend on Postgres',
    async () => new KyselySessionBackend({ database: open(await server.createDatabase()) }),
  )

  test('processes that start together create the table together', async () => {
    const url = await server.createDatabase()
    const backends = Array.from({ length: 8 }, () => new KyselySessionBackend({ database: open(url) }))
    await Promise.all(backends.map((backend, n) => backend.put(`id${n}`, '{}', 60_000)))

    expect(await backends[0]?.length()).toBe(8)
  })

  test('an app that may not create tables uses the one its migrations made', async () => {
    const url = await server.createDatabase()
    await new KyselySessionBackend({ database: open(url) }).put('ada', '{}', 60_000)
    const readOnlySchema = open(`${url}?options=-c%20default_transaction_read_only%3Don`)

    expect(await new KyselySessionBackend({ database: readOnlySchema }).get('ada')).toBe('{}')
  })
})
