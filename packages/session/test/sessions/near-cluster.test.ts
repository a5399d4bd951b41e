import { type RedisCluster, startRedisCluster } from '@stepladder/core/testing'
import { createSessions, type Sessions } from '@stepladder/session'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cookieOf, type Data } from './set-up.ts'

let redis: RedisCluster
let client: Cluster
let hits = 0
const opened: Sessions<Data>[] = []

beforeAll(async () => {
  redis = await startRedisCluster()
  client = new Cluster([...redis.urls])
})
afterAll(async () => {
  await Promise.all(opened.map((sessions) => sessions.close()))
  client.disconnect()
  await redis.stop()
})

function open(): Sessions<Data> {
  const sessions = createSessions<Data>({
    secret: 'for tests only',
    redis: client,
    nearCache: true,
    // A busy machine's.
    timeout: '10s',
    report({ operation, outcome }) {
      if (operation === 'near' && outcome === 'hit') hits += 1
    },
  })
  opened.push(sessions)
  return sessions
}

test('on a cluster, every master tells of the sessions that it keeps', async () => {
  const [one, two] = [open(), open()]
  // So many that each of the three masters keeps some.
  const cookies = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const session = await one.load(undefined)
      session.user = 'ada'
      return cookieOf(await one.commit(session))
    }),
  )
  for (const cookie of cookies) {
    const isFromMemory = async () => {
      const before = hits
      await two.load(cookie)
      return hits > before
    }
    await expect.poll(isFromMemory, { timeout: 10_000, interval: 5 }).toBe(true)
  }

  await Promise.all(cookies.map(async (cookie) => (await one.load(cookie)).destroy()))

  const found = async () => {
    const sessions = await Promise.all(cookies.map((cookie) => two.load(cookie)))
    return sessions.filter(({ info }) => !info.isNew).length
  }
  await expect.poll(found, { timeout: 1_000, interval: 5 }).toBe(0)
})
