import { createCache, RedisStore } from '@stepladder/cache'
import { testCacheStore } from '@stepladder/cache/testing'
import { openRedis, type RedisClient } from '@stepladder/core'
import {
  keyPrefix,
  RecordedReports,
  type RedisCluster,
  type SharedRedis,
  sharedRedis,
  startRedisCluster,
} from '@stepladder/core/testing'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

describe('a client that the app has', () => {
  let redis: SharedRedis
  beforeAll(async () => {
    redis = await sharedRedis()
  })

  test.each([{}, { keyPrefix: 'app:' }, { protocol: 2 as const }])(
    'serves as well as a URL, with %o',
    async (options) => {
      const client = new Redis(redis.url, options)
      await passBetweenTwo(client)
      expect(await client.ping()).toBe('PONG') // ours were duplicates
      client.disconnect()
    },
  )
})

describe('a Redis cluster', () => {
  let cluster: RedisCluster
  let client: Cluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
    client = new Cluster(cluster.nodes.map(({ host, port }) => ({ host, port })))
  })
  afterAll(async () => {
    client.disconnect()
    await cluster[Symbol.asyncDispose]()
  })

  testCacheStore(
    'RedisStore on a cluster',
    () => new RedisStore(keyPrefix('cluster'), openRedis(client, { owner: 'test' })),
    {
      test,
    },
  )

  test('serves as well as a single server', () => passBetweenTwo(client))
})

async function passBetweenTwo(client: RedisClient): Promise<void> {
  const name = keyPrefix('client')
  const reports = new RecordedReports()
  const [one, two] = [1, 2].map(() => createCache({ name, ttl: '1m', redis: client, report: reports.report }))
  const lastOf = async (key: string) => {
    await two!.getOrSet(key, () => 'of two', { tags: ['t'] })
    return reports.outcomes('getOrSet').at(-1)
  }
  await expect.poll(() => lastOf('warm')).toBe('hit')
  await one!.getOrSet('key', () => 'of one', { tags: ['t'] })
  expect(await two!.getOrSet('key', () => 'of two', { tags: ['t'] })).toBe('of one')
  expect(await one!.invalidate({ tags: ['t'] })).toBe('done')
  await expect.poll(() => two!.getOrSet('key', () => 'new', { tags: ['t'] }), { timeout: 1_000 }).toBe('new')
  await Promise.all([one!.close(), two!.close()])
}
