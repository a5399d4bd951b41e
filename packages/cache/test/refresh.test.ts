import { createCache } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { FakeClock } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { GatedLoader, setUp, setUpTwo } from './set-up.ts'

test('after its share of the TTL a value that is asked for is loaded anew, and served meanwhile', async () => {
  const { cache, clock, reports } = setUp({ refreshAhead: 0.5 })
  const loader = new GatedLoader<string>()
  await cache.getOrSet('key', () => 'one')
  await clock.advance(4_999)
  expect(await cache.getOrSet('key', loader.load)).toBe('one')
  expect(loader.count).toBe(0)
  await clock.advance(1)
  expect(await cache.getOrSet('key', loader.load)).toBe('one')
  expect(await cache.getOrSet('key', loader.load)).toBe('one')
  await clock.advance(1)
  expect(loader.count).toBe(1)
  loader.answer('two')
  await clock.advance(1)
  expect(await cache.getOrSet('key', loader.load)).toBe('two')
  await clock.advance(4_000)
  expect(await cache.getOrSet('key', loader.load)).toBe('two')
  expect(loader.count).toBe(1)
  expect(reports.outcomes('refresh')).toEqual(['loaded'])
})

test('who asks when the TTL is over joins the refresh that is under way', async () => {
  const { cache, clock } = setUp({ refreshAhead: 0.5 })
  const loader = new GatedLoader<string>()
  await cache.getOrSet('key', () => 'one')
  await clock.advance(6_000)
  await cache.getOrSet('key', loader.load)
  await clock.advance(4_000)
  const read = cache.getOrSet('key', loader.load)
  await clock.advance(1)
  loader.answer('two')
  expect(await read).toBe('two')
  expect(loader.count).toBe(1)
})

test('a refresh that fails is told in the reports, spares the callers, and is tried again a second later', async () => {
  const { cache, clock, reports } = setUp({ refreshAhead: 0.5 })
  await cache.getOrSet('key', () => 'one')
  await clock.advance(5_000)
  let tries = 0
  const failing = () => {
    tries += 1
    throw new Error('down')
  }
  for (let tenth = 0; tenth < 20; tenth++) {
    expect(await cache.getOrSet('key', failing)).toBe('one')
    await clock.advance(100)
  }
  expect(tries).toBe(2)
  expect(reports.outcomes('refresh')).toEqual(['failed', 'failed'])
})

test('a refresh that an invalidation overtook is not kept', async () => {
  const { cache, clock } = setUp({ refreshAhead: 0.5 })
  const loader = new GatedLoader<string>()
  await cache.getOrSet('key', () => 'one')
  await clock.advance(5_000)
  await cache.getOrSet('key', loader.load)
  await clock.advance(1)
  await cache.invalidate({ keys: ['key'] })
  const read = cache.getOrSet('key', () => 'new')
  loader.answer('as of before')
  expect(await read).toBe('new')
  expect(await cache.get('key')).toBe('new')
})

test('of many processes one refreshes; the others go on serving, and take over what it stored', async () => {
  const clock = new FakeClock()
  const { one, two } = setUpTwo(new MemoryStore(clock), clock, { refreshAhead: 0.5 })
  await one.cache.getOrSet('key', () => 'one')
  expect(await two.cache.getOrSet('key', () => 'not asked')).toBe('one')
  await clock.advance(5_000)
  const loader = new GatedLoader<string>()
  await one.cache.getOrSet('key', loader.load)
  await clock.advance(1)
  expect(await two.cache.getOrSet('key', loader.load)).toBe('one')
  await clock.advance(1)
  expect(loader.count).toBe(1)
  expect(two.reports.outcomes('refresh')).toEqual(['elsewhere'])
  loader.answer('two')
  await clock.advance(4_999)
  expect(await two.cache.getOrSet('key', loader.load)).toBe('two')
  expect(loader.count).toBe(1)
})

test('XFetch loads early the likelier the longer a load takes: as often as its formula says', async () => {
  const clock = new FakeClock()
  const cache = createCache({ name: 'x', ttl: '10s', jitter: 0, clock, earlyRefresh: 1, maxEntries: 20_000 })
  const keys = Array.from({ length: 4_000 }, (_, index) => `key ${index}`)
  const slow = async () => {
    await new Promise<void>((resolve) => void clock.after(1_000, resolve))
    return 'value'
  }
  const first = Promise.all(keys.map((key) => cache.getOrSet(key, slow)))
  await clock.advance(1_000)
  await first
  // One second before its end a value whose loading takes a second is refreshed with e^-1.
  await clock.advance(9_000)
  const early = vi.fn(() => 'early')
  await Promise.all(keys.map((key) => cache.getOrSet(key, early)))
  await clock.advance(1)
  expect(early.mock.calls.length / keys.length).toBeGreaterThan(Math.exp(-1) - 0.05)
  expect(early.mock.calls.length / keys.length).toBeLessThan(Math.exp(-1) + 0.05)
})

test('a loader is told what it replaces, and may say that it still holds', async () => {
  const clock = new FakeClock()
  const { one, two } = setUpTwo(new MemoryStore(clock), clock, { grace: '1m' })
  await one.cache.getOrSet('key', ({ previous, etag, setEtag }) => {
    expect([previous, etag]).toEqual([undefined, undefined])
    setEtag('"v1"')
    return { rows: 3 }
  })
  await clock.advance(10_000)
  // Another process, which has it from the store.
  const value = await two.cache.getOrSet<{ rows: number }>('key', (context) => {
    expect([context.previous, context.etag]).toEqual([{ rows: 3 }, '"v1"'])
    return context.notModified()
  })
  expect(value).toEqual({ rows: 3 })
  await clock.advance(9_999)
  expect(await two.cache.get('key')).toEqual({ rows: 3 })
  await clock.advance(1)
  await one.cache.getOrSet('key', ({ etag }) => expect(etag).toBe('"v1"'))
})

test('what was invalidated is not told to a loader, and "not modified" of nothing is an error', async () => {
  const { cache } = setUp({ grace: '1m' })
  await cache.getOrSet('key', () => 'old')
  await cache.invalidate({ keys: ['key'] })
  await expect(
    cache.getOrSet('key', ({ previous, notModified }) => {
      expect(previous).toBeUndefined()
      return notModified()
    }),
  ).rejects.toMatchObject({ code: 'NOTHING_TO_KEEP' })
})
