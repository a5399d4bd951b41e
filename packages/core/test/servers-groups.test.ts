import { startRedisCluster, startRedisSentinel } from '@stepladder/core/testing'
import { Cluster, Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'

test('a cluster has three masters, and each takes its share of the keys', async () => {
  await using cluster = await startRedisCluster()
  const client = new Cluster([...cluster.urls])
  const names = Array.from({ length: 60 }, (_, index) => `passenger-${index}`)

  await Promise.all(names.map((name) => client.set(name, name)))
  const sizes = await Promise.all(client.nodes('master').map((node) => node.dbsize()))
  client.disconnect()

  expect(sizes).toHaveLength(3)
  expect(Math.min(...sizes)).toBeGreaterThan(0)
  expect(sizes.reduce((sum, size) => sum + size)).toBe(60)
})

test('a member of a cluster comes back with its slots after it was killed', async () => {
  await using cluster = await startRedisCluster()
  const [node] = cluster.nodes

  await node!.kill()
  await node!.restart()

  const client = new Cluster([node!.url])
  await vi.waitFor(async () => expect(await client.set('ada', 'Ada')).toBe('OK'), 10_000)
  client.disconnect()
})

test('sentinels promote the replica when the master is killed, and the client follows', async () => {
  await using group = await startRedisSentinel()
  const { sentinels, masterName: name } = group
  const client = new Redis({ sentinels: [...sentinels], name, sentinelRetryStrategy: () => 100 })
  client.on('error', () => {})
  await client.set('ada', 'Ada')
  expect(await client.wait(1, 2_000)).toBe(1)

  await group.master.kill()

  await vi.waitFor(async () => expect(await client.set('grace', 'Grace')).toBe('OK'), 15_000)
  expect(await client.get('ada')).toBe('Ada')
  expect(await client.config('GET', 'port')).toEqual(['port', String(group.replica.port)])
  client.disconnect()
})
