import {
  isRedisCluster,
  openRedis,
  type RedisClient,
  RedisScript,
  redisKeyPrefix,
  redisMasters,
} from '@stepladder/core'
import { keyPrefix, type RedisCluster, sharedRedis, startRedisCluster } from '@stepladder/core/testing'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

const password = 'open sesame'

type RedisOptions = { readonly keyPrefix?: string; readonly lazyConnect?: boolean }
type ClusterOptions = { readonly lazyConnect?: boolean; readonly redisOptions?: object }

let servers: RedisCluster
beforeAll(async () => {
  servers = await startRedisCluster()
  for (const { url } of servers.nodes) {
    const admin = new Redis(url)
    await admin.config('SET', 'requirepass', password)
    admin.disconnect()
  }
})
afterAll(() => servers.stop())

describe.each([
  {
    version: 6,
    single: (url: string, options: RedisOptions) => new Redis(url, options),
    cluster: (urls: readonly string[], options: ClusterOptions) => new Cluster([...urls], options),
  },
  {
    version: 5,
    single: (url: string, options: RedisOptions) => new Redis5(url, options),
    cluster: (urls: readonly string[], options: ClusterOptions) => new Cluster5([...urls], options),
  },
])('with ioredis $version', ({ single, cluster }) => {
  function connectToCluster(redisOptions: RedisOptions = {}) {
    const client = cluster(servers.urls, { redisOptions: { password, ...redisOptions } })
    onTestFinished(() => client.disconnect())
    return client
  }

  async function openRedisOf(client: RedisClient) {
    const ours = await openRedis(client, { owner: 'test' })
    onTestFinished(() => ours.disconnect())
    return ours
  }

  test('what a cluster asks of each connection, such as a password, is asked of ours too', async () => {
    const theirs = connectToCluster()
    const ours = await openRedisOf(theirs)
    const key = keyPrefix()

    await ours.call('set', key, 'value')

    expect(await theirs.get(key)).toBe('value')
  })

  test('the masters of a cluster are its servers; a single server is its own', async () => {
    const many = await openRedisOf(connectToCluster())
    const one = await openRedisOf(single((await sharedRedis()).url, { lazyConnect: true }))

    expect([isRedisCluster(many), isRedisCluster(one)]).toEqual([true, false])
    expect(redisMasters(one)).toEqual([one])
    const ports = await Promise.all(
      redisMasters(many).map(async (master) => Number(/tcp_port:(\d+)/.exec(await infoOf(master))?.[1])),
    )
    expect(ports.toSorted()).toEqual(servers.nodes.map(({ port }) => port).toSorted())
  })

  test('a cluster that nobody has connected to yet has no masters', () => {
    const client = cluster(servers.urls, { lazyConnect: true })
    expect(redisMasters(client)).toEqual([])
  })

  test('keys are written under the prefix that is told, on a cluster and on a single server', async () => {
    const { url } = await sharedRedis()
    const [key, script] = [keyPrefix(), new RedisScript(`return redis.call('SET', KEYS[1], ARGV[1])`)]
    for (const [theirs, plain] of [
      [single(url, { keyPrefix: 'app:', lazyConnect: true }), single(url, {})],
      [connectToCluster({ keyPrefix: 'app:' }), connectToCluster()],
    ] as const) {
      onTestFinished(() => plain.disconnect())
      const ours = await openRedisOf(theirs)
      expect(redisKeyPrefix(ours)).toBe('app:')
      expect(redisKeyPrefix(plain)).toBe('')
      await script.run(ours, [key], ['one'])
      expect(await plain.get(`app:${key}`)).toBe('one')
      await script.runBuffer(ours, [key], ['two'])
      expect(await plain.get(`app:${key}`)).toBe('two')
    }
  })
})

test('a prefix in bytes is told as text', () => {
  const client = new Redis({ keyPrefix: Buffer.from('app:') as never, lazyConnect: true })
  expect(redisKeyPrefix(client)).toBe('app:')
})

async function infoOf(server: RedisClient): Promise<string> {
  return String(await server.call('info', 'server'))
}
