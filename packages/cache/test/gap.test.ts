import { type Bus, type Cache, createCache, RedisBus, RedisStore } from '@stepladder/cache'
import { openRedis, sleep } from '@stepladder/core'
import {
  keyPrefix,
  RecordedReports,
  type SharedRedis,
  sharedRedis,
  startTcpProxy,
  type TcpProxy,
} from '@stepladder/core/testing'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

let redis: SharedRedis
let proxy: TcpProxy
const opened: Cache[] = []

beforeAll(async () => {
  redis = await sharedRedis()
})
beforeEach(async () => {
  proxy = await startTcpProxy({ port: redis.port, host: redis.host })
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((cache) => cache.close()))
  await proxy[Symbol.asyncDispose]()
})

/** One cache behind the proxy, which keeps `key` in memory, and one beside it. */
async function setUp(wrap = (bus: Bus) => bus) {
  const name = keyPrefix('gap')
  const reports = new RecordedReports()
  const publisher = openRedis(proxy.url('redis'), { owner: 'test' })
  const behind = createCache({
    ...{ name, ttl: '1m', readBudget: 200, report: reports.report },
    store: new RedisStore(name, publisher),
    bus: wrap(new RedisBus({ name, publisher })),
  })
  const beside = createCache({ name, ttl: '1m', redis: redis.url })
  opened.push(behind, beside)
  const hear = (key: string) =>
    expect
      .poll(
        async () => {
          await behind.getOrSet(key, () => 'old')
          return reports.outcomes('getOrSet').at(-1)
        },
        { timeout: 5_000 },
      )
      .toBe('hit')
  await hear('key')
  return { behind, beside, hear }
}

/** Cuts the one cache off, invalidates in the other, and tells what the first serves when it is back. */
async function invalidateInTheGap({
  behind,
  beside,
  hear,
}: Awaited<ReturnType<typeof setUp>>): Promise<unknown> {
  proxy.refuse()
  proxy.cut()
  expect(await beside.delete('key')).toBe('done')
  await proxy.accept()
  await sleep(1_000) // within the fence the old value may be served
  await hear('something else')
  return behind.getOrSet('key', () => 'new')
}

test('what was invalidated while the connection was down is not served when it is back', async () => {
  expect(await invalidateInTheGap(await setUp())).toBe('new')
})

test('the control arm: a bus that takes no notice of the gap leaves the old value in memory', async () => {
  const blind = (bus: Bus): Bus => ({
    heardUntil: Number.POSITIVE_INFINITY,
    publish: (invalidation) => bus.publish(invalidation),
    subscribe: ({ onInvalidation }) => bus.subscribe({ onInvalidation, onGap: () => {} }),
    close: () => bus.close(),
  })
  expect(await invalidateInTheGap(await setUp(blind))).toBe('old')
})

test('on a connection that swallows everything, nothing is served that was invalidated a second ago', async () => {
  const { behind, beside } = await setUp()
  proxy.blackhole()
  expect(await beside.delete('key')).toBe('done')
  const invalidatedAt = performance.now()
  let lastStale = 0
  while (performance.now() - invalidatedAt < 2_500) {
    const begunAt = performance.now()
    const served = await behind.getOrSet('key', () => 'new', { ttl: 1 })
    if (served === 'old') lastStale = begunAt - invalidatedAt
    await sleep(5)
  }
  expect(lastStale).toBeLessThan(1_000)
  await proxy.heal()
  await expect.poll(() => behind.getOrSet('key', () => 'newer', { ttl: 1 })).toBe('newer')
})
