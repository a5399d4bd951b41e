import { type Cache, createCache } from '@stepladder/cache'
import { keyPrefix, RecordedReports, type RedisServer, startRedis } from '@stepladder/core/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

const atOnce = 64
const keys = Array.from({ length: atOnce }, (_, index) => `key ${index}`)

let redis: RedisServer
let admin: Redis
let monitor: Redis
let seen: string[] = []
let name: string
const opened: Cache[] = []

beforeAll(async () => {
  redis = await startRedis()
  admin = new Redis(redis.url)
  monitor = await admin.monitor()
  monitor.on('monitor', (_time, [command = '', ...args]: string[], source) => {
    // What a script does is part of its command, and the heartbeat no part of any.
    const isBeat = command === 'publish' && /:[0-9a-f-]{36}$/.test(String(args[0]))
    if (source !== 'lua' && !isBeat && args.join(' ').includes(`{${name}`)) seen.push(command.toLowerCase())
  })
})
beforeEach(() => {
  name = keyPrefix('commands')
})
afterAll(async () => {
  await Promise.all(opened.map((cache) => cache.close()))
  monitor.disconnect()
  admin.disconnect()
  await redis.stop()
})

/** Two caches of one name; both have spoken to Redis, which knows their scripts. */
async function setUp(): Promise<readonly [Cache, Cache]> {
  const caches = [open(), open()] as const
  for (const cache of caches) {
    await cache.getOrSet('first', () => 'first')
    await cache.delete('first')
  }
  return caches
}

function open(): Cache {
  const { report } = new RecordedReports()
  const cache = createCache({ name, ttl: '5m', jitter: 0, redis: redis.url, readBudget: '5s', report })
  opened.push(cache)
  return cache
}

/** The commands that Redis was sent for it. */
async function commandsOf(task: () => Promise<unknown>): Promise<string[]> {
  // What is looked up later belongs to what was before.
  await new Promise((resolve) => setTimeout(resolve, 250))
  seen = []
  await task()
  // Redis shows them in order, so this one comes after all of them.
  await admin.call('echo', `{${name} is done`)
  await expect.poll(() => seen.at(-1), { interval: 1 }).toBe('echo')
  return seen.slice(0, -1)
}

test('a miss is two commands: the lease with the epochs, and the record', async () => {
  const [cache] = await setUp()
  const load = (key: string) => cache.getOrSet(key, () => 'value', { tags: ['a', 'b'] })
  expect(await commandsOf(() => load('missing'))).toHaveLength(2)
  expect(await commandsOf(() => Promise.all(keys.map(load)))).toHaveLength(2)
})

test('a hit in Redis is one command', async () => {
  const [one, two] = await setUp()
  await Promise.all(keys.map((key) => one.getOrSet(key, () => 'value', { tags: ['a', 'b'] })))
  const read = (key: string) => two.getOrSet(key, () => 'never', { tags: ['a', 'b'] })
  expect(await commandsOf(() => read(keys[0]!))).toHaveLength(1)
  expect(await commandsOf(() => Promise.all(keys.slice(1, 32).map(read)))).toHaveLength(1)
  expect(await commandsOf(() => Promise.all(keys.slice(32).map(read)))).toHaveLength(1)
})

test('when most claims hit, they are plain reads; the first that misses costs one command more', async () => {
  const [one, two] = await setUp()
  for (let round = 0; round < 8; round++) {
    const some = keys.map((key) => `${round} ${key}`)
    await Promise.all(some.map((key) => one.getOrSet(key, () => 'value')))
    const commands = await commandsOf(() => Promise.all(some.map((key) => two.getOrSet(key, () => 'never'))))
    expect(commands).toEqual([round < 4 ? expect.stringMatching(/evalsha|mget/) : 'mget'])
  }
  expect(await commandsOf(() => two.getOrSet('missing', () => 'value'))).toEqual([
    'mget',
    'evalsha',
    'evalsha',
  ])
})

test('an invalidation is one command, however much it names, and tells the others as well', async () => {
  const [one, two] = await setUp()
  const read = (row: string) => two.getOrSet('told', () => row, { tags: ['tag'] })
  await read('old')
  expect(await commandsOf(() => one.delete('told'))).toHaveLength(1)
  await expect.poll(() => read('new')).toBe('new')
  expect(await commandsOf(() => one.invalidate({ keys, tags: ['tag', 'other'] }))).toHaveLength(1)
  await expect.poll(() => read('newer')).toBe('newer')
  expect(await commandsOf(() => one.clear())).toHaveLength(1)
  await expect.poll(() => read('newest')).toBe('newest')
})

test('a set is two commands: the lease with the epochs, and the record', async () => {
  const [cache] = await setUp()
  await cache.set('set', 0)
  const sets = async () => {
    for (let value = 1; value <= 5; value++) await cache.set('set', value)
  }
  expect(await commandsOf(sets)).toHaveLength(10)
})

test('the echoes of what a process stored are looked up together', async () => {
  const [cache] = await setUp()
  const echoes = await commandsOf(async () => {
    await Promise.all(keys.map((key) => cache.getOrSet(key, () => 'value')))
    await new Promise((resolve) => setTimeout(resolve, 400))
  })
  expect(echoes.length).toBeLessThanOrEqual(2 + 2)
})
