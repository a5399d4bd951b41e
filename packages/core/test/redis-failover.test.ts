import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { pipeline } from 'node:stream'
import { openRedis, type RedisClient } from '@stepladder/core'
import { sharedRedis, startRedis, startTcpProxy } from '@stepladder/core/testing'
import { Cluster, Redis } from 'ioredis'
import { afterEach, describe, expect, test } from 'vitest'
import { FakeSentinel } from './fake-sentinel.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Not by `once`, which an error ends. */
const ends = (client: Redis | Cluster) => new Promise<void>((resolve) => void client.once('end', resolve))
const isThere = (client: RedisClient) => client.call('ping').then(String, () => 'away')

describe('a client of an app that hears of failovers (`failoverDetector`)', () => {
  async function setUp() {
    const proxy = await startTcpProxy({ port: Number(new URL((await sharedRedis()).url).port) })
    const sentinel = await FakeSentinel.start(proxy.port)
    const sentinels = [{ host: '127.0.0.1', port: sentinel.port }]
    const theirs = new Redis({ sentinels, name: 'shop', failoverDetector: true, lazyConnect: true })
    theirs.on('error', () => {})
    const ours = await openRedis(theirs, { owner: 'test' })
    opened.push(
      () => proxy.close(),
      () => sentinel.close(),
      () => theirs.disconnect(),
      () => ours.disconnect(),
    )
    expect(await isThere(ours)).toBe('PONG')
    await expect.poll(() => sentinel.subscribers).toBe(1)
    return { proxy, sentinel, theirs, ours }
  }

  test('is connected again where it hears of one while it asks who is master; its own ends for ever', async () => {
    const { proxy, sentinel, theirs, ours } = await setUp()
    await theirs.connect()
    await expect.poll(() => sentinel.subscribers).toBe(2)
    const before = sentinel.asked
    const bothAsk = Promise.withResolvers<void>()
    sentinel.beforeAnswer = async () => {
      if (sentinel.asked < before + 2) return bothAsk.promise
      sentinel.announce()
      // That goes by another connection than the answer.
      setTimeout(bothAsk.resolve, 50)
      sentinel.beforeAnswer = () => {}
      return bothAsk.promise
    }
    const ended = ends(theirs)

    proxy.cut()
    await ended

    await expect.poll(() => isThere(ours), { timeout: 10_000 }).toBe('PONG')
    expect(theirs.status).toBe('end')
  })

  test('is not connected again where it was closed while it asked', async () => {
    const { proxy, sentinel, ours } = await setUp()
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    sentinel.beforeAnswer = () => {
      asked.resolve()
      return answer.promise
    }
    proxy.cut()
    await asked.promise
    ours.disconnect()
    answer.resolve()

    await expect.poll(() => ours.status).toBe('end')
    const askedThen = sentinel.asked
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect([ours.status, sentinel.asked]).toEqual(['end', askedThen])
  })
})

test('a Cluster of an app that gives up is tried for ever by us', async () => {
  await using server = await startRedis({
    config: { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' },
  })
  const admin = new Redis(server.url)
  admin.on('error', () => {})
  opened.push(() => admin.disconnect())
  await admin.call('cluster', 'addslotsrange', 0, 16_383)
  const isWell = async () => String(await admin.call('cluster', 'info')).includes('cluster_state:ok')
  await expect.poll(isWell, { timeout: 15_000 }).toBe(true)
  const theirs = new Cluster([server.url], { lazyConnect: true, clusterRetryStrategy: () => null })
  theirs.on('error', () => {})
  const ours = await openRedis(theirs, { owner: 'test' })
  opened.push(() => ours.disconnect())
  await theirs.connect()
  const ended = ends(theirs)
  let tries = 0
  ours.on('reconnecting', () => {
    tries += 1
  })
  await server.kill()
  await ended

  await expect.poll(() => tries, { timeout: 15_000 }).toBeGreaterThan(2)
  expect(ours.status).not.toBe('end')
})

describe('a server that has become a replica behind an address that moved', () => {
  async function setUp() {
    const [former, next] = await Promise.all([startRedis(), startRedis()])
    let port = former.port
    // As a name that leads elsewhere after a failover: connections that are open stay where they are.
    const address = createServer((client) => {
      const server = connect(port, '127.0.0.1')
      for (const socket of [client, server]) socket.on('error', () => {})
      pipeline(client, server, client, () => {})
    })
    await once(address.listen(0, '127.0.0.1'), 'listening')
    const url = `redis://127.0.0.1:${(address.address() as AddressInfo).port}`
    const admin = new Redis(former.url)
    opened.push(
      () => former.stop(),
      () => next.stop(),
      () => address.close(),
      () => admin.disconnect(),
    )
    const failOver = async () => {
      port = next.port
      await admin.replicaof('127.0.0.1', next.port)
    }
    return { url, next, failOver }
  }
  const isWritten = (client: Pick<RedisClient, 'call'>) =>
    client.call('set', 'key', 'value').then(String, (failure: Error) => failure.message)

  test('is left by who gave its URL, and by who gave a client; a client of its own stays', async () => {
    const { url, failOver } = await setUp()
    const theirs = new Redis(url)
    const ours = await Promise.all([openRedis(url, { owner: 'test' }), openRedis(theirs, { owner: 'test' })])
    opened.push(
      () => theirs.disconnect(),
      () => ours.map((client) => client.disconnect()),
    )
    for (const client of [theirs, ...ours]) expect(await isWritten(client)).toBe('OK')

    await failOver()

    for (const client of [theirs, ...ours]) expect(await isWritten(client)).toContain('READONLY')
    for (const client of ours) await expect.poll(() => isWritten(client), { timeout: 5_000 }).toBe('OK')
    expect(await isWritten(theirs)).toContain('READONLY')
  })

  test('is left as the app says, where it says so', async () => {
    const { url, failOver } = await setUp()
    const heard: string[] = []
    const reconnectOnError = (failure: Error) => heard.push(failure.message) < 0
    const theirs = new Redis(url, { reconnectOnError, lazyConnect: true })
    const ours = await openRedis(theirs, { owner: 'test' })
    opened.push(() => ours.disconnect())
    await failOver()

    expect(await isWritten(ours)).toContain('READONLY')
    expect(await isWritten(ours)).toContain('READONLY')
    expect(heard).toHaveLength(2)
  })
})
