import { type BusListener, createCache, RedisBus, RedisLink, RedisStore } from '@stepladder/cache'
import { openRedis, type RedisClient } from '@stepladder/core'
import { keyPrefix, type RedisCluster, startRedis, startRedisCluster } from '@stepladder/core/testing'
import { Cluster } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { placeRecord } from './place-record.ts'

const longMs = 60_000
const fenceMs = 1_000
const record = Buffer.from('a record of ours')

let cluster: RedisCluster
let client: Cluster
const closing: (() => unknown)[] = []

beforeAll(async () => {
  cluster = await startRedisCluster()
  client = new Cluster(cluster.nodes.map(({ host, port }) => ({ host, port })))
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})
afterAll(async () => {
  client.disconnect()
  await cluster[Symbol.asyncDispose]()
})

async function setUp(name = keyPrefix('cluster')) {
  const publisher = openRedis(client, { owner: 'test' })
  const link = new RedisLink()
  const store = new RedisStore(name, publisher, link)
  const bus = new RedisBus({ name, publisher, link, fenceMs })
  const touched: string[] = []
  const told: string[] = []
  const listener: BusListener = {
    onInvalidation: ({ keys, tags }) => void told.push(...keys, ...tags),
    onGap: () => {},
    onTouched: ({ keys }) => void touched.push(...keys),
  }
  bus.subscribe(listener)
  closing.push(
    () => bus.close(),
    () => store.close(),
  )
  const isTrusted = () => performance.now() < bus.heardUntil
  await expect.poll(isTrusted, { timeout: 10_000 }).toBe(true)
  return { name, store, bus, touched, told, isTrusted, client: await publisher }
}

const recordName = (name: string, key: string) => `slc2:r:{${name}:${key}}`

/** A key on each of the masters, in their order. */
async function keyOnEach(admins: readonly RedisClient[], name: string): Promise<readonly string[]> {
  const keys = Array.from({ length: 40 }, (_, index) => `key ${index}`)
  return Promise.all(
    admins.map(async (admin) => {
      for (const key of keys) {
        const found = await admin.call('get', recordName(name, key)).catch(() => 'elsewhere')
        if (found !== 'elsewhere') return key
      }
      throw new Error('no key is on this node')
    }),
  )
}

async function askEach(): Promise<readonly RedisClient[]> {
  const admins = await Promise.all(cluster.nodes.map(({ url }) => openRedis(url, { owner: 'test' })))
  closing.push(() => {
    for (const admin of admins) admin.disconnect()
  })
  return admins
}

test('what other programs write on any master is told of', async () => {
  const { name, store, touched } = await setUp()
  const admins = await askEach()
  const keys = await keyOnEach(admins, name)
  for (const key of keys) await placeRecord(store, key, record, longMs)
  await new Promise((resolve) => setTimeout(resolve, 400))
  expect(touched).toEqual([]) // these were ours
  await Promise.all(admins.map((admin, index) => admin.call('del', recordName(name, keys[index]!))))
  await expect.poll(() => touched.toSorted()).toEqual(keys.toSorted())
})

test('an invalidation over several masters is told once, when nothing of it is left', async () => {
  const one = await setUp()
  const two = await setUp(one.name)
  const keys = await keyOnEach(await askEach(), one.name)
  for (const key of keys) await placeRecord(one.store, key, record, longMs)
  await expect.poll(() => two.told).toHaveLength(keys.length)
  two.told.splice(0)
  await one.store.invalidate({ keys, tags: ['tag'] })
  expect(await one.store.get(keys)).toEqual(keys.map(() => null))
  await expect.poll(() => two.told).toEqual([...keys, 'tag'])
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(two.told).toEqual([...keys, 'tag'])
  expect(one.told).toEqual([])
})

test('while one master says nothing, memory is not trusted; half a second after it speaks again it is', async () => {
  const { isTrusted } = await setUp()
  for (const node of cluster.nodes) {
    await node.freeze()
    const frozenAt = performance.now()
    await expect.poll(isTrusted, { timeout: 5_000, interval: 10 }).toBe(false)
    expect(performance.now() - frozenAt).toBeLessThan(fenceMs + 200)
    await node.thaw()
    const thawedAt = performance.now()
    await expect.poll(isTrusted, { timeout: 5_000, interval: 10 }).toBe(true)
    expect(performance.now() - thawedAt).toBeLessThan(500)
  }
})

test('a master that takes over is listened to', async () => {
  const [first] = cluster.nodes
  const bus = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '3000' }
  await using heir = await startRedis({ config: bus })
  const [admin] = await askEach()
  const theirs = await openRedis(heir.url, { owner: 'test' })
  closing.push(() => theirs.disconnect())
  const id = String(await admin!.call('cluster', 'myid'))
  await theirs.call('cluster', 'meet', first!.host, first!.port)
  const replicate = () => theirs.call('cluster', 'replicate', id).catch(String)
  await expect.poll(replicate, { timeout: 10_000, interval: 100 }).toBe('OK')
  await expect
    .poll(() => theirs.call('info', 'replication'), { timeout: 20_000, interval: 100 })
    .toContain('master_link_status:up')

  const { name, store, touched, isTrusted, client: ours } = await setUp()
  const cache = createCache({ name, ttl: '5m', redis: client, readBudget: '2s' })
  closing.push(() => cache.close())
  const [key] = await keyOnEach([admin!], name)
  expect(await cache.getOrSet(key!, () => 'old')).toBe('old')
  expect(await theirs.call('cluster', 'failover')).toBe('OK')
  await expect.poll(() => theirs.call('role').then(String), { timeout: 10_000 }).toMatch(/^master/)
  await expect
    .poll(() => (ours as unknown as Cluster).nodes('master').map(({ options }) => options.port), {
      timeout: 20_000,
    })
    .toContain(heir.port)
  await expect.poll(isTrusted, { timeout: 10_000 }).toBe(true)
  await expect.poll(() => store.get([key!]), { timeout: 10_000 }).toBeDefined()
  await expect
    .poll(
      async () => {
        await theirs.call('set', recordName(name, key!), "somebody else's")
        return touched
      },
      { timeout: 20_000, interval: 200 },
    )
    .toContain(key)
  // What was stored before the change is not served after it.
  expect(await cache.getOrSet(key!, () => 'new')).toBe('new')
}, 60_000)
