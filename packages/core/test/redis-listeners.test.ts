import { openRedis, type RedisClient, RedisListeners, redisMasters } from '@stepladder/core'
import {
  keyPrefix,
  type RedisCluster,
  sharedRedis,
  startRedis,
  startRedisCluster,
} from '@stepladder/core/testing'
import { Cluster, Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'

/** Asks to be told of writes, on each of its connections. */
class Listening {
  readonly written: string[] = []
  readonly connection: RedisClient
  connections = 0
  isClosed = false

  constructor(connection: RedisClient, prefix: string) {
    this.connection = connection
    connection.on('error', () => {})
    // What Redis tells of writes: their names, in Buffers.
    connection.on('messageBuffer', (_channel, names) => this.written.push(String(names)))
    connection.on('ready', () => void this.#ask(prefix))
    connection.connect().catch(() => {})
  }

  close(): void {
    this.isClosed = true
    this.connection.disconnect()
  }

  async #ask(prefix: string): Promise<void> {
    const id = Number(await this.connection.call('client', 'id'))
    await this.connection.call('client', 'tracking', 'on', 'redirect', id, 'bcast', 'prefix', prefix)
    await this.connection.call('subscribe', '__redis__:invalidate')
    this.connections += 1
  }
}

function listenersOf(client: RedisClient, prefix: string): RedisListeners<Listening> {
  const listeners = new RedisListeners(client, (connection) => new Listening(connection, prefix))
  onTestFinished(() => listeners.close())
  return listeners
}

function endAfterTest(...clients: readonly RedisClient[]): void {
  onTestFinished(() => {
    for (const client of clients) client.disconnect()
  })
}

async function openCluster(): Promise<{ servers: RedisCluster; client: RedisClient }> {
  const servers = await startRedisCluster()
  const client = await openRedis(new Cluster([...servers.urls], { lazyConnect: true }), { owner: 'test' })
  onTestFinished(async () => {
    client.disconnect()
    await servers.stop()
  })
  return { servers, client }
}

test.each([{}, { protocol: 2 as const }, { keyPrefix: 'app:' }, { autoResubscribe: true }])(
  "what the app's client is set to, here %o, does not keep its copy from hearing of writes",
  async (options) => {
    const { url } = await sharedRedis()
    const [theirs, writer, key] = [new Redis(url, options), new Redis(url), keyPrefix()]
    endAfterTest(theirs, writer)
    const listeners = listenersOf(theirs, key)

    listeners.follow()
    const [listening] = [...listeners]
    await expect.poll(() => listening?.connections, { timeout: 5_000 }).toBe(1)
    await writer.set(key, 'value')

    await expect.poll(() => listening?.written, { timeout: 5_000 }).toEqual([key])
    expect(await theirs.ping()).toBe('PONG')
  },
)

test('a plain copy of a client as ioredis makes it hears of no write: what the settings are for', async () => {
  const { url } = await sharedRedis()
  const [theirs, writer, key] = [new Redis(url), new Redis(url), keyPrefix()]
  endAfterTest(theirs, writer)
  const listening = new Listening(theirs.duplicate({ lazyConnect: true }), key)
  const settled = listenersOf(theirs, key)
  settled.follow()
  const [other] = [...settled]
  onTestFinished(() => listening.close())
  await expect.poll(() => [listening.connections, other?.connections], { timeout: 5_000 }).toEqual([1, 1])

  await writer.set(key, 'value')

  await expect.poll(() => other?.written, { timeout: 5_000 }).toEqual([key])
  expect(listening.written).toEqual([])
})

test('a connection that breaks is made anew, for ever, and asks for nothing by itself', async () => {
  await using redis = await startRedis()
  const client = await openRedis(redis.url, { owner: 'test' })
  const key = keyPrefix()
  endAfterTest(client)
  const listeners = listenersOf(client, key)
  listeners.follow()
  const [listening] = [...listeners]
  await expect.poll(() => listening?.connections, { timeout: 5_000 }).toBe(1)

  await redis.kill()
  await redis.restart()
  await expect.poll(() => listening?.connections, { timeout: 10_000 }).toBe(2)
  listening?.connection.disconnect(true)
  await expect.poll(() => listening?.connections, { timeout: 10_000 }).toBe(3)

  await expect.poll(() => client.call('set', key, 'value').catch(String), { timeout: 10_000 }).toBe('OK')
  await expect.poll(() => listening?.written, { timeout: 5_000 }).toEqual([key])
})

test('on a cluster, each master tells of its keys; a listener goes with its master and comes with it', async () => {
  const { client } = await openCluster()
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
  const written = () => [first!, ...others].flatMap((listening) => listening.written)
  await expect.poll(() => written().toSorted(), { timeout: 5_000 }).toEqual(keys.toSorted())
  expect([first!, ...others].map((listening) => listening.written.length)).not.toContain(0)

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
