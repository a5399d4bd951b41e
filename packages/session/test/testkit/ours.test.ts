import {
  keyPrefix,
  type RedisServer,
  sharedPostgres,
  sharedRedis,
  startRedis,
} from '@stepladder/core/testing'
import { sessionStore } from '@stepladder/session'
import { testSessionStore } from '@stepladder/session/testkit'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { postgresDatabase } from '../postgres-database.ts'
import { sqliteDatabase } from '../sqlite-database.ts'

// A busy machine may need longer than the 200 ms that suit an app.
const timeout = '5s'
// Each touch is stored, so that it has part in the races.
const touchAfter = 0
// The many races are those of resurrection.test.ts. Without `skip` nothing is said of what is left out.
const options = {
  races: 25,
  test: (title: string, run: () => Promise<void>, timeoutMs?: number) => test(title, run, timeoutMs),
}

describe('our store keeps every promise', () => {
  testSessionStore('in memory', () => sessionStore({ timeout, touchAfter }), options)

  testSessionStore(
    'in Redis',
    async () => sessionStore({ redis: (await sharedRedis()).url, prefix: keyPrefix(), timeout, touchAfter }),
    options,
  )

  const sqlite = sqliteDatabase()
  testSessionStore(
    'in SQLite',
    () => sessionStore({ database: sqlite, prefix: keyPrefix(), timeout, touchAfter }),
    {
      ...options,
    },
  )
  afterAll(() => sqlite.destroy())
})

describe('our store keeps every promise', () => {
  let database: ReturnType<typeof postgresDatabase>
  let drop: () => Promise<void>
  beforeAll(async () => {
    const server = await sharedPostgres()
    const url = await server.createDatabase()
    database = postgresDatabase(url)
    drop = async () => {
      await database.destroy()
      await server.dropDatabase(url)
    }
  })
  afterAll(() => drop?.())

  testSessionStore(
    'in Postgres',
    () => sessionStore({ database, prefix: keyPrefix(), timeout, touchAfter }),
    options,
  )
})

describe('our store answers in time', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis({ appendonly: true })
  })
  afterAll(() => redis?.stop())

  testSessionStore('on a Redis that breaks', () => sessionStore({ redis: redis.url, prefix: keyPrefix() }), {
    ...options,
    without: ['contract', 'time', 'concurrency', 'resurrection', 'failures'],
    place: {
      freeze: () => redis.freeze(),
      thaw: () => redis.thaw(),
      stop: () => redis.kill(),
      start: () => redis.restart(),
    },
  })
})
