import { MemoryStore } from '@stepladder/cache/testing'
import { FakeClock } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { GatedLoader, setUp, setUpTwo } from './set-up.ts'

const engines = [
  { engine: 'memory alone', store: () => undefined },
  { engine: 'a store', store: (clock: FakeClock) => new MemoryStore(clock) },
]

test.each(engines)(
  'on $engine: where an old value may stand in, a slow loader is waited for no longer than the soft timeout, and what it brings is kept',
  async ({ store }) => {
    const clock = new FakeClock()
    const { cache, reports } = setUp({ clock, store: store(clock), grace: '1m', softTimeout: 200 })
    await cache.getOrSet('key', () => 'old')
    await clock.advance(10_000)
    const loader = new GatedLoader<string>()

    const read = cache.getOrSet('key', loader.load)
    await clock.advance(199)
    await expect(Promise.race([read, 'still waiting'])).resolves.toBe('still waiting')
    await clock.advance(1)
    expect(await read).toBe('old')
    // One load under way is enough, and nobody waits for it a second time.
    expect(await cache.getOrSet('key', loader.load)).toBe('old')
    expect(loader.count).toBe(1)
    expect(reports.outcomes('getOrSet')).toEqual(['loaded', 'stale', 'stale'])

    loader.answer('new')
    await clock.advance(1)
    expect(await cache.getOrSet('key', loader.load)).toBe('new')
    expect(loader.count).toBe(1)
  },
)

test('where nothing may stand in, the soft timeout means nothing', async () => {
  const { cache, clock } = setUp({ grace: '1m', softTimeout: 200 })
  const loader = new GatedLoader<string>()
  const read = cache.getOrSet('key', loader.load)
  await clock.advance(5_000)
  loader.answer('loaded')
  expect(await read).toBe('loaded')
})

test('a value that was invalidated never stands in for the sake of speed', async () => {
  const { cache, clock } = setUp({ grace: '1m', softTimeout: 200 })
  await cache.getOrSet('key', () => 'old')
  await clock.advance(10_000)
  const loader = new GatedLoader<string>()
  const read = cache.getOrSet('key', loader.load)
  await clock.advance(100)
  await cache.invalidate({ keys: ['key'] })
  await clock.advance(5_000)
  loader.answer('as of before')
  expect(await read).toBe('as of before')
})

test('an invalidation overtakes a load that goes on after its callers were answered', async () => {
  const { cache, clock } = setUp({ grace: '1m', softTimeout: 200 })
  await cache.getOrSet('key', () => 'old')
  await clock.advance(10_000)
  const loader = new GatedLoader<string>()
  const read = cache.getOrSet('key', loader.load)
  await clock.advance(200)
  expect(await read).toBe('old')
  await cache.invalidate({ keys: ['key'] })
  loader.answer('as of before')
  await clock.advance(1)
  expect(await cache.getOrSet('key', () => 'new')).toBe('new')
})

test('a loader that fails after its callers were answered with the old value harms nobody', async () => {
  const { cache, clock } = setUp({ grace: '1m', softTimeout: 200 })
  await cache.getOrSet('key', () => 'old')
  await clock.advance(10_000)
  const loader = new GatedLoader<string>()
  const read = cache.getOrSet('key', loader.load)
  await clock.advance(200)
  expect(await read).toBe('old')
  loader.fail(new Error('too late'))
  await clock.advance(1)
  expect(await cache.getOrSet('key', () => 'not asked so soon')).toBe('old')
  await clock.advance(1_000)
  expect(await cache.getOrSet('key', () => 'new')).toBe('new')
})

test.each(engines)(
  'on $engine: at the hard timeout callers get an error that says so, and what the loader brings later is kept',
  async ({ store }) => {
    const clock = new FakeClock()
    const { cache } = setUp({ clock, store: store(clock), hardTimeout: '1s' })
    const loader = new GatedLoader<string>()
    const reads = [1, 2, 3].map(() => cache.getOrSet('key', loader.load))
    const failures = Promise.all(reads.map((read) => read.catch((failure: unknown) => failure)))
    await clock.advance(1_000)
    for (const failure of await failures)
      expect(failure).toMatchObject({ code: 'LOAD_TIMEOUT', ms: 1_000, message: /test.*1000 ms/ as never })
    expect(loader.count).toBe(1)
    loader.answer('at last')
    await clock.advance(1)
    expect(await cache.getOrSet('key', loader.load)).toBe('at last')
    expect(loader.count).toBe(1)
  },
)

test('at the hard timeout an old value stands in, where one may', async () => {
  const { cache, clock } = setUp({ grace: '1m', hardTimeout: '1s' })
  await cache.getOrSet('key', () => 'old')
  await clock.advance(10_000)
  const loader = new GatedLoader<string>()
  const read = cache.getOrSet('key', loader.load)
  await clock.advance(1_000)
  expect(await read).toBe('old')
})

test('a load that goes on keeps its lease: another process waits for it and does not load', async () => {
  const clock = new FakeClock()
  const { one, two } = setUpTwo(new MemoryStore(clock), clock, { hardTimeout: '2s' })
  const loader = new GatedLoader<string>()
  const failing = one.cache.getOrSet('key', loader.load).catch(({ code }) => code)
  await clock.advance(2_500)
  expect(await failing).toBe('LOAD_TIMEOUT')
  const read = two.cache.getOrSet('key', () => 'loaded twice')
  await clock.advance(1_500)
  loader.answer('loaded once')
  await clock.advance(200)
  expect(await read).toBe('loaded once')
})
