import { type CacheOptions, createCache } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { describe, expect, test } from 'vitest'
import { LinkedBus } from './linked-bus.ts'

/** Two caches that stand for two processes, with their shared store. */
function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock()
  const store = new MemoryStore(clock)
  const reports = new RecordedReports()
  const [bus, otherBus] = LinkedBus.ends(2)
  const common = { name: 'test', ttl: '10s', jitter: 0, clock, store, ...options } as const
  const cache = createCache({ ...common, bus: bus!, report: reports.report })
  const other = createCache({ ...common, bus: otherBus! })
  /** Until what was told in the background has been heard. */
  const told = () => clock.advance(0)
  return {
    ...{ cache, other, clock, store, reports, told, bus: bus!, otherBus: otherBus! },
    local: cache.local,
  }
}

describe('as an LRU', () => {
  test('what was set is there at once, without waiting', () => {
    const { local } = setUp()
    expect(local.get('a')).toBeUndefined()
    expect(local.set('a', 1).set('b', { deep: 2 })).toBe(local)
    expect([local.get('a'), local.get('b'), local.peek('a'), local.has('b')]).toEqual([
      1,
      { deep: 2 },
      1,
      true,
    ])
    expect(local.delete('a')).toBe(true)
    expect(local.delete('a')).toBe(false)
    expect([local.get('a'), local.has('a'), local.peek('a')]).toEqual([undefined, false, undefined])
    local.clear()
    expect(local.missing(['a', 'b'])).toEqual(['a', 'b'])
  })

  test('values of any type stay what they are: functions, promises, instances, the same object each time', () => {
    const { local } = setUp()
    class User {}
    const values = [() => 1, Promise.resolve(1), new User(), new Map([[1, 2]]), undefined, null, Symbol('s')]
    for (const [index, value] of values.entries()) local.set(`${index}`, value)
    for (const [index, value] of values.entries()) expect(local.get(`${index}`)).toBe(value)
    expect(local.has('4')).toBe(true)
  })

  test('a TTL is in milliseconds; without one it is that of the cache; 0 and Infinity last', async () => {
    const { local, clock } = setUp()
    local.set('number', 1, 500).set('options', 1, { ttl: '500ms' }).set('usual', 1)
    local.set('zero', 1, 0).set('infinite', 1, Number.POSITIVE_INFINITY)
    await clock.advance(499)
    expect(local.missing(['number', 'options'])).toEqual([])
    await clock.advance(1)
    expect(local.missing(['number', 'options', 'usual'])).toEqual(['number', 'options'])
    await clock.advance(9_500)
    expect(local.has('usual')).toBe(false)
    await clock.advance(400 * 86_400_000)
    expect(local.missing(['zero', 'infinite'])).toEqual([])
  })

  test('what the cache says of null and undefined holds here, too', async () => {
    const { local, clock } = setUp({ negativeTtl: 100 })
    local.set('none', null).set('some', 1)
    await clock.advance(100)
    expect(local.missing(['none', 'some'])).toEqual(['none'])
  })

  test('missing names each key that is not here once, and no other', () => {
    const { local } = setUp()
    local.set('here', 1)
    expect(local.missing(new Set(['here', 'gone']))).toEqual(['gone'])
    expect(local.missing(['x', 'here', 'y', 'x'])).toEqual(['x', 'y'])
  })

  test('what getOrSet keeps in this process is seen here, and the other way round', async () => {
    const { cache, local } = setUp()
    await cache.getOrSet('a', () => 'loaded')
    expect(local.get('a')).toBe('loaded')
    local.set('b', 'local')
    expect(await cache.getOrSet('b', () => 'not asked')).toBe('local')
  })

  test('memory is bounded by entries, by what values take, and by what is said of their size', async () => {
    const few = setUp({ maxEntries: 100 }).local
    for (let index = 0; index < 1_000; index++) few.set(`${index}`, index)
    expect(1_000 - few.missing(Array.from({ length: 1_000 }, (_, index) => `${index}`)).length).toBeLessThan(
      101,
    )

    const text = 'x'.repeat(400)
    const shapes: ((index: number) => unknown)[] = [
      () => text.repeat(2),
      () => ({ rows: [{ text }, { text: text.toUpperCase() }] }),
      () => new Map([[text, text.toLowerCase()]]),
      () => new Set([Buffer.alloc(800)]),
      () => Object.assign(new (class Row {})(), { one: new Uint32Array(200) }),
    ]
    for (const shape of shapes) {
      const small = setUp({ maxBytes: '4kb' }).local
      const keys = Array.from({ length: 20 }, (_, index) => `${index}`)
      for (const [index, key] of keys.entries()) small.set(key, shape(index))
      const kept = keys.length - small.missing(keys).length
      expect(kept).toBeGreaterThan(0)
      expect(kept).toBeLessThan(6)
    }

    const told = setUp({ maxBytes: '1kb' }).local
    told.set('small', 'x'.repeat(5_000), { size: 10 }).set('large', 1, { size: 5_000 })
    expect(told.missing(['small', 'large'])).toEqual(['large'])
  })

  test('a value that holds itself, or half the program, is measured in bounded time', () => {
    const { local } = setUp()
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    let chain: object = {}
    for (let index = 0; index < 200_000; index++) chain = { chain }
    let asked = 0
    const lazy = Object.defineProperty({}, 'relation', { enumerable: true, get: () => ++asked })
    local.set('cycle', cycle).set('chain', chain).set('lazy', lazy)
    expect([local.get('cycle'), local.get('chain')]).toEqual([cycle, chain])
    expect(asked).toBe(0)
  })

  test('wrong arguments are typed errors, thrown at once', () => {
    const { local } = setUp()
    // @ts-expect-error a key is a string
    expect(() => local.set(7, 1)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
    expect(() => local.set('', 1)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
    expect(() => local.delete('x'.repeat(1_025))).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
    for (const options of [-1, Number.NaN, { ttl: -1 }, { size: -1 }, { size: Number.NaN }])
      expect(() => local.set('a', 1, options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })
})

describe('coherent', () => {
  test('nothing that is set here reaches the store', async () => {
    const { cache, other, local, store, told } = setUp()
    local.set('a', 'here')
    await told()
    expect(await store.get(['a'])).toEqual([null])
    expect([await cache.get('a'), await other.get('a')]).toEqual(['here', undefined])
  })

  test.each(['set', 'delete', 'clear'] as const)(
    '%s drops what others have, in memory and in the store',
    async (by) => {
      const { cache, other, local, store, told } = setUp()
      await cache.getOrSet('key', () => 'old')
      expect(await other.getOrSet('key', () => 'not asked')).toBe('old')
      other.local.set('own', 'old')
      await told()
      expect(other.local.missing(['own', 'key'])).toEqual([])

      if (by === 'set') local.set('key', 'new').set('own', 'new')
      else if (by === 'delete') for (const key of ['key', 'own']) local.delete(key)
      else local.clear()
      expect(local.get('key')).toBe(by === 'set' ? 'new' : undefined)
      await told()

      expect(other.local.missing(['own', 'key'])).toEqual(['own', 'key'])
      expect(await other.getOrSet('key', () => 'new')).toBe('new')
      if (by !== 'clear') expect(await store.get(['own'])).toEqual([null])
      expect(local.get('key')).toBe(by === 'set' ? 'new' : undefined)
    },
  )

  test('what others invalidate, by key, by tag or all, is gone here', async () => {
    const { other, local } = setUp()
    const fill = () =>
      local
        .set('a', 1)
        .set('b', 1, { tags: ['t'] })
        .set('c', 1)
    fill()
    await other.delete('a')
    expect(local.missing(['a', 'b', 'c'])).toEqual(['a'])
    await other.invalidate({ tags: ['t'] })
    expect(local.missing(['a', 'b', 'c'])).toEqual(['a', 'b'])
    fill()
    await other.clear()
    expect(local.missing(['a', 'b', 'c'])).toEqual(['a', 'b', 'c'])
  })

  test('what is set after a clear, while that is being told, stays', async () => {
    const { local, other, told } = setUp()
    other.local.set('a', 'old')
    await told()
    local.set('a', 'older').set('gone', 1)
    local.clear()
    local.set('a', 'new').set('tagged', 1, { tags: ['t'] })
    await told()
    expect([local.get('a'), local.get('gone'), other.local.get('a')]).toEqual(['new', undefined, undefined])
    expect(local.get('tagged')).toBe(1)
    await other.invalidate({ tags: ['t'] })
    expect(local.get('tagged')).toBeUndefined()
    await other.delete('a')
    expect(local.get('a')).toBeUndefined()
  })

  test('nothing is served while invalidations may be missed, nor what was there before a gap', async () => {
    const { local, bus } = setUp()
    local.set('a', 1)
    bus.heardUntil = Number.NEGATIVE_INFINITY
    expect([local.get('a'), local.has('a'), local.peek('a')]).toEqual([undefined, false, undefined])
    bus.gap()
    bus.heardUntil = Number.POSITIVE_INFINITY
    expect(local.get('a')).toBeUndefined()
  })

  test('what one stretch of code changes is told at once, and reported like an invalidation', async () => {
    const { local, store, reports, told } = setUp()
    const asked: number[] = []
    const invalidate = store.invalidate.bind(store)
    store.invalidate = (invalidation) => {
      asked.push(invalidation.keys.length)
      return invalidate(invalidation)
    }
    for (let index = 0; index < 100; index++) local.set(`${index}`, index)
    await told()
    expect(asked).toEqual([100])
    expect(reports.outcomes('invalidate')).toEqual(['done'])
    local.get('1')
    local.get('none')
    expect(reports.outcomes('localGet')).toEqual(['hit', 'miss'])
  })

  test('while the store is away nothing is thrown; the change is queued, and delivered', async () => {
    const { local, other, store, reports, clock } = setUp()
    other.local.set('a', 'old')
    await clock.advance(0)
    const invalidate = store.invalidate.bind(store)
    store.invalidate = () => Promise.reject(new Error('away'))
    local.set('a', 'new')
    await clock.advance(0)
    expect(reports.outcomes('invalidate')).toEqual(['queued'])
    expect(other.local.get('a')).toBe('old')
    store.invalidate = invalidate
    await clock.advance(2_000)
    expect(other.local.get('a')).toBeUndefined()
  })

  test('close tells what is still to be told; afterwards changes say that the cache is closed', async () => {
    const { cache, local, other, told } = setUp()
    other.local.set('a', 'old')
    await told()
    local.delete('a')
    await cache.close()
    expect(other.local.get('a')).toBeUndefined()
    for (const change of [() => local.set('a', 1), () => local.delete('a'), () => local.clear()])
      expect(change).toThrow(expect.objectContaining({ code: 'CACHE_CLOSED' }))
    expect(local.get('a')).toBeUndefined()
  })
})

describe('readers that were overtaken', () => {
  /** What stays here of a reader who misses, reads the old row, and brings it after `change`. */
  async function bringAfter(
    change: (harness: ReturnType<typeof setUp>) => unknown,
    bring: 'set' | 'fill' = 'set',
    options: { readonly tags?: readonly string[] } = {},
  ) {
    const harness = setUp()
    const { local, told } = harness
    expect(local.get('key')).toBeUndefined()
    await change(harness)
    await told()
    local[bring]('key', 'old', options)
    await told()
    return local.get('key')
  }

  const overtaking: readonly (readonly [string, (harness: ReturnType<typeof setUp>) => unknown])[] = [
    ['another process invalidated its key', ({ other }) => other.delete('key')],
    ['another process set its key', ({ other }) => other.local.set('key', 'new')],
    ['another process cleared', ({ other }) => other.clear()],
    ['this process invalidated its key', ({ cache }) => cache.delete('key')],
    ['this process deleted its key', ({ local }) => local.delete('key')],
    ['this process cleared', ({ local }) => local.clear()],
    ['invalidations were missed', ({ bus }) => bus.gap()],
  ]
  for (const [what, change] of overtaking) {
    test(`a value that is brought after ${what} is not kept`, async () => {
      expect(await bringAfter(change, 'set')).toBeUndefined()
      expect(await bringAfter(change, 'fill')).toBeUndefined()
    })
  }

  test('a value that is brought after its tag was invalidated is not kept; another tag is nothing to it', async () => {
    const drop = (tag: string) => (harness: ReturnType<typeof setUp>) =>
      harness.other.invalidate({ tags: [tag] })
    expect(await bringAfter(drop('t'), 'set', { tags: ['t'] })).toBeUndefined()
    expect(await bringAfter(drop('other'), 'set', { tags: ['t'] })).toBe('old')
    expect(await bringAfter(drop('t'), 'set')).toBe('old')
  })

  test('the control arm: where nothing overtakes it, and where the reader missed later, it is kept', async () => {
    expect(await bringAfter(() => {})).toBe('old')
    expect(await bringAfter(() => {}, 'fill')).toBe('old')
    expect(await bringAfter(({ other }) => other.delete('another key'), 'fill')).toBe('old')
    const { local, other } = setUp()
    await other.delete('key')
    local.get('key')
    local.set('key', 'new')
    expect(local.get('key')).toBe('new')
  })

  test('what an overtaken reader sets is told all the same: it may be a change', async () => {
    const { local, other, told } = setUp()
    local.get('key')
    other.local.set('key', 'theirs')
    await told()
    local.set('key', 'ours')
    await told()
    expect(other.local.get('key')).toBeUndefined()
  })

  test('of many readers none is kept until all from before the invalidation have brought theirs', async () => {
    const { local, other, told } = setUp()
    local.get('key')
    local.get('key')
    await other.delete('key')
    local.get('key') // reads what is new
    local.set('key', 'new')
    expect(local.get('key')).toBeUndefined()
    for (const value of ['old', 'old', 'new']) local.set('key', value)
    await told()
    expect(local.get('key')).toBeUndefined()
    local.set('key', 'newest')
    expect(local.get('key')).toBe('newest')
  })

  test('one that never comes back is waited for half a minute', async () => {
    const { local, other, clock } = setUp()
    local.get('key')
    await other.delete('key')
    await clock.advance(29_999)
    local.get('key')
    local.set('key', 'new')
    expect(local.peek('key')).toBeUndefined()
    await clock.advance(1)
    local.get('key')
    local.set('key', 'new')
    expect(local.peek('key')).toBe('new')
  })

  test('who sets and then gets, while nothing is served, is no reader under way', async () => {
    const { local, bus, clock } = setUp()
    bus.heardUntil = Number.NEGATIVE_INFINITY
    for (let round = 0; round < 3; round++) {
      if (!local.has('key')) local.set('key', round)
      expect(local.get('key')).toBeUndefined()
      await clock.advance(1)
    }
    bus.gap()
    bus.heardUntil = Number.POSITIVE_INFINITY
    if (!local.has('key')) local.set('key', 'new')
    expect(local.get('key')).toBe('new')
  })

  test('with more readers under way than can be remembered, what was not missed is not kept, and told', async () => {
    const { local, other, clock, told } = setUp()
    local.get('forgotten')
    await other.delete('forgotten')
    for (let index = 0; index < 10_001; index++) local.get(`${index}`)
    other.local.set('forgotten', 'theirs')
    await told()
    local.set('forgotten', 'old')
    await told()
    expect([local.peek('forgotten'), other.local.peek('forgotten')]).toEqual([undefined, undefined])
    local.set('5000', 'remembered')
    expect(local.get('5000')).toBe('remembered')
    await clock.advance(30_000)
    local.set('forgotten', 'new')
    expect(local.get('forgotten')).toBe('new')
  })
})

describe('fill', () => {
  test('a value that was only read leaves alone what others have', async () => {
    const { local, other, told } = setUp()
    other.local.set('key', 'same')
    await told()
    expect(local.get('key')).toBeUndefined()
    expect(local.fill('key', 'same')).toBe(true)
    await told()
    expect([local.get('key'), other.local.get('key')]).toEqual(['same', 'same'])
  })

  test('the control arm: with set, two processes that read the same key drop it from each other', async () => {
    const { local, other, told } = setUp()
    local.get('key')
    local.set('key', 'same')
    await told()
    other.local.get('key')
    other.local.set('key', 'same')
    await told()
    expect([local.get('key'), other.local.get('key')]).toEqual([undefined, 'same'])
  })

  test('a value that nobody missed is not kept', () => {
    const { local } = setUp()
    expect(local.fill('key', 'value')).toBe(false)
    expect(local.peek('key')).toBeUndefined()
    expect(local.missing(['key'])).toEqual(['key'])
    expect(local.fill('key', 'value')).toBe(true)
    expect(local.fill('key', 'again')).toBe(false)
  })

  test('a value that was read does not replace what was set since', () => {
    const { local } = setUp()
    local.get('key')
    local.get('key')
    local.set('key', 'changed')
    expect(local.fill('key', 'read before')).toBe(false)
    expect(local.get('key')).toBe('changed')
  })

  test('a load under way does not replace what was set since', async () => {
    const { cache, local, clock } = setUp()
    const row = Promise.withResolvers<string>()
    const loading = cache.getOrSet('key', () => row.promise)
    await clock.advance(0)
    local.set('key', 'changed')
    row.resolve('loaded before')
    expect(await loading).toBe('loaded before')
    await clock.advance(0)
    expect(local.get('key')).toBe('changed')
  })
})

describe('namespaces', () => {
  test('clear drops what is in it and within it, here and elsewhere, and nothing else', async () => {
    const { cache, other, told } = setUp()
    const users = cache.namespace('users')
    users.local.set('ada', 1)
    users.local.namespace('young').set('bob', 1)
    cache.local.set('ada', 'not a user')
    other.namespace('users').local.set('eve', 1)
    await told()
    expect(cache.local.get('users:ada')).toBe(1)
    users.local.clear()
    expect(users.local.missing(['ada', 'young:bob'])).toEqual(['ada', 'young:bob'])
    expect(cache.local.get('ada')).toBe('not a user')
    users.local.set('ada', 2)
    await told()
    expect(other.namespace('users').local.get('eve')).toBeUndefined()
    expect(users.local.get('ada')).toBe(2)
    await other.namespace('users').clear()
    expect(users.local.get('ada')).toBeUndefined()
  })
})
