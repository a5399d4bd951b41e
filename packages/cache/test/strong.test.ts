import { type CacheOptions, createCache } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { FakeClock, keyPrefix, sharedRedis } from '@stepladder/core/testing'
import { expect, onTestFinished, test } from 'vitest'
import { GatedLoader, setUp, setUpTwo } from './set-up.ts'

test('a strong read serves nothing that was invalidated before it, though this process has not heard of it', async () => {
  const clock = new FakeClock()
  const { one, two } = setUpTwo(new MemoryStore(clock), clock)
  await one.cache.getOrSet('key', () => 'old', { tags: ['t'] })
  await two.cache.getOrSet('key', () => 'not asked', { tags: ['t'] })
  await one.cache.invalidate({ tags: ['t'] })
  // Control: the memory of a process that hears nothing has it still.
  expect(await two.cache.getOrSet('key', () => 'not asked', { tags: ['t'] })).toBe('old')
  expect(await two.cache.getOrSet('key', () => 'new', { tags: ['t'], strong: true })).toBe('new')
})

test('a strong read joins no load that may be older than itself', async () => {
  const clock = new FakeClock()
  const { one, two } = setUpTwo(new MemoryStore(clock), clock)
  const loader = new GatedLoader<string>()
  const before = two.cache.getOrSet('key', loader.load)
  await clock.advance(1)
  await one.cache.invalidate({ keys: ['key'] })
  const strong = two.cache.getOrSet('key', () => 'new', { strong: true })
  await clock.advance(1)
  expect(await strong).toBe('new')
  loader.answer('old')
  expect(await before).toBe('old')
  expect(await one.cache.get('key')).toBe('new')
})

test('strong reads of many share a load, and all of the cache may be strong', async () => {
  const clock = new FakeClock()
  const { cache, reports } = setUp({ clock, store: new MemoryStore(clock), strong: true })
  let loads = 0
  const load = async () => {
    loads += 1
    await new Promise<void>((resolve) => void clock.after(10, resolve))
    return loads
  }
  const reads = Promise.all(Array.from({ length: 20 }, () => cache.getOrSet('key', load)))
  await clock.advance(500)
  expect(new Set(await reads)).toEqual(new Set([1]))
  expect(await cache.getOrSet('key', load)).toBe(1)
  expect(reports.outcomes('getOrSet').at(-1)).toBe('fetched')
})

test('without a store an invalidation is done when all have heard of it, and memory is as strong', async () => {
  const { cache, reports } = setUp({ strong: true })
  await cache.getOrSet('key', () => 'value')
  expect(await cache.getOrSet('key', () => 'not asked')).toBe('value')
  expect(reports.outcomes('getOrSet')).toEqual(['loaded', 'hit'])
  expect(await cache.refresh('key', () => 'anew')).toBe('anew')
  expect(await cache.get('key')).toBe('anew')
})

test('on Redis: of a hundred changes each is seen at once by a strong read elsewhere, and not by each other one', async () => {
  const { url } = await sharedRedis()
  const open = (options: Partial<CacheOptions> = {}) => {
    const cache = createCache({ name, ttl: '1m', redis: url, ...options })
    onTestFinished(() => cache.close())
    return cache
  }
  const name = keyPrefix('strong')
  const [writer, reader] = [open(), open()]
  let row = 0
  const load = async () => row
  await expect.poll(() => reader.getOrSet('key', load, { strong: true })).toBe(0)
  const old = { strong: 0, usual: 0 }
  for (let change = 1; change <= 100; change++) {
    await reader.getOrSet('key', load)
    row = change
    expect(await writer.invalidate({ keys: ['key'] })).toBe('done')
    const [usual, strong] = await Promise.all([
      reader.getOrSet('key', load),
      reader.getOrSet('key', load, { strong: true }),
    ])
    if (usual !== change) old.usual += 1
    if (strong !== change) old.strong += 1
  }
  expect(old.strong).toBe(0)
  expect(old.usual).toBeGreaterThan(0)
})
