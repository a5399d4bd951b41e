import { cacheManagerStore, createCache } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { FakeClock } from '@stepladder/core/testing'
import { type CreateCacheOptions, createCache as createManager } from 'cache-manager'
import { Keyv } from 'keyv'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LinkedBus } from './linked-bus.ts'

// cache-manager itself looks at the time of the machine.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

/** A real one: those of faked timers are of a class of their own. */
const date = new Date(0)

/** Two processes, each with a cache-manager over its cache. */
function setUp(options: CreateCacheOptions = {}) {
  const clock = new FakeClock()
  const store = new MemoryStore(clock)
  const [manager, other] = LinkedBus.ends(2).map((bus) => {
    const cache = createCache({ name: 'test', ttl: '10s', jitter: 0, clock, store, bus })
    return createManager({ stores: [cacheManagerStore(cache, Keyv)], ...options })
  })
  const advance = async (ms: number) => {
    vi.setSystemTime(Date.now() + ms)
    await clock.advance(ms)
  }
  return { manager: manager!, other: other!, advance }
}

test('set, get, mset, mget, del and mdel do what they did, for all processes', async () => {
  const { manager, other } = setUp()
  expect(await manager.set('a', { n: 1 })).toEqual({ n: 1 })
  expect(await other.get('a')).toEqual({ n: 1 })
  await manager.mset([
    { key: 'b', value: 2 },
    { key: 'c', value: null, ttl: 100 },
  ])
  expect(await other.mget(['a', 'b', 'c', 'none'])).toEqual([{ n: 1 }, 2, null, undefined])
  expect(await manager.del('a')).toBe(true)
  expect(await other.mget(['a', 'b'])).toEqual([undefined, 2])
  expect(await other.mdel(['b', 'c'])).toBe(true)
  expect(await manager.mget(['a', 'b', 'c'])).toEqual([undefined, undefined, undefined])
})

test('clear empties it everywhere', async () => {
  const { manager, other } = setUp()
  await manager.mset([
    { key: 'a', value: 1 },
    { key: 'b', value: 2 },
  ])
  expect(await other.get('a')).toBe(1)
  expect(await manager.clear()).toBe(true)
  expect(await other.mget(['a', 'b'])).toEqual([undefined, undefined])
})

test('values stay what they are, dates too, without being turned into text', async () => {
  const { manager } = setUp()
  const value = { at: date, nested: [{ when: date }] }
  await manager.set('a', value)
  expect(await manager.get('a')).toEqual(value)
})

test('wrap loads once, keeps for its ttl, and lets the failure of the function through', async () => {
  const { manager, other, advance } = setUp()
  let loads = 0
  const load = async () => ({ loads: ++loads })
  const wrapped = await Promise.all([manager.wrap('a', load, 1_000), manager.wrap('a', load, 1_000)])
  expect(wrapped).toEqual([{ loads: 1 }, { loads: 1 }])
  expect(await other.wrap('a', load, 1_000)).toEqual({ loads: 1 })
  await advance(1_000)
  expect(await other.wrap('a', load, (value) => value.loads * 100)).toEqual({ loads: 2 })
  expect(await manager.ttl('a')).toBe(Date.now() + 200)
  await advance(200)
  await expect(manager.wrap('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
  expect(await manager.get('a')).toBeUndefined()
})

test('ttl tells when a value ends; the default of cache-manager counts', async () => {
  const { manager, advance } = setUp({ ttl: 500 })
  await manager.set('a', 1)
  await manager.set('b', 1, 100)
  expect([await manager.ttl('a'), await manager.ttl('b'), await manager.ttl('none')]).toEqual([
    Date.now() + 500,
    Date.now() + 100,
    undefined,
  ])
  await advance(100)
  expect([await manager.get('a'), await manager.get('b')]).toEqual([1, undefined])
  await advance(400)
  expect(await manager.get('a')).toBeUndefined()
})

test('refreshThreshold loads anew in the background while the old value is handed out', async () => {
  const { manager, advance } = setUp({ ttl: 1_000, refreshThreshold: 300 })
  let loads = 0
  const read = () => manager.wrap('a', async () => ++loads)
  expect(await read()).toBe(1)
  await advance(600)
  expect([await read(), loads]).toEqual([1, 1])
  await advance(200)
  const refreshed = new Promise((resolve) => manager.on('refresh', resolve))
  expect(await read()).toBe(1)
  expect(await refreshed).toMatchObject({ key: 'a', value: 2 })
  expect(await read()).toBe(2)
})

test('beside a store of its own memory, what is missing there is found here', async () => {
  const { manager } = setUp()
  await manager.set('a', 1)
  const tiered = createManager({ stores: [new Keyv(), ...manager.stores] })
  expect([await tiered.get('a'), await tiered.wrap('a', () => 2)]).toEqual([1, 1])
})
