import { createServer, type Socket } from 'node:net'
import { type Cache, createCache } from '@stepladder/cache'
import { sleep } from '@stepladder/core'
import {
  keyPrefix,
  RecordedReports,
  type RedisServer,
  startRedis,
  startTcpProxy,
  type TcpProxy,
} from '@stepladder/core/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'

const budgetMs = 200
const opened: Cache[] = []
let redis: RedisServer
let name: string

beforeEach(async () => {
  redis = await startRedis()
  name = keyPrefix('outage')
})
afterEach(async () => {
  await redis.thaw()
  await Promise.all(opened.splice(0).map((cache) => cache.close()))
  await redis.stop()
})

function open(options: object = {}): { cache: Cache; reports: RecordedReports } {
  const reports = new RecordedReports()
  const cache = createCache({
    ...{ name, ttl: '1m', redis: redis.url, readBudget: budgetMs, report: reports.report },
    ...options,
  })
  opened.push(cache)
  return { cache, reports }
}

/** Waits until a value comes from memory: then the cache hears its bus. */
async function warm(cache: Cache, reports: RecordedReports, key = 'warm'): Promise<void> {
  const read = async () => {
    await cache.getOrSet(key, () => 'warm')
    return reports.outcomes('getOrSet').at(-1)
  }
  await expect.poll(read, { timeout: 10_000 }).toBe('hit')
}

async function timed<T>(task: Promise<T>): Promise<{ value: T; ms: number }> {
  const startedAt = performance.now()
  return { value: await task, ms: performance.now() - startedAt }
}

test('while Redis hangs, every read ends within its budget and the loader, and soon without waiting', async () => {
  const { cache, reports } = open()
  await warm(cache, reports)
  await redis.freeze()

  // Not all in one turn, which would be one call to Redis.
  const cold = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      await sleep(index % 5)
      return timed(cache.getOrSet(`cold ${index}`, () => index))
    }),
  )
  expect(cold.map(({ value }) => value)).toEqual(Array.from({ length: 50 }, (_, index) => index))
  expect(Math.max(...cold.map(({ ms }) => ms))).toBeLessThan(budgetMs + 300)

  // By now the breaker is open.
  const next = await timed(cache.getOrSet('next', () => 'loaded'))
  expect(next.value).toBe('loaded')
  expect(next.ms).toBeLessThan(100)
  expect(reports.outcomes('store')).toContain('refused')
  expect(await cache.get('nothing')).toBeUndefined()
})

test('while Redis is gone, reads load; when it is back, empty, it is used again', async () => {
  const { cache, reports } = open()
  await warm(cache, reports)
  await redis.kill()
  for (let index = 0; index < 20; index++) {
    const { value, ms } = await timed(cache.getOrSet(`cold ${index}`, () => index))
    expect(value).toBe(index)
    expect(ms).toBeLessThan(budgetMs + 300)
  }

  await redis.restart({ empty: true })
  const second = open()
  await expect
    .poll(
      async () => {
        await cache.delete('back')
        await cache.getOrSet('back', () => 'from the first')
        await second.cache.getOrSet('back', () => 'from the second')
        return second.reports.outcomes('getOrSet').at(-1)
      },
      { timeout: 10_000, interval: 100 },
    )
    .toBe('fetched')
  await warm(cache, reports, 'warm again')
})

test('a cache made while Redis is away loads, and uses Redis when it comes', async () => {
  await redis.kill()
  const { cache, reports } = open()
  expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded')
  await redis.restart({ empty: true })
  await warm(cache, reports)
})

test('past the fence, memory is not served while nobody can tell what was invalidated', async () => {
  const { cache, reports } = open()
  await warm(cache, reports)
  await redis.freeze()
  expect(await cache.getOrSet('warm', () => 'loaded')).toBe('warm')
  await new Promise((resolve) => setTimeout(resolve, 1_050))
  expect(await cache.getOrSet('warm', () => 'loaded')).toBe('loaded')
})

test.each(['hangs', 'is gone'] as const)(
  'an invalidation made while Redis %s is delivered when it is back',
  async (fault) => {
    const config = { appendonly: true, config: { appendfsync: 'always' } }
    await redis.stop()
    redis = await startRedis(config)
    const here = open()
    const there = open()
    await warm(here.cache, here.reports)
    await warm(there.cache, there.reports)
    await here.cache.getOrSet('key', () => 'old', { tags: ['t'] })
    await here.cache.getOrSet('tagged', () => 'old', { tags: ['t'] })

    await (fault === 'hangs' ? redis.freeze() : redis.kill())
    const { value, ms } = await timed(here.cache.invalidate({ keys: ['key'] }))
    expect(value).toBe('queued')
    expect(ms).toBeLessThan(budgetMs + 300)
    expect(await here.cache.invalidate({ tags: ['t'] })).toBe('queued')
    expect(await here.cache.getOrSet('key', () => 'new', { tags: ['t'] })).toBe('new')

    await (fault === 'hangs' ? redis.thaw() : redis.restart())
    // Not from Redis, not even before the delivery.
    expect(await here.cache.getOrSet('key', () => 'new', { tags: ['t'] })).toBe('new')
    expect(await here.cache.getOrSet('tagged', () => 'new', { tags: ['t'] })).toBe('new')
    await expect.poll(() => here.reports.outcomes('deliver'), { timeout: 10_000 }).toEqual(['done'])

    expect(await here.cache.invalidate({ keys: ['other'] })).toBe('done')
    const later = open()
    expect(await later.cache.getOrSet('key', () => 'new', { tags: ['t'] })).toBe('new')
    expect(await later.cache.getOrSet('tagged', () => 'new', { tags: ['t'] })).toBe('new')
    await expect.poll(() => there.cache.getOrSet('key', () => 'new', { tags: ['t'] })).toBe('new')
  },
)

test('the control arm: what was in Redis before it hung is still there after it, but for the invalidation', async () => {
  const { cache, reports } = open()
  await warm(cache, reports)
  await cache.getOrSet('key', () => 'old')
  await redis.freeze()
  await redis.thaw()
  await expect.poll(() => open().cache.getOrSet('key', () => 'new')).toBe('old')
})

test('more invalidations than the journal holds become one of everything', async () => {
  const { cache, reports } = open()
  await warm(cache, reports)
  await redis.kill()
  const keys = Array.from({ length: 10_001 }, (_, index) => `key ${index}`)
  expect(await cache.invalidate({ keys })).toBe('queued')
  await redis.restart({ empty: true })
  await expect.poll(() => reports.outcomes('deliver'), { timeout: 10_000 }).toEqual(['done'])
  expect(await cache.getOrSet('key 1', () => 'new')).toBe('new')
})

test('a port where something accepts and never speaks costs the budget and no more', async () => {
  const sockets: Socket[] = []
  const silent = createServer((socket) => void sockets.push(socket))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const { cache } = open({ redis: `redis://127.0.0.1:${port}` })
  const { value, ms } = await timed(cache.getOrSet('key', () => 'loaded'))
  expect(value).toBe('loaded')
  expect(ms).toBeLessThan(budgetMs + 300)
  expect((await timed(cache.close())).ms).toBeLessThan(budgetMs + 300)
  for (const socket of sockets) socket.destroy()
  silent.close()
})

/** What is done to Redis, or to the way there, while many read. */
const faults: Record<string, (proxy: TcpProxy) => Promise<void>> = {
  'connections are cut': async (proxy) => proxy.cut(),
  'Redis hangs and comes back': async () => {
    await redis.freeze()
    await sleep(300)
    await redis.thaw()
  },
  'Redis is killed and comes back empty': async () => {
    await redis.kill()
    await sleep(100)
    await redis.restart({ empty: true })
  },
  'connections are refused': async (proxy) => {
    proxy.refuse()
    proxy.cut()
    await sleep(200)
    await proxy.accept()
  },
}

test.each(Object.entries(faults))(
  'under load, while %s again and again, every read soon ends, with its value',
  async (_what, makeFault) => {
    await using proxy = await startTcpProxy(redis)
    const { cache, reports } = open({ redis: proxy.url('redis') })
    await warm(cache, reports)
    const slowest = await underLoad(cache, async () => {
      for (let fault = 0; fault < 4; fault++) {
        await makeFault(proxy)
        await sleep(250)
      }
    })
    // A lease whose grant was lost with its connection keeps others waiting until it lapses, after a second.
    expect(slowest).toBeLessThan(budgetMs + 1_300)
    expect(reports.outcomes('getOrSet')).not.toContain('failed')
    // The faults were there: without a store to ask, some calls failed.
    expect(reports.outcomes('store')).toContain('failed')
    await cache.close()
  },
)

/** Sixteen callers over two hundred keys, while the task runs; tells what the slowest read waited beyond its loader. */
async function underLoad(cache: Cache, task: () => Promise<void>): Promise<number> {
  let isOver = false
  let slowest = 0
  const caller = async (_: unknown, index: number) => {
    for (let read = index; !isOver; read += 16) {
      const key = `key ${read % 200}`
      const { value, ms } = await timed(cache.getOrSet(key, () => `row of ${key}`, { ttl: 50 }))
      expect(value).toBe(`row of ${key}`)
      slowest = Math.max(slowest, ms)
      await sleep(1)
    }
  }
  const callers = Array.from({ length: 16 }, caller)
  await task().finally(() => {
    isOver = true
  })
  await Promise.all(callers)
  return slowest
}
