import {
  type BusListener,
  type Cache,
  type CacheOptions,
  createCache,
  type Invalidation,
  RedisBus,
  RedisLink,
  RedisStore,
} from '@stepladder/cache'
import { openRedis, type RedisClient } from '@stepladder/core'
import { FakeClock, keyPrefix, RecordedReports, type RedisServer, startRedis } from '@stepladder/core/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { placeRecord } from './place-record.ts'

const longMs = 60_000
const times = { leaseMs: longMs, epochsMs: longMs }
const record = Buffer.from('a record of ours')

let redis: RedisServer
let admin: RedisClient
const closing: (() => unknown)[] = []

beforeAll(async () => {
  redis = await startRedis()
  admin = await openRedis(redis.url, { owner: 'test' })
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})
afterAll(async () => {
  admin.disconnect()
  await redis.stop()
})

interface SetUp {
  readonly url?: string
  readonly tracking?: boolean
  readonly client?: Promise<RedisClient>
  readonly isRelied?: (key: string) => boolean
}

/** A store with its bus, and what that tells; `name` is that of a record or tag in Redis. */
async function setUp({
  url = redis.url,
  tracking = true,
  client = openRedis(url, { owner: 'test' }),
  isRelied = () => true,
}: SetUp = {}) {
  const name = keyPrefix('tracking')
  const link = new RedisLink()
  const reports = new RecordedReports()
  const store = new RedisStore(name, client, link)
  const bus = new RedisBus({ name, publisher: client, link, tracking, report: reports.report })
  const touched = { keys: [] as string[], tags: [] as string[] }
  const invalidated: Invalidation[] = []
  let gaps = 0
  const listener: BusListener = {
    onInvalidation: (invalidation) => void invalidated.push(invalidation),
    onGap: () => {
      gaps += 1
    },
    onTouched({ keys, tags }) {
      touched.keys.push(...keys)
      touched.tags.push(...tags)
    },
    isRelied,
  }
  bus.subscribe(listener)
  closing.push(
    () => bus.close(),
    () => store.close(),
  )
  await expect.poll(() => bus.heardUntil, { timeout: 5_000 }).toBeGreaterThan(performance.now())
  return {
    ...{ store, bus, touched, invalidated, reports, name, client: await client },
    gaps: () => gaps,
    recordName: (key: string) => `slc2:r:{${name}:${key}}`,
    tagName: (tag: string) => `slc2:t:{${name}:${tag}}`,
    load: async (key: string) => {
      await store.claim([{ key, token: 'a' }], [], times)
      expect(await store.fill([{ key, token: 'a', record, forMs: longMs }])).toEqual([true])
    },
  }
}

/** Long enough for echoes to be looked up. */
const echoesMs = 400
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

test('a record that another program removes or overwrites is told of', async () => {
  const { touched, recordName } = await setUp()
  await admin.call('set', recordName('written'), 'by redis-cli')
  await admin.call('del', recordName('written'))
  await expect.poll(() => touched.keys).toContain('written')
})

test('a record that nobody here relies on is not told of', async () => {
  const { touched, recordName } = await setUp({ isRelied: (key) => key !== 'unheeded' })
  await admin.call('set', recordName('unheeded'), 'by redis-cli')
  await admin.call('set', recordName('written'), 'by redis-cli')
  await expect.poll(() => touched.keys).toContain('written')
  expect(touched.keys).not.toContain('unheeded')
})

test('the control arm: without tracking nobody hears of it', async () => {
  const { touched, recordName, store, invalidated } = await setUp({ tracking: false })
  await admin.call('set', recordName('written'), 'by redis-cli')
  const other = await setUp({ client: openRedis(redis.url, { owner: 'test' }) })
  await other.load('key')
  await pause(echoesMs)
  expect(touched.keys).toEqual([])
  expect(invalidated).toEqual([])
  await store.close()
})

test('a record whose time is over is told of', async () => {
  const { touched, store } = await setUp()
  await placeRecord(store, 'short', record, 30)
  await expect.poll(() => touched.keys, { timeout: 5_000 }).toContain('short')
})

test('what Redis evicts is told of', async () => {
  await using small = await startRedis({ config: { maxmemory: '4mb', 'maxmemory-policy': 'allkeys-lru' } })
  const { touched, store } = await setUp({ url: small.url })
  const keys = Array.from({ length: 60 }, (_, index) => `large ${index}`)
  for (const key of keys.slice(0, 10)) await placeRecord(store, key, Buffer.alloc(100_000), longMs)
  await pause(echoesMs)
  expect(touched.keys).toEqual([])
  for (const key of keys.slice(10)) await placeRecord(store, key, Buffer.alloc(100_000), longMs)
  // Which of them, Redis chooses by looking at a few.
  const records = await store.get(keys)
  const evicted = keys.filter((_, index) => records[index] === null)
  expect(evicted.length).toBeGreaterThan(10)
  await expect.poll(() => touched.keys, { timeout: 5_000 }).toEqual(expect.arrayContaining(evicted))
})

test('when all is flushed, everything may have been missed', async () => {
  await using own = await startRedis()
  const { gaps } = await setUp({ url: own.url })
  const before = gaps()
  const other = await openRedis(own.url, { owner: 'test' })
  await other.call('flushall')
  await expect.poll(gaps).toBeGreaterThan(before)
  other.disconnect()
})

test('what this process stored, set and removed itself is not told of', async () => {
  const { store, load, touched, gaps } = await setUp()
  const before = gaps()
  await load('loaded')
  await placeRecord(store, 'set', record, longMs)
  await load('removed')
  await store.invalidate({ keys: ['removed'], tags: ['tag'] })
  await pause(echoesMs)
  expect(touched).toEqual({ keys: [], tags: [] })
  expect(gaps()).toBe(before)
})

test("another's write in the very turn of our own, of which Redis tells but once, is told of", async () => {
  const { store, client, touched, recordName, load } = await setUp()
  await load('first') // so that Redis knows the script
  await store.claim([{ key: 'key', token: 'a' }], [], times)
  // Over one connection and so in this order, at once.
  const ours = store.fill([{ key: 'key', token: 'a', record, forMs: longMs }])
  await new Promise<void>((resolve) => process.nextTick(resolve))
  await Promise.all([ours, client.call('set', recordName('key'), "somebody else's")])
  expect(await client.get(recordName('key'))).toBe("somebody else's")
  await expect.poll(() => touched.keys).toEqual(['key'])
})

test('what another process stores is told of, once', async () => {
  const { touched, name } = await setUp()
  const other = new RedisStore(name, openRedis(redis.url, { owner: 'test' }))
  closing.push(() => other.close())
  await other.claim([{ key: 'key', token: 'b' }], [], times)
  await pause(echoesMs)
  expect(touched.keys).toEqual([]) // a lease is nobody's business
  await other.fill([{ key: 'key', token: 'b', record, forMs: longMs }])
  await expect.poll(() => touched.keys).toEqual(['key'])
})

test("a tag's epoch that another program removes is told of, and one that is merely prolonged is not", async () => {
  const { store, touched, tagName } = await setUp()
  await store.claim([], ['tag'], { ...times, epochsMs: 1_000 })
  await store.claim([], ['tag'], { ...times, epochsMs: longMs })
  await pause(echoesMs)
  expect(touched.tags).toEqual([])
  await admin.call('del', tagName('tag'))
  await expect.poll(() => touched.tags).toEqual(['tag'])
})

test('on every new connection Redis is asked again', async () => {
  const { touched, recordName, bus, gaps } = await setUp()
  const before = gaps()
  expect(await admin.call('client', 'kill', 'type', 'pubsub')).toBeGreaterThan(0)
  await expect.poll(gaps, { timeout: 5_000 }).toBeGreaterThan(before)
  await expect.poll(() => bus.heardUntil).toBeGreaterThan(performance.now())
  await admin.call('set', recordName('later'), 'by redis-cli')
  await expect.poll(() => touched.keys).toContain('later')
})

test('a client with a prefix of its own hears of its keys', async () => {
  const { Redis } = await import('ioredis')
  const theirs = new Redis(redis.url, { keyPrefix: 'app:' })
  closing.push(() => theirs.disconnect())
  const { touched, recordName, load } = await setUp({ client: openRedis(theirs, { owner: 'test' }) })
  await load('key')
  await pause(echoesMs)
  expect(touched.keys).toEqual([])
  expect(await admin.call('del', `app:${recordName('key')}`)).toBe(1)
  await expect.poll(() => touched.keys).toEqual(['key'])
})

test('where Redis refuses to track, messages are heard all the same, and that is reported once', async () => {
  await admin.call('acl', 'setuser', 'untracked', 'on', '>secret', '~*', '&*', '+@all', '-client|tracking')
  const url = redis.url.replace('redis://', 'redis://untracked:secret@')
  const { reports, invalidated, name, bus, gaps } = await setUp({ url })
  const before = gaps()
  await admin.call('client', 'kill', 'type', 'pubsub')
  await expect.poll(gaps, { timeout: 5_000 }).toBeGreaterThan(before)
  await expect.poll(() => bus.heardUntil).toBeGreaterThan(performance.now())
  expect(reports.outcomes('listen')).toEqual(['untracked'])
  const other = new RedisStore(name, openRedis(redis.url, { owner: 'test' }))
  closing.push(() => other.close())
  await other.invalidate({ keys: ['key'], tags: ['tag'] })
  await expect.poll(() => invalidated).toEqual([{ keys: ['key'], tags: ['tag'] }])
})

test('where Redis refuses its channels, memory is not used, and that is reported once', async () => {
  const user = ['acl', 'setuser', 'unheard', 'on', '>secret', '~*', 'resetchannels', '+@all'] as const
  await admin.call(...user)
  const url = redis.url.replace('redis://', 'redis://unheard:secret@')
  const reports = new RecordedReports()
  const cache = createCache({ name: keyPrefix('unheard'), ttl: '1m', redis: url, report: reports.report })
  closing.push(() => cache.close())

  expect(await reports.until('listen', 'refused')).toMatchObject({ cause: { name: 'ReplyError' } })
  for (let n = 0; n < 3; n++) expect(await cache.getOrSet('key', () => 'value')).toBe('value')
  expect(reports.outcomes('getOrSet')).not.toContain('hit')

  // It is asked again all the same.
  await admin.call(...user, 'allchannels')
  const lastOutcome = async () => {
    await cache.getOrSet('key', () => 'value')
    return reports.outcomes('getOrSet').at(-1)
  }
  await expect.poll(lastOutcome, { timeout: 5_000 }).toBe('hit')
  expect(reports.outcomes('listen').filter((outcome) => outcome === 'refused')).toHaveLength(1)
})

describe('a cache', () => {
  test('forgets what another program removed from Redis, and keeps what it stored itself', async () => {
    const { cache, lastOutcome, name } = await openCache()
    await cache.getOrSet('key', () => 'old')
    await cache.getOrSet('other', () => 'old')
    await pause(echoesMs)
    await cache.getOrSet('key', () => 'new')
    expect(lastOutcome()).toBe('hit') // its own echo did not touch it
    await admin.call('del', `slc2:r:{${name}:key}`)
    await expect.poll(() => cache.getOrSet('key', () => 'new')).toBe('new')
    await cache.getOrSet('other', () => 'new')
    expect(lastOutcome()).toBe('hit')
  })

  test('the control arm: without tracking it serves what is gone', async () => {
    const { cache, name } = await openCache({ tracking: false })
    await cache.getOrSet('key', () => 'old')
    await admin.call('del', `slc2:r:{${name}:key}`)
    await pause(echoesMs)
    expect(await cache.getOrSet('key', () => 'new')).toBe('old')
  })

  test('that waits for the load of another has its value when it is there, not when it looks next', async () => {
    expect(await readOfWaiting({})).toBe('loaded')
  })

  test('the control arm: without tracking it waits for the time of its next look', async () => {
    expect(await readOfWaiting({ tracking: false })).toBe('waits on')
  })
})

async function openCache(options: Partial<CacheOptions> = {}) {
  const { name = keyPrefix('tracking') } = options
  const reports = new RecordedReports()
  const cache: Cache = createCache({
    ...{ ttl: '5m', redis: redis.url, readBudget: '5s', report: reports.report },
    ...options,
    name,
  })
  closing.push(() => cache.close())
  const lastOutcome = () => reports.outcomes('getOrSet').at(-1)
  const warm = async () => {
    await cache.getOrSet('warm', () => 'warm')
    return lastOutcome()
  }
  await expect.poll(warm, { timeout: 5_000 }).toBe('hit')
  return { cache, lastOutcome, name }
}

/** One cache loads, and another, for which no time passes, waits for it. */
async function readOfWaiting(options: Partial<CacheOptions>): Promise<unknown> {
  const { cache: loading, name } = await openCache()
  const clock = new FakeClock()
  const { cache: waiting } = await openCache({ ...options, name, clock })
  closing.unshift(() => clock.advance(1_000))
  const begun = Promise.withResolvers<void>()
  const row = Promise.withResolvers<string>()
  const load = () => {
    begun.resolve()
    return row.promise
  }
  const loaded = loading.getOrSet('key', load)
  await begun.promise
  const read = waiting.getOrSet('key', () => 'loaded twice')
  await pause(100)
  row.resolve('loaded')
  await loaded
  return Promise.race([read, pause(500).then(() => 'waits on')])
}
