import { type CacheOptions, createCache, keyvStore } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { FakeClock } from '@stepladder/core/testing'
import { Keyv, type KeyvStoreAdapter } from 'keyv'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LinkedBus } from './linked-bus.ts'

// Keyv itself looks at the time of the machine.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock()
  const store = new MemoryStore(clock)
  const [bus, otherBus] = LinkedBus.ends(2)
  const common = { name: 'test', ttl: '10s', jitter: 0, clock, store, ...options } as const
  const [cache, other] = [createCache({ ...common, bus: bus! }), createCache({ ...common, bus: otherBus! })]
  const keyv = new Keyv({ store: keyvStore(cache) })
  const failures: unknown[] = []
  keyv.on('error', (failure) => failures.push(failure))
  const advance = async (ms: number) => {
    vi.setSystemTime(Date.now() + ms)
    await clock.advance(ms)
  }
  return { cache, other, store, keyv, failures, advance }
}

describe('what Keyv promises of every storage', () => {
  test('set and get: a value, or undefined', async () => {
    const { keyv } = setUp()
    expect(await keyv.get('foo')).toBeUndefined()
    expect(await keyv.set('foo', 'bar')).toBe(true)
    expect(await keyv.get('foo')).toBe('bar')
    expect(await keyv.set('foo', 'baz')).toBe(true)
    expect(await keyv.get('foo')).toBe('baz')
  })

  test.each([
    ['false', false],
    ['null', null],
    ['0', 0],
    ['the empty text', ''],
    ['an object', { fizz: ['buzz', { deep: true }] }],
    ['bytes', Buffer.from('bar')],
    ['text with a colon', ':base64:text'],
  ])('%s comes back as it was', async (_what, value) => {
    const { keyv } = setUp()
    await keyv.set('foo', value)
    expect(await keyv.get('foo')).toEqual(value)
  })

  test('with a ttl, a value is gone after it; also by the default of Keyv', async () => {
    const { keyv, cache, advance } = setUp()
    const quick = new Keyv({ store: keyvStore(cache), namespace: 'quick', ttl: 100 })
    await keyv.set('foo', 'bar', 100)
    await quick.set('foo', 'bar')
    await quick.set('long', 'bar', 200)
    await keyv.set('zero', 'bar', 0)
    await keyv.set('over', 'bar', -1)
    await advance(99)
    expect([await keyv.get('foo'), await quick.get('foo')]).toEqual(['bar', 'bar'])
    expect([await keyv.get('zero'), await keyv.get('over')]).toEqual(['bar', undefined])
    await advance(1)
    expect([await keyv.get('foo'), await quick.get('foo'), await quick.get('long')]).toEqual([
      undefined,
      undefined,
      'bar',
    ])
    expect(await keyv.has('foo')).toBe(false)
  })

  test('delete tells whether the key was there', async () => {
    const { keyv } = setUp()
    await keyv.set('foo', 'bar')
    expect([await keyv.delete('foo'), await keyv.get('foo'), await keyv.delete('foo')]).toEqual([
      true,
      undefined,
      false,
    ])
    await keyv.setMany([
      { key: 'a', value: 1 },
      { key: 'b', value: 2 },
      { key: 'c', value: 3, ttl: 100 },
    ])
    expect(await keyv.delete(['a', 'b'])).toBe(true)
    expect(await keyv.deleteMany(['a', 'c'])).toBe(false)
    expect(await keyv.get(['a', 'b', 'c'])).toEqual([undefined, undefined, undefined])
  })

  test('many at once: get, raw, has', async () => {
    const { keyv, advance } = setUp()
    await keyv.set('foo', 'bar', 100)
    await keyv.set('foo2', 'bar2')
    expect(await keyv.get(['foo', 'none', 'foo2'])).toEqual(['bar', undefined, 'bar2'])
    expect(await keyv.get(['none', 'neither'])).toEqual([undefined, undefined])
    expect(await keyv.get('foo', { raw: true })).toEqual({ value: 'bar', expires: Date.now() + 100 })
    expect(await keyv.has(['foo', 'none'])).toEqual([true, false])
    await advance(100)
    expect(await keyv.getMany(['foo', 'foo2'])).toEqual([undefined, 'bar2'])
  })

  test('clear empties the namespace, and no other', async () => {
    const { keyv, cache } = setUp()
    const other = new Keyv({ store: keyvStore(cache), namespace: 'other' })
    const none = new Keyv(keyvStore(cache) as KeyvStoreAdapter, { namespace: '' })
    for (const one of [keyv, other, none]) await one.set('foo', 'bar')
    await cache.set('foreign', 'kept')
    expect(await keyv.clear()).toBeUndefined()
    expect([await keyv.get('foo'), await other.get('foo'), await none.get('foo')]).toEqual([
      undefined,
      'bar',
      'bar',
    ])
    await none.clear()
    expect([await other.get('foo'), await none.get('foo'), await cache.get('foreign')]).toEqual([
      'bar',
      undefined,
      'kept',
    ])
  })

  test('a value that cannot be kept answers false, and is heard as an error', async () => {
    const { keyv, failures } = setUp()
    const raw = new Keyv({
      store: keyvStore(setUp().cache),
      serialize: undefined as never,
      deserialize: undefined as never,
    })
    raw.on('error', (failure) => failures.push(failure))
    expect(await raw.set('foo', () => {})).toBe(false)
    expect(failures).toMatchObject([{ code: 'UNSTORABLE_VALUE' }])
    expect(await keyv.set('', 'no key').catch(() => 'refused')).toBe(true) // it is under the namespace
  })
})

describe('what this cache adds', () => {
  test('what one process deletes or sets, no other serves', async () => {
    const { keyv, other } = setUp()
    const theirs = new Keyv({ store: keyvStore(other) })
    await keyv.set('foo', 'old')
    expect(await theirs.get('foo')).toBe('old')
    await keyv.set('foo', 'new')
    expect(await theirs.get('foo')).toBe('new')
    await theirs.delete('foo')
    expect(await keyv.get('foo')).toBeUndefined()
    await keyv.set('foo', 'new')
    await theirs.clear()
    expect(await keyv.get('foo')).toBeUndefined()
  })

  test('while the store is away reads are misses, changes answer false, and deletes are delivered later', async () => {
    const { keyv, cache, other, store, advance, failures } = setUp()
    const theirs = new Keyv({ store: keyvStore(other) })
    await keyv.set('foo', 'old')
    expect(await theirs.get('foo')).toBe('old')
    const { get, set, invalidate, claim } = store
    const away = () => Promise.reject(new Error('away'))
    Object.assign(store, { get: away, set: away, invalidate: away, claim: away })
    expect([await keyv.set('bar', 1), await keyv.delete('foo'), await keyv.get('foo')]).toEqual([
      false,
      false,
      undefined,
    ])
    Object.assign(store, { get, set, invalidate, claim })
    await advance(2_000)
    expect([await theirs.get('foo'), await cache.get('keyv:foo')]).toEqual([undefined, undefined])
    expect(failures).toEqual([])
  })

  test('a value without a ttl has that of the cache: nothing stays for ever', async () => {
    const { keyv, advance } = setUp()
    await keyv.set('foo', 'bar')
    await keyv.set('for ever', 'bar', Number.POSITIVE_INFINITY)
    await advance(10_000)
    expect(await keyv.getMany(['foo', 'for ever'])).toEqual([undefined, undefined])
  })

  test('what it cannot give: a value that was read before a delete may be set after it', async () => {
    const { keyv, cache } = setUp()
    const row = { now: 'old' }
    const read = async () => (await keyv.get('foo')) ?? row.now
    const value = await read()
    row.now = 'new'
    await keyv.delete('foo')
    await keyv.set('foo', value)
    expect(await keyv.get('foo')).toBe('old')
    // The same with `getOrSet`, which binds the two together.
    row.now = 'old'
    await cache.getOrSet('foo', async () => {
      const found = row.now
      row.now = 'new'
      await cache.delete('foo')
      return found
    })
    expect(await cache.getOrSet('foo', () => row.now)).toBe('new')
  })
})
