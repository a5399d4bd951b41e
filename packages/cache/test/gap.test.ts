import { type Bus, type Cache, createCache, RedisBus, RedisStore } from '@stepladder/cache'
import { openRedis, sleep } from '@stepladder/core'
import {
  keyPrefix,
  RecordedReports,
  type RedisServer,
  startRedis,
  startTcpProxy,
  type TcpProxy,
} from '@stepladder/core/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MutingProxy } from './muting-proxy.ts'

const fenceMs = 1_000
const healsWithinMs = 500

let redis: RedisServer
let proxy: TcpProxy
const closing: (() => unknown)[] = []

beforeEach(async () => {
  redis = await startRedis({ appendonly: true, config: { appendfsync: 'always' } })
  proxy = await startTcpProxy({ port: redis.port, host: redis.host })
})
afterEach(async () => {
  await redis.thaw()
  await Promise.all(closing.splice(0).map((close) => close()))
  await proxy[Symbol.asyncDispose]()
  await redis.stop()
})

interface Watched {
  readonly cache: Cache
  /** How the last read ended. */
  lastOutcome(): string | undefined
}

function open(name: string, options: object): Watched {
  const { report, outcomes } = recorded()
  const cache = createCache({ name, ttl: '5m', readBudget: 200, report, ...options })
  closing.push(() => cache.close())
  return { cache, lastOutcome: () => outcomes().at(-1) }
}

function recorded() {
  const reports = new RecordedReports()
  return { report: reports.report, outcomes: () => reports.outcomes('getOrSet') }
}

/** Resolves when values come from memory. */
async function hears({ cache, lastOutcome }: Watched, key = 'key', row = 'old'): Promise<void> {
  const read = async () => {
    await cache.getOrSet(key, () => row)
    return lastOutcome()
  }
  await expect.poll(read, { timeout: 10_000, interval: 5 }).toBe('hit')
}

/** One cache behind the proxy, which keeps `key` in memory, and one beside it. */
async function setUp(options: object = { redis: proxy.url('redis') }) {
  const name = keyPrefix('gap')
  const [behind, beside] = [open(name, options), open(name, { redis: redis.url })]
  await hears(behind)
  return { behind, beside }
}

/** Reads without pause, and tells what was served from memory later than `fenceMs` from now. */
async function servedPastTheFence({ cache, lastOutcome }: Watched): Promise<readonly unknown[]> {
  const since = performance.now()
  const late: unknown[] = []
  while (performance.now() - since < fenceMs + 400) {
    const begunAt = performance.now()
    const served = await cache.getOrSet('key', () => 'new', { ttl: 1 })
    if (lastOutcome() === 'hit' && begunAt - since > fenceMs) late.push(served)
    await sleep(2)
  }
  return late
}

const faults = {
  'refuses and cuts': {
    make: () => {
      proxy.refuse()
      proxy.cut()
    },
    heal: () => proxy.accept(),
  },
  'swallows everything': { make: () => proxy.blackhole(), heal: () => proxy.heal() },
}

describe.each(Object.entries(faults))('a connection that %s', (_, { make, heal }) => {
  test('brings nothing back that was invalidated a second ago, then or when it is whole again', async () => {
    const { behind, beside } = await setUp()
    make()
    expect(await beside.cache.delete('key')).toBe('done')
    expect(await servedPastTheFence(behind)).toEqual([])
    await heal()
    const healedAt = performance.now()
    await hears(behind, 'something else')
    expect(performance.now() - healedAt).toBeLessThan(healsWithinMs)
    expect(await behind.cache.getOrSet('key', () => 'newest', { ttl: 1 })).not.toBe('old')
  })
})

test('the control arm: a bus that takes no notice of the gap leaves the old value in memory', async () => {
  const name = keyPrefix('gap')
  const publisher = openRedis(proxy.url('redis'), { owner: 'test' })
  const bus = blind(new RedisBus({ name, publisher }))
  const behind = open(name, { store: new RedisStore(name, publisher), bus })
  const beside = open(name, { redis: redis.url })
  await hears(behind)
  proxy.refuse()
  proxy.cut()
  expect(await beside.cache.delete('key')).toBe('done')
  expect(await servedPastTheFence(behind)).toContain('old')
  await proxy.accept()
  await hears(behind, 'something else')
  expect(await behind.cache.getOrSet('key', () => 'new')).toBe('old')
})

function blind(bus: Bus): Bus {
  return {
    heardUntil: Number.POSITIVE_INFINITY,
    publish: (invalidation) => bus.publish(invalidation),
    subscribe: ({ onInvalidation }) => bus.subscribe({ onInvalidation, onGap: () => {} }),
    close: () => bus.close(),
  }
}

const deaths = {
  'killed and started again': { make: () => redis.kill(), heal: () => redis.restart() },
  'stopped and let go on': { make: () => redis.freeze(), heal: () => redis.thaw() },
}

test.each(Object.entries(deaths))(
  'a Redis that is %s: memory rests after a second, and is served half a second after',
  async (_, { make, heal }) => {
    const { behind } = await setUp()
    await make()
    expect(await servedPastTheFence(behind)).toEqual([])
    await heal()
    const healedAt = performance.now()
    await hears(behind, 'something else')
    expect(performance.now() - healedAt).toBeLessThan(healsWithinMs)
  },
)

test('connections that lost their other end without a word are made anew', async () => {
  await using network = await MutingProxy.start(redis.port)
  const { behind } = await setUp({ redis: network.url })
  const before = network.accepted
  network.muteAll()
  await sleep(fenceMs)
  await hears(behind, 'something else')
  // What listens, and what asks.
  expect(network.accepted).toBeGreaterThanOrEqual(before + 2)
}, 20_000)
