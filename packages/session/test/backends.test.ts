import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  type SessionBackendTools,
  testChangeFeed,
  testExpiryIndex,
  testSessionBackend,
  testUserIndex,
} from '@stepladder/session/testing'
import { Cluster, Redis } from 'ioredis'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresDatabase } from './postgres-database.ts'
import { sqliteDatabase } from './sqlite-database.ts'

// Without `skip` nothing is said of the outages, which are left out here.
const tools = { test: (title: string, run: () => Promise<void>) => test(title, run) }

function testBackend(
  name: string,
  make: MakeSessionBackend,
  more: Omit<SessionBackendTools, 'test'> = {},
): void {
  testSessionBackend(name, make, { ...tools, ...more })
  testUserIndex(name, make, tools)
  testExpiryIndex(name, make, tools)
}

describe('in memory', () => {
  // One for all of a process.
  const backends = new Map<string, MemorySessionBackend>()
  testBackend('MemorySessionBackend', (prefix) => {
    const backend = backends.get(prefix) ?? new MemorySessionBackend()
    backends.set(prefix, backend)
    return backend
  })
})

describe('in a file', () => {
  let folder: string
  let processes: ReturnType<typeof sqliteDatabase>[]
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stepladder-session-'))
    processes = [1, 2].map(() => sqliteDatabase(join(folder, 'sessions')))
    // Nobody cuts the power: waiting for the disk would take longer than some records live.
    for (const database of processes) await sql`pragma synchronous = off`.execute(database)
  })
  afterAll(async () => {
    for (const database of processes) await database.destroy()
    await rm(folder, { recursive: true })
  })

  let made = 0
  testBackend('KyselySessionBackend on SQLite', (prefix) => {
    made += 1
    return new KyselySessionBackend({ database: processes[made % 2]!, prefix })
  })
})

describe('on Redis', () => {
  let url: string
  beforeAll(async () => {
    url = (await sharedRedis()).url
  })

  // Full of what SCAN would take for a pattern.
  const own = (prefix: string) => `${prefix}[*?]\\:`
  const make: MakeSessionBackend = (prefix) => new RedisSessionBackend({ redis: url, prefix: own(prefix) })
  testBackend('RedisSessionBackend', make, {
    async spoil(prefix, id) {
      const client = new Redis(url)
      await client.lpush(own(prefix) + id, 'no record')
      client.disconnect()
    },
  })
  testChangeFeed('RedisSessionBackend', make, tools)

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

  const make: MakeSessionBackend = (prefix) =>
    new RedisSessionBackend({ redis: cluster, prefix, commandTimeoutMs: 2_000 })
  testBackend("RedisSessionBackend, given the app's Cluster client", make)
  testChangeFeed("RedisSessionBackend, given the app's Cluster client", make, tools)
})

describe('on Postgres', () => {
  let server: SharedPostgres
  let processes: ReturnType<typeof postgresDatabase>[]
  const opened: { url: string; database: Kysely<Record<string, Record<string, unknown>>> }[] = []
  const open = (url: string) => {
    const database = postgresDatabase(url)
    opened.push({ url, database })
    return database
  }
  beforeAll(async () => {
    server = await sharedPostgres()
    const url = await server.createDatabase()
    processes = [open(url), open(url)]
  })
  afterAll(async () => {
    for (const { database } of opened) await database.destroy()
    for (const url of new Set(opened.map(({ url }) => url))) await server.dropDatabase(url)
  })

  let made = 0
  testBackend('KyselySessionBackend on Postgres', (prefix) => {
    made += 1
    return new KyselySessionBackend({ database: processes[made % 2]!, prefix })
  })

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
