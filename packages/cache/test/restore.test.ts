import { type Cache, createCache } from '@stepladder/cache'
import { openRedis, type RedisClient, type RedisOption } from '@stepladder/core'
import {
  keyPrefix,
  RecordedReports,
  type RedisServer,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '@stepladder/core/testing'
import { Cluster, Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'

/** A Redis that comes back with data older than what it had told before. */

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Hears from Redis for sure: it serves from memory. */
async function open(redis: RedisOption, name: string): Promise<Cache> {
  const reports = new RecordedReports()
  const cache = createCache({ name, ttl: '5m', redis, readBudget: '2s', report: reports.report })
  closing.push(() => cache.close())
  const lastOutcome = async () => {
    await cache.getOrSet('warm', () => 'warm')
    return reports.outcomes('getOrSet').at(-1)
  }
  await expect.poll(lastOutcome, { timeout: 20_000 }).toBe('hit')
  return cache
}

async function ask(url: string): Promise<RedisClient> {
  const client = await openRedis(url, { owner: 'test' })
  closing.push(() => client.disconnect())
  return client
}

const read = (cache: Cache, row: string) => cache.getOrSet('key', () => row, { tags: ['t'] })
const recordName = (name: string) => `slc2:r:{${name}:key}`

async function start(): Promise<RedisServer> {
  // Who may not ask the server for its name is the control arm.
  const redis = await startRedis({ config: { user: 'blind on >secret ~* &* +@all -info' } })
  closing.push(() => redis.stop())
  return redis
}

/** Stores an old value, saves it to disk, replaces it by a new one, and brings the old one back. */
async function bringBackOld(redis: RedisServer, cache: Cache): Promise<void> {
  expect(await read(cache, 'old')).toBe('old')
  const admin = await ask(redis.url)
  await admin.call('save')
  expect(await cache.delete('key')).toBe('done')
  expect(await read(cache, 'new')).toBe('new')
  await redis.kill()
  await redis.restart()
}

test('a Redis restored from an older snapshot serves nothing of it, neither to whom it knows nor to others', async () => {
  const redis = await start()
  const name = keyPrefix('restore')
  const cache = await open(redis.url, name)
  await bringBackOld(redis, cache)
  const admin = await ask(redis.url)
  expect(await admin.call('exists', recordName(name))).toBe(1) // the old value is there
  expect(await read(cache, 'new')).toBe('new')
  expect(await read(await open(redis.url, name), 'new')).toBe('new')
})

test('though nobody was there when it came back', async () => {
  const redis = await start()
  const name = keyPrefix('restore')
  const cache = await open(redis.url, name)
  expect(await read(cache, 'old')).toBe('old')
  await (await ask(redis.url)).call('save')
  expect(await cache.delete('key')).toBe('done')
  await cache.close()
  await redis.kill()
  await redis.restart()
  expect(await read(await open(redis.url, name), 'new')).toBe('new')
})

test('the control arm: where Redis does not say who it is, its old value is served', async () => {
  const redis = await start()
  const name = keyPrefix('restore')
  const blind = new Redis(redis.url, { username: 'blind', password: 'secret', enableReadyCheck: false })
  closing.push(() => blind.disconnect())
  const cache = await open(blind, name)
  await bringBackOld(redis, cache)
  expect(await read(await open(blind, name), 'new')).toBe('old')
})

test('a connection that broke costs nothing: what is stored there is served on', async () => {
  const redis = await start()
  const cache = await open(redis.url, keyPrefix('restore'))
  expect(await read(cache, 'old')).toBe('old')
  const admin = await ask(redis.url)
  await admin.call('client', 'kill', 'type', 'normal')
  await admin.call('client', 'kill', 'type', 'pubsub')
  await expect.poll(() => cache.get('key'), { timeout: 5_000 }).toBe('old')
})

test('a replica that takes over, and had missed an invalidation, serves nothing from before', async () => {
  await using sentinel = await startRedisSentinel()
  const name = keyPrefix('sentinel')
  const client = new Redis({ sentinels: [...sentinel.sentinels], name: sentinel.masterName })
  client.on('error', () => {}) // it loses its master
  closing.push(() => client.disconnect())
  const cache = await open(client, name)
  expect(await read(cache, 'old')).toBe('old')
  const [master, replica] = await Promise.all([ask(sentinel.master.url), ask(sentinel.replica.url)])
  await expect.poll(() => replica.call('exists', recordName(name))).toBe(1)

  // From here on it hears nothing from its master, which asks for no password.
  await replica.call('config', 'set', 'masterauth', 'wrong', 'masteruser', 'nobody')
  await master.call('client', 'kill', 'type', 'replica')
  expect(await cache.delete('key')).toBe('done')
  expect(await read(cache, 'new')).toBe('new')
  await sentinel.master.kill()

  const role = async () => String(await replica.call('role').catch(() => ''))
  await expect.poll(role, { timeout: 20_000, interval: 100 }).toMatch(/^master/)
  expect(await replica.call('exists', recordName(name))).toBe(1) // the old value is there
  expect(await read(cache, 'new')).toBe('new')
  expect(await read(await open(client, name), 'new')).toBe('new')
  await open(client, name) // follows: memory is served again
}, 60_000)

test('a master of a cluster that comes back with older data serves nothing of it', async () => {
  await using cluster = await startRedisCluster()
  const name = keyPrefix('cluster')
  const client = new Cluster(cluster.nodes.map(({ host, port }) => ({ host, port })))
  closing.push(() => client.disconnect())
  const cache = await open(client, name)
  expect(await read(cache, 'old')).toBe('old')
  await Promise.all(cluster.nodes.map(async ({ url }) => (await ask(url)).call('save')))
  expect(await cache.delete('key')).toBe('done')
  expect(await read(cache, 'new')).toBe('new')
  for (const node of cluster.nodes) {
    const holder = await ask(node.url)
    if ((await holder.call('exists', recordName(name)).catch(() => 0)) !== 1) continue
    await node.kill()
    await node.restart()
    const again = await ask(node.url)
    // The old value is there, as soon as the others have heard of the node.
    const exists = () => again.call('exists', recordName(name)).catch(() => 0)
    await expect.poll(exists, { timeout: 20_000, interval: 100 }).toBe(1)
  }
  expect(await read(cache, 'new')).toBe('new')
  expect(await read(await open(client, name), 'new')).toBe('new')
}, 60_000)
