import { openRedis, type RedisClient, redisMasters } from '@stepladder/core'
import { keyPrefix, startRedisCluster } from '@stepladder/core/testing'
import { Cluster } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { listenersOf } from './listening.ts'

async function openCluster(): Promise<RedisClient> {
  const servers = await startRedisCluster()
  const client = await openRedis(new Cluster([...servers.urls], { lazyConnect: true }), { owner: 'test' })
  onTestFinished(async () => {
    client.disconnect()
    await servers.stop()
  })
  return client
}

test('on a cluster, each master tells of its keys; a listener goes with its master and comes with it', async () => {
  const client = await openCluster()
  const prefix = keyPrefix()
  const all = redisMasters(client)
  let masters = all
  const changing: RedisClient = Object.create(client, { nodes: { value: () => masters } })
  const listeners = listenersOf(changing, prefix)
  expect(listeners.size).toBe(0)

  listeners.follow()
  const [first, ...others] = [...listeners]
  const haveJoined = () => [...listeners].every(({ connections }) => connections === 1)
  await expect.poll(haveJoined, { timeout: 5_000 }).toBe(true)
  const keys = Array.from({ length: 30 }, (_, index) => `${prefix}:${index}`)
  for (const key of keys) await client.call('set', key, 'value')
  const written = () => [first!, ...others].map((listening) => listening.written)
  await expect.poll(() => written().flat().toSorted(), { timeout: 5_000 }).toEqual(keys.toSorted())
  expect(written().map(({ length }) => length)).not.toContain(0)

  masters = all.slice(1)
  listeners.follow()
  expect([first?.isClosed, ...others.map(({ isClosed }) => isClosed)]).toEqual([true, false, false])
  expect([...listeners]).toEqual(others)

  masters = all
  listeners.follow()
  expect(listeners.size).toBe(3)
  expect([...listeners]).not.toContain(first)

  listeners.close()
  expect(others.every(({ isClosed }) => isClosed)).toBe(true)
  expect(listeners.size).toBe(0)
})
