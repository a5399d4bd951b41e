import { type CacheOptions, createCache, keepWarm, type WarmProgress } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { systemClock } from '@stepladder/core'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { describe, expect, test } from 'vitest'
import { LinkedBus } from './linked-bus.ts'

function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock()
  const store = new MemoryStore(options.clock ?? clock)
  const [cache, other] = LinkedBus.ends(2).map((bus) =>
    createCache({ name: 'test', ttl: '10s', jitter: 0, clock, store, bus, ...options }),
  )
  return { cache: cache!, other: other!, clock, store }
}

const keysUpTo = (count: number) => Array.from({ length: count }, (_, index) => `key ${index}`)

describe('warm', () => {
  test('loads what nobody has, and tells how many were loaded and how many were there', async () => {
    const { cache, other } = setUp()
    await other.set('key 1', 'there')
    const loaded: string[] = []
    const load = async (key: string) => {
      loaded.push(key)
      return `value of ${key}`
    }
    expect(await cache.warm(keysUpTo(3), { load, ttl: '5s', tags: ['t'] })).toEqual({
      ...{ loaded: 2, present: 1, failed: 0 },
      ...{ failures: [], isComplete: true },
    })
    expect(loaded).toEqual(['key 0', 'key 2'])
    expect(await other.get('key 2')).toBe('value of key 2')
    await other.invalidate({ tags: ['t'] })
    expect(await cache.getMany(keysUpTo(3))).toEqual(new Map([['key 1', 'there']]))
  })

  test('one key that fails is counted with its reason and stops nothing: by load, by loadMany, by a wrong key', async () => {
    const { cache } = setUp()
    const failure = new Error('no such row')
    const load = (key: string) => (key === 'key 1' ? Promise.reject(failure) : key)
    const result = await cache.warm([...keysUpTo(3), ''], { load, concurrency: 1 })
    expect(result).toMatchObject({ loaded: 2, present: 0, failed: 2, isComplete: true })
    expect(result.failures).toEqual([
      { key: 'key 1', reason: failure },
      { key: '', reason: expect.objectContaining({ code: 'INVALID_KEY' }) },
    ])
    const loadMany = (keys: readonly string[]) => keys.map((key) => (key === 'key 1' ? failure : key))
    expect(await cache.warm([...keysUpTo(4), ''], { loadMany })).toMatchObject({
      loaded: 1,
      present: 2,
      failed: 2,
    })
  })

  test('loadMany is called with lists of at most so many, of what is missing alone', async () => {
    const { cache } = setUp()
    await cache.set('key 3', 'there')
    const asked: number[] = []
    const loadMany = async (keys: readonly string[]) => {
      asked.push(keys.length)
      return keys
    }
    const result = await cache.warm(keysUpTo(25), { loadMany, batch: 10 })
    expect(result).toMatchObject({ loaded: 24, present: 1, failed: 0 })
    expect(asked.sort((a, b) => a - b)).toEqual([5, 9, 10])
    expect(await cache.get('key 24')).toBe('key 24')
  })

  test('a loadMany that fails fails its keys, and the next list is loaded', async () => {
    const { cache } = setUp()
    const loadMany = (keys: readonly string[]) => {
      if (keys.includes('key 0')) throw new Error('down')
      return keys
    }
    const result = await cache.warm(keysUpTo(4), { loadMany, batch: 2, concurrency: 1 })
    expect(result).toMatchObject({ loaded: 2, failed: 2 })
    expect(result.failures.map(({ key }) => key)).toEqual(['key 0', 'key 1'])
  })

  test('no more loads run at a time than allowed', async () => {
    const { cache } = setUp()
    let running = 0
    let most = 0
    const load = async () => {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running -= 1
    }
    await cache.warm(keysUpTo(20), { load, concurrency: 3 })
    expect(most).toBe(3)
  })

  test('progress is told after each key, and ends with the result', async () => {
    const { cache } = setUp()
    const told: WarmProgress[] = []
    await cache.warm(keysUpTo(3), {
      ...{ load: (key: string) => key, concurrency: 1 },
      onProgress: (progress) => told.push(progress),
    })
    expect(told).toHaveLength(3)
    expect(told.map(({ loaded }) => loaded)).toEqual([1, 2, 3])
    expect(told.at(-1)).toEqual({ loaded: 3, present: 0, failed: 0 })
  })

  test('the signal stops it: what is under way ends, nothing else begins, and the source is closed', async () => {
    const { cache } = setUp()
    const stop = new AbortController()
    let isClosed = false
    async function* keys() {
      try {
        yield* keysUpTo(100)
      } finally {
        isClosed = true
      }
    }
    let loads = 0
    const load = () => {
      if (++loads === 3) stop.abort()
      return loads
    }
    const result = await cache.warm(keys(), { load, signal: stop.signal, concurrency: 2 })
    expect(result.isComplete).toBe(false)
    expect(result.loaded).toBe(loads)
    expect(loads).toBeLessThan(5)
    expect(isClosed).toBe(true)
    expect(await cache.warm(keysUpTo(3), { load, signal: stop.signal })).toMatchObject({
      loaded: 0,
      isComplete: false,
    })
  })

  test('two processes that warm the same keys load each once', async () => {
    const { cache, other } = setUp({ clock: systemClock })
    let loads = 0
    const load = async (key: string) => {
      loads += 1
      return key
    }
    const results = await Promise.all([
      cache.warm(keysUpTo(50), { load }),
      other.warm(keysUpTo(50), { load }),
    ])
    expect(loads).toBe(50)
    expect(results[0]!.loaded + results[1]!.loaded).toBe(50)
    expect(results[0]!.present + results[1]!.present).toBe(50)
  })

  test('with refresh, what is there is loaded anew, and served until then', async () => {
    const { cache, other } = setUp()
    await cache.set('key 0', 'old')
    const row = Promise.withResolvers<string>()
    const warming = cache.warm(['key 0'], { load: () => row.promise, refresh: true })
    expect(await cache.get('key 0')).toBe('old')
    row.resolve('new')
    expect(await warming).toMatchObject({ loaded: 1, present: 0 })
    expect([await cache.get('key 0'), await other.get('key 0')]).toEqual(['new', 'new'])
    const loadMany = (keys: readonly string[]) => keys.map(() => 'newer')
    expect(await cache.warm(keysUpTo(3), { loadMany, refresh: true })).toMatchObject({ loaded: 3 })
    expect([...(await cache.getMany(keysUpTo(3))).values()]).toEqual(['newer', 'newer', 'newer'])
  })

  test('a value is loaded anew although the store has a newer one than memory', async () => {
    const { cache, other } = setUp()
    await cache.set('key', 1)
    await other.get('key')
    expect(await cache.refresh('key', () => 2)).toBe(2)
    expect(await other.get('key')).toBe(1) // its copy is good for its TTL
    expect(await other.refresh('key', () => 3)).toBe(3)
    expect(await other.get('key')).toBe(3)
  })

  test('an invalidation while a value is loaded anew wins', async () => {
    const { cache } = setUp()
    await cache.set('key', 'old')
    const [asked, row] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()]
    const load = () => {
      asked.resolve()
      return row.promise
    }
    const refreshing = cache.refresh('key', load)
    await asked.promise
    await cache.delete('key')
    row.resolve('older than the invalidation')
    expect(await refreshing).toBe('older than the invalidation')
    expect(await cache.getOrSet('key', () => 'new')).toBe('new')
  })

  test('while the store is away, refresh loads all the same', async () => {
    const { cache, store } = setUp()
    await cache.set('key', 'old')
    store.claim = () => Promise.reject(new Error('away'))
    expect(await cache.refresh('key', () => 'new')).toBe('new')
    await expect(cache.refresh('key', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
  })

  test('a namespace warms its own keys', async () => {
    const { cache } = setUp()
    const asked: string[] = []
    await cache.namespace('a').warm(['one'], { load: (key) => asked.push(key) })
    await cache
      .namespace('b')
      .warm(['one', 'two'], { loadMany: (keys) => keys.map((key) => asked.push(key)) })
    expect(asked).toEqual(['one', 'one', 'two'])
    expect([...(await cache.getMany(['a:one', 'b:one', 'b:two', 'one'])).keys()]).toEqual([
      'a:one',
      'b:one',
      'b:two',
    ])
  })

  test('wrong options are refused', async () => {
    const { cache } = setUp()
    const load = () => 1
    const loadMany = () => []
    for (const options of [{}, { load, loadMany }, { load, concurrency: 0 }, { loadMany, batch: 1.5 }])
      await expect(cache.warm([], options as never)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(cache.warm([], { load, bacth: 1 } as never)).rejects.toMatchObject({
      code: 'UNKNOWN_OPTION',
    })
  })
})

describe('keepWarm', () => {
  /** In steps of a second, each with time for what it starts. */
  async function pass(clock: FakeClock, seconds: number) {
    for (let second = 0; second < seconds; second++) {
      await clock.advance(1_000)
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    }
  }

  test('a round begins at once and then each period; of two processes one does it', async () => {
    const { cache, other, clock } = setUp({ ttl: '5m' })
    const reports = new RecordedReports()
    const rounds: string[] = []
    const start = (one: typeof cache, who: string) =>
      keepWarm({
        ...{ cache: one, name: 'top', every: '1m', keys: ['a', 'b'], clock, report: reports.report },
        load: (key) => rounds.push(`${who} ${key} at ${clock.monotonic()}`),
      })
    const [mine, theirs] = [start(cache, 'mine'), start(other, 'theirs')]
    await clock.advance(0)
    expect(rounds).toHaveLength(2)
    await pass(clock, 600)
    const periods = rounds.length / 2
    expect(periods).toBeGreaterThanOrEqual(9)
    expect(periods).toBeLessThanOrEqual(11)
    expect(reports.outcomes('warm')).toEqual(Array.from({ length: periods }, () => 'done'))
    // Who did not do the last round may have an older copy, for its TTL.
    expect([await cache.get('b'), await other.get('b')]).toContain(rounds.length)

    await mine.close()
    const before = rounds.length
    await pass(clock, 130)
    expect(rounds.length).toBeGreaterThan(before)
    expect(rounds.at(-1)).toMatch(/^theirs/)
    await theirs.close()
    const atClose = rounds.length
    await pass(clock, 300)
    expect(rounds).toHaveLength(atClose)
  })

  test('a round that takes longer than its period is the only one all the same', async () => {
    const { cache, other, clock } = setUp({ ttl: '1h' })
    let running = 0
    let most = 0
    const row = Promise.withResolvers<number>()
    const load = async () => {
      most = Math.max(most, ++running)
      await row.promise
      return --running
    }
    const kept = [cache, other].map((one) =>
      keepWarm({ cache: one, name: 'slow', every: '10s', keys: ['a'], load, clock }),
    )
    await pass(clock, 28)
    expect([running, most]).toEqual([1, 1])
    row.resolve(1)
    await Promise.all(kept.map((one) => one.close()))
  })

  test('the control arm: with a name each, two processes do it twice', async () => {
    const { cache, other, clock } = setUp({ ttl: '5m' })
    let rounds = 0
    const start = (one: typeof cache, name: string) =>
      keepWarm({ cache: one, name, every: '1m', keys: [name], load: () => ++rounds, clock })
    const kept = [start(cache, 'one'), start(other, 'two')]
    await clock.advance(0)
    expect(rounds).toBe(2)
    await Promise.all(kept.map((one) => one.close()))
  })

  test('values never run out while they are kept warm, whatever the cache says of early refresh', async () => {
    const { cache, clock } = setUp({ ttl: '100s', refreshAhead: 0.5, earlyRefresh: 1, strong: true })
    let version = 0
    const kept = keepWarm({
      cache,
      name: 'v',
      every: '60s',
      keys: async () => ['a'],
      load: () => ++version,
      clock,
    })
    await clock.advance(0)
    for (let second = 0; second < 400; second++) {
      expect(await cache.get('a')).toBeDefined()
      await clock.advance(1_000)
    }
    expect(version).toBeGreaterThan(4)
    await kept.close()
  })

  test('a round that fails is reported, and the next one comes', async () => {
    const { cache, clock } = setUp()
    const reports = new RecordedReports()
    let rounds = 0
    const keys = () => {
      if (++rounds === 1) throw new Error('no list')
      return ['good', 'bad'].slice(0, rounds)
    }
    const load = (key: string) => (key === 'bad' ? Promise.reject(new Error('no row')) : key)
    const kept = keepWarm({ cache, name: 'f', every: '10s', keys, load, clock, report: reports.report })
    await pass(clock, 25)
    expect(reports.outcomes('warm').slice(0, 2)).toEqual(['failed', 'partly'])
    await kept.close()
  })

  test('close waits for what is under way', async () => {
    const { cache, clock } = setUp()
    const row = Promise.withResolvers<string>()
    const loads: string[] = []
    const load = (key: string) => {
      loads.push(key)
      return row.promise
    }
    const kept = keepWarm({ cache, name: 'c', every: '10s', keys: keysUpTo(10), load, clock, concurrency: 1 })
    await clock.advance(0)
    const closing = kept.close()
    let isClosed = false
    void closing.then(() => {
      isClosed = true
    })
    await clock.advance(0)
    expect([loads, isClosed]).toEqual([['key 0'], false])
    row.resolve('value')
    await closing
    expect(loads).toEqual(['key 0'])
  })

  test('wrong options are refused', () => {
    const { cache } = setUp()
    const right = { cache, name: 'n', every: '1m', keys: ['a'], load: () => 1 } as const
    for (const wrong of [{ name: '' }, { every: 5 }, { every: '31d' }, { load: undefined }])
      expect(() => keepWarm({ ...right, ...wrong } as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION' }),
      )
    expect(() => keepWarm({ ...right, evrey: 1 } as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    )
  })
})
