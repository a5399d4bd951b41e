import { systemClock } from '@stepladder/core'
import { keyPrefix, sharedRedis, startRedis, startRedisCluster } from '@stepladder/core/testing'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openRedisLease } from '../src/adapters/redis-lease.ts'
import { FakeLeases } from './fake-leases.ts'

describe.each([
  {
    kind: 'the fake one',
    open: () => {
      const leases = new FakeLeases(systemClock)
      return async (machine: string) => leases.of(machine)
    },
  },
  {
    kind: 'Redis',
    open: () => {
      const name = keyPrefix('lease')
      return async (machine: string) => {
        const { url } = await sharedRedis()
        const store = await openRedisLease({ redis: url, name, machine, commandTimeoutMs: 1_000 })
        onTestFinished(() => store.close())
        return store
      }
    },
  },
])('a store of leases: $kind', ({ open }) => {
  test('lets one machine have it; another waits until it is released', async () => {
    const connect = open()
    const [a, b] = [await connect('a'), await connect('b')]
    const token = await a.take(60_000)
    expect(token).toBeGreaterThan(0)
    expect(await b.take(60_000)).toBeUndefined()
    await a.release(token!)
    expect(await b.take(60_000)).toBeGreaterThan(token!)
  })

  test('lets another have it when it has run out, unless it was renewed', async () => {
    const connect = open()
    const [a, b] = [await connect('a'), await connect('b')]
    const token = (await a.take(1_000))!
    expect(await a.renew(token, 60_000)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 1_010))
    expect(await b.take(60_000)).toBeUndefined()

    expect(await a.renew(token, 1)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await b.take(60_000)).toBeGreaterThan(token)
    expect(await a.renew(token, 60_000)).toBe(false)
  })

  test('lets a machine take over its own at once; what the former holder does then is without effect', async () => {
    const connect = open()
    const [former, next] = [await connect('a'), await connect('a')]
    const old = (await former.take(60_000))!
    const young = (await next.take(60_000))!
    expect(young).toBeGreaterThan(old)
    await former.release(old)
    expect(await former.renew(old, 60_000)).toBe(false)
    expect(await next.renew(young, 60_000)).toBe(true)
  })

  test('does not take one machine for another whose name begins alike', async () => {
    const connect = open()
    await (await connect('machine-1')).take(60_000)
    expect(await (await connect('machine')).take(60_000)).toBeUndefined()
    expect(await (await connect('machine-12')).take(60_000)).toBeUndefined()
  })
})

test('tokens go on growing when Redis has lost all it knew, the counter included', async () => {
  await using server = await startRedis()
  const options = { redis: server.url, name: 'cron', commandTimeoutMs: 1_000 }
  const a = await openRedisLease({ ...options, machine: 'a' })
  const before = []
  for (let n = 0; n < 5; n++) before.push(await a.take(60_000))
  const client = new Redis(server.url)
  await client.flushall()
  client.disconnect()

  const b = await openRedisLease({ ...options, machine: 'b' })
  expect(await b.take(60_000)).toBeGreaterThan(Math.max(...before.map(Number)))
  await Promise.all([a.close(), b.close()])
})

test('a Redis Cluster keeps leases as well, and the client of the app is left as it is', async () => {
  await using servers = await startRedisCluster()
  const client = new Cluster([...servers.urls])
  onTestFinished(() => client.disconnect())
  for (const name of ['cron', 'queue', 'mail']) {
    const options = { redis: client, name, commandTimeoutMs: 2_000 }
    const [a, b] = await Promise.all(['a', 'b'].map((machine) => openRedisLease({ ...options, machine })))
    const token = (await a!.take(60_000))!
    expect(await b!.take(60_000)).toBeUndefined()
    expect(await a!.renew(token, 60_000)).toBe(true)
    await a!.release(token)
    expect(await b!.take(60_000)).toBeGreaterThan(token)
    await Promise.all([a!.close(), b!.close()])
  }
  expect(await client.ping()).toBe('PONG')
})
