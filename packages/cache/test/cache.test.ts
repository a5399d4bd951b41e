import { MemoryStore } from '@stepladder/cache/testing'
import { type Clock, systemClock } from '@stepladder/core'
import { FakeClock } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { setUp } from './set-up.ts'

/** A loader that counts, and answers when told. */
function gatedLoader<T>() {
  const gates: { resolve(value: T): void; reject(failure: unknown): void }[] = []
  const load = () => new Promise<T>((resolve, reject) => void gates.push({ resolve, reject }))
  return { load, gates }
}

test('a value is loaded once and served until its time is over', async () => {
  const { cache, clock, reports } = setUp()
  let loads = 0
  const read = () => cache.getOrSet('ada', async () => ({ loads: ++loads }))

  expect(await read()).toEqual({ loads: 1 })
  await clock.advance(9_999)
  expect(await read()).toEqual({ loads: 1 })
  await clock.advance(1)
  expect(await read()).toEqual({ loads: 2 })
  expect(reports.outcomes('getOrSet')).toEqual(['loaded', 'hit', 'loaded'])
})

test('a thousand callers of a cold key share one load', async () => {
  const { cache, reports } = setUp()
  let loads = 0
  const load = async () => ++loads
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => cache.getOrSet('cold', load)))
  expect(new Set(answers)).toEqual(new Set([1]))
  expect(reports.outcomes().filter((outcome) => outcome === 'joined')).toHaveLength(999)
})

test('one failing load is the one failure of all its callers, untouched', async () => {
  const { cache } = setUp()
  const failure = new Error('database is down')
  let loads = 0
  const load = async () => {
    loads += 1
    throw failure
  }
  const answers = await Promise.allSettled(Array.from({ length: 200 }, () => cache.getOrSet('key', load)))
  expect(answers.every((answer) => answer.status === 'rejected' && answer.reason === failure)).toBe(true)
  expect(loads).toBe(1)
  await expect(cache.getOrSet('key', async () => 'up again')).resolves.toBe('up again')
})

test('an expired value stands in while its loader fails, which is asked again every second at most', async () => {
  const { cache, clock, reports } = setUp({ grace: '1m' })
  let isDown = false
  let loads = 0
  const read = () =>
    cache.getOrSet('key', async () => {
      loads += 1
      if (isDown) throw new Error('down')
      return loads
    })
  await read()
  isDown = true
  await clock.advance(20_000)

  expect(await read()).toBe(1)
  expect(await read()).toBe(1)
  expect(loads).toBe(2)
  await clock.advance(1_000)
  expect(await read()).toBe(1)
  expect(loads).toBe(3)
  expect(reports.outcomes('getOrSet')).toEqual(['loaded', 'stale', 'stale', 'stale'])

  isDown = false
  await clock.advance(1_000)
  expect(await read()).toBe(4)
  isDown = true
  await clock.advance(70_000)
  await expect(read()).rejects.toThrow('down')
})

test('an invalidated value never stands in for a failing loader', async () => {
  const { cache, clock } = setUp({ grace: '1m' })
  await cache.getOrSet('key', async () => 'old', { tags: ['t'] })
  await clock.advance(20_000)
  await cache.invalidate({ tags: ['t'] })
  await expect(cache.getOrSet('key', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
})

test('a value that was invalidated is loaded anew: by key, by tag, all at once', async () => {
  const { cache } = setUp()
  let loads = 0
  const read = (key: string, ...tags: string[]) => cache.getOrSet(key, async () => ++loads, { tags })
  expect([await read('a', 'red'), await read('b', 'red', 'blue'), await read('c')]).toEqual([1, 2, 3])

  expect(await cache.delete('a')).toBe('done')
  expect([await read('a', 'red'), await read('b', 'red', 'blue'), await read('c')]).toEqual([4, 2, 3])
  expect(await cache.invalidate({ tags: ['red'] })).toBe('done')
  expect([await read('a', 'red'), await read('b', 'red', 'blue'), await read('c')]).toEqual([5, 6, 3])
  expect(await cache.invalidate({ tags: ['blue', 'unknown'], keys: ['c'] })).toBe('done')
  expect([await read('a', 'red'), await read('b', 'red', 'blue'), await read('c')]).toEqual([5, 7, 8])
  expect(await cache.clear()).toBe('done')
  expect([await read('a', 'red'), await read('b', 'red', 'blue'), await read('c')]).toEqual([9, 10, 11])
})

test.each(['key', 'tag', 'all'] as const)(
  'a load in flight when its %s was invalidated leaves nothing behind',
  async (by) => {
    const { cache, clock } = setUp()
    const { load, gates } = gatedLoader<string>()
    const before = cache.getOrSet('key', load, { tags: ['t'] })
    await clock.advance(0)

    if (by === 'all') await cache.clear()
    else await cache.invalidate(by === 'key' ? { keys: ['key'] } : { tags: ['t'] })
    const after = cache.getOrSet('key', load, { tags: ['t'] })
    await clock.advance(0)

    expect(gates).toHaveLength(2)
    gates[1]!.resolve('new')
    expect(await after).toBe('new')
    gates[0]!.resolve('old')
    expect(await before).toBe('old')
    expect(await cache.get('key')).toBe('new')
  },
)

test('who asks after a tag was invalidated does not wait for the load before', async () => {
  const store = new MemoryStore()
  const { cache } = setUp({ store, clock: systemClock })
  const { load, gates } = gatedLoader<string>()
  const before = cache.getOrSet('key', load, { tags: ['t'] })
  await expect.poll(() => gates.length).toBe(1)
  await cache.invalidate({ tags: ['t'] })
  expect(await cache.getOrSet('key', () => 'new', { tags: ['t'] })).toBe('new')
  gates[0]!.resolve('old')
  expect(await before).toBe('old')
})

test('a read that meets the old record just before it is removed does not bring it back', async () => {
  const store = new MemoryStore()
  const { cache } = setUp({ store })
  await cache.getOrSet('key', () => 'old')
  const invalidate = store.invalidate.bind(store)
  store.invalidate = async (...args) => {
    expect(await cache.getOrSet('key', () => 'not asked')).toBe('old')
    await invalidate(...args)
  }
  await cache.delete('key')
  expect(await cache.getOrSet('key', () => 'new')).toBe('new')
})

test('a load that was overtaken while it took its lease keeps nobody waiting', async () => {
  const store = new MemoryStore()
  const { cache } = setUp({ store, clock: systemClock })
  const claim = store.claim.bind(store)
  // The invalidation comes when the lease is granted and the reader has not heard of it.
  store.claim = async (...args) => {
    const granted = await claim(...args)
    await cache.invalidate({ tags: ['t'] })
    return granted
  }
  await cache.getOrSet('key', () => 'old', { tags: ['t'] })
  store.claim = claim
  const startedAt = performance.now()
  expect(await cache.getOrSet('key', () => 'new', { tags: ['t'] })).toBe('new')
  expect(performance.now() - startedAt).toBeLessThan(500)
})

test('a value from a machine whose clock is ahead lives no longer than its TTL', async () => {
  const clock = new FakeClock()
  const ahead: Clock = {
    now: () => clock.now() + 3_600_000,
    monotonic: () => clock.monotonic(),
    after: (ms, task) => clock.after(ms, task),
  }
  const store = new MemoryStore(clock)
  await setUp({ store, clock: ahead }).cache.set('key', 'value')
  const { cache } = setUp({ store, clock })
  expect(await cache.get('key')).toBe('value')
  await clock.advance(10_000)
  expect(await cache.get('key')).toBeUndefined()
})

test('a value that was set is served, and a load that began before does not replace it', async () => {
  const { cache, clock } = setUp()
  const { load, gates } = gatedLoader<string>()
  const loading = cache.getOrSet('key', load)
  await clock.advance(0)
  expect(await cache.set('key', 'given')).toBe('done')
  gates[0]!.resolve('loaded')
  expect(await loading).toBe('loaded')
  expect(await cache.get('key')).toBe('given')
})

test('null, false, 0 and nothing are values too', async () => {
  const { cache } = setUp()
  for (const value of [null, false, 0, '', undefined]) {
    const key = `is ${value}`
    expect(await cache.getOrSet(key, () => value)).toBe(value)
    expect(await cache.getOrSet(key, () => 'not asked' as never)).toBe(value)
  }
})

test('memory is bounded by entries and by bytes', async () => {
  const few = setUp({ maxEntries: 2 }).cache
  for (const key of ['a', 'b', 'c']) await few.set(key, key)
  expect([await few.get('a'), await few.get('b'), await few.get('c')]).toEqual([undefined, 'b', 'c'])

  const small = setUp({ maxBytes: '1kb' }).cache
  await small.set('a', 'x'.repeat(600))
  await small.set('b', 'x'.repeat(600))
  expect(await small.get('a')).toBeUndefined()
  await small.set('b', 'x'.repeat(2_000))
  expect(await small.get('b')).toBeUndefined()
})

test('TTLs are spread downwards, so that what was loaded together does not expire together', async () => {
  const { cache, clock } = setUp({ jitter: 0.5 })
  for (let index = 0; index < 200; index++) await cache.set(`${index}`, index)
  const left = async () => {
    const values = await Promise.all(Array.from({ length: 200 }, (_, index) => cache.get(`${index}`)))
    return values.filter((value) => value !== undefined).length
  }
  await clock.advance(4_999)
  expect(await left()).toBe(200)
  await clock.advance(2_500)
  expect(await left()).toBeGreaterThan(50)
  expect(await left()).toBeLessThan(150)
  await clock.advance(2_501)
  expect(await left()).toBe(0)
})

test('a defined function takes the place of its loader', async () => {
  const { cache } = setUp()
  const asked: string[] = []
  const departures = cache.define({
    key: (airport, day) => `departures:${airport}:${day}`,
    load: async (airport: string, day: number) => {
      asked.push(`${airport} ${day}`)
      return [{ airport, day }]
    },
    ttl: '1m',
    tags: (airport) => [`airport:${airport}`],
  })
  const rows: { airport: string; day: number }[] = await departures('SFO', 1)
  expect(rows).toEqual([{ airport: 'SFO', day: 1 }])
  await Promise.all([departures('SFO', 1), departures('SFO', 2)])
  expect(asked).toEqual(['SFO 1', 'SFO 2'])

  expect(await departures.invalidate('SFO', 1)).toBe('done')
  await cache.invalidate({ tags: ['airport:OAK'] })
  await Promise.all([departures('SFO', 1), departures('SFO', 2)])
  expect(asked).toEqual(['SFO 1', 'SFO 2', 'SFO 1'])
  // @ts-expect-error the arguments are those of the loader
  await departures(1, 'SFO').catch(() => {})
})

test('close waits for what is under way, and afterwards every call says that the cache is closed', async () => {
  const { cache } = setUp()
  const { load, gates } = gatedLoader<string>()
  const loading = cache.getOrSet('key', load)
  await new Promise(setImmediate)
  const closing = cache.close()
  gates[0]!.resolve('value')
  expect(await loading).toBe('value')
  await closing
  await cache.close()
  const closed = { code: 'CACHE_CLOSED' }
  await expect(cache.getOrSet('key', load)).rejects.toMatchObject(closed)
  await expect(cache.get('key')).rejects.toMatchObject(closed)
  await expect(cache.set('key', 1)).rejects.toMatchObject(closed)
  await expect(cache.clear()).rejects.toMatchObject(closed)
})
