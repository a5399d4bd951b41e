import { sleep } from '@stepladder/core'
import {
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
  startTcpProxy,
  type TcpProxy,
} from '@stepladder/core/testing'
import {
  type ChangeFeed,
  type ChangeListener,
  type FollowOptions,
  KyselySessionBackend,
  RedisSessionBackend,
} from '@stepladder/session'
import {
  type MakeSessionBackend,
  type SessionBackendTools,
  testChangeFeed,
  testExpiryIndex,
  testSessionBackend,
  testUserIndex,
} from '@stepladder/session/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brokenBy } from './broken-by.ts'
import { postgresDatabase } from './postgres-database.ts'
import { aroundCalls } from './sessions/around-calls.ts'
import { UnfencedRedis } from './sessions/unfenced-redis.ts'

/** Until it is answered, as many clients do. */
async function repeat<T>(name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch {
    await sleep(20)
    return repeat(name, call)
  }
}

/** Redis, with a feed that says nothing when its connection was made anew. */
class GaplessRedis extends RedisSessionBackend {
  override follow(listener: ChangeListener, options: FollowOptions): ChangeFeed {
    return super.follow({ onChange: (id) => listener.onChange(id), onGap() {} }, options)
  }
}

/** What the contracts say of outages; backends.test.ts has the rest. */
const tools = {
  test(title: string, run: () => Promise<void>, timeoutMs?: number) {
    if (/ the place (is|was) /.test(title)) test(title, run, timeoutMs)
  },
} satisfies SessionBackendTools

/** Long enough for a busy machine, whose answers must not seem lost while all is well. */
const commandTimeoutMs = 250
const answerWithinMs = 450

describe('on a Redis that breaks', () => {
  let redis: RedisServer
  let proxy: TcpProxy
  beforeAll(async () => {
    redis = await startRedis({ appendonly: true })
    proxy = await startTcpProxy({ port: redis.port })
  })
  afterAll(async () => {
    await proxy?.close()
    await redis?.stop()
  })

  const open = (url: string, prefix: string) =>
    new RedisSessionBackend({ redis: url, prefix, commandTimeoutMs })
  const make: MakeSessionBackend = (prefix) => open(proxy.url('redis'), prefix)
  const place = {
    freeze: () => redis.freeze(),
    thaw: () => redis.thaw(),
    stop: () => redis.kill(),
    start: () => redis.restart(),
    cut: () => proxy.cut(),
  }
  testSessionBackend('RedisSessionBackend', make, { ...tools, place, answerWithinMs })
  testUserIndex('RedisSessionBackend', make, { ...tools, place })
  testExpiryIndex('RedisSessionBackend', make, { ...tools, place })
  testChangeFeed('RedisSessionBackend', make, { ...tools, place })

  const network = {
    place: { freeze: () => proxy.blackhole(), thaw: () => proxy.heal(), cut: () => proxy.cut() },
    elsewhere: (prefix: string) => open(redis.url, prefix),
  }
  testChangeFeed('RedisSessionBackend, cut off from what others change,', make, { ...tools, ...network })

  test('the same contract finds out who sends a call again whose answer was lost', async () => {
    const again: MakeSessionBackend = (prefix) => aroundCalls(open(proxy.url('redis'), prefix), repeat)

    const broken = await brokenBy(testSessionBackend, again, {
      place,
      only: 'when the place is cut off is done or not',
    })

    expect(broken).toHaveLength(1)
  })

  test.each<[string, MakeSessionBackend, string]>([
    [
      'trusts whatever it hears',
      (prefix) => new UnfencedRedis({ redis: proxy.url('redis'), prefix }),
      'frozen, memory',
    ],
    [
      'says nothing of gaps',
      (prefix) => new GaplessRedis({ redis: proxy.url('redis'), prefix }),
      'cut off, memory',
    ],
  ])('the same contract finds out who %s', async (_, faulty, only) => {
    expect(await brokenBy(testChangeFeed, faulty, { ...network, only })).not.toEqual([])
  })
})

describe('on a Postgres that breaks', () => {
  let postgres: PostgresServer
  let proxy: TcpProxy
  let processes: ReturnType<typeof postgresDatabase>[]
  beforeAll(async () => {
    postgres = await startPostgres()
    proxy = await startTcpProxy({ port: postgres.port })
    const url = new URL(await postgres.createDatabase())
    url.port = String(proxy.port)
    processes = [1, 2].map(() => postgresDatabase(url.href))
  })
  afterAll(async () => {
    await Promise.all(processes?.map((database) => database.destroy()) ?? [])
    await proxy?.close()
    await postgres?.stop()
  })

  let made = 0
  const make: MakeSessionBackend = (prefix) => {
    made += 1
    return new KyselySessionBackend({ database: processes[made % 2]!, prefix })
  }
  const place = {
    freeze: () => postgres.freeze(),
    thaw: () => postgres.thaw(),
    stop: () => postgres.kill(),
    start: () => postgres.restart(),
    cut: () => proxy.cut(),
  }
  testSessionBackend('KyselySessionBackend', make, { ...tools, place })
  testUserIndex('KyselySessionBackend', make, { ...tools, place })
  testExpiryIndex('KyselySessionBackend', make, { ...tools, place })
})
