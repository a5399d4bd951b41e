import { type CacheLike, createCache, Namespace } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { expect, test } from 'vitest'

function setUp() {
  const reports = new RecordedReports()
  const clock = new FakeClock()
  const store = new MemoryStore(clock)
  const cache = createCache({ name: 'test', ttl: '10s', jitter: 0, clock, store, report: reports.report })
  return { cache, clock, store, reports }
}

test('the same key in two namespaces and outside is three values', async () => {
  const { cache } = setUp()
  const [users, orders] = [cache.namespace('users'), cache.namespace('orders')]
  await users.set('7', 'user')
  await orders.getOrSet('7', () => 'order')
  await cache.set('7', 'neither')
  expect([await users.get('7'), await orders.get('7'), await cache.get('7')]).toEqual([
    'user',
    'order',
    'neither',
  ])
  expect([await cache.get('users:7'), users.prefix, users.name]).toEqual(['user', 'users:', 'test'])
})

test('clear drops what is in the namespace and within it, and nothing else', async () => {
  const { cache } = setUp()
  const users = cache.namespace('users')
  const spaces: CacheLike[] = [cache, users, users.namespace('young'), cache.namespace('users2')]
  for (const space of spaces) await space.set('key', 'value')
  const left = () => Promise.all(spaces.map((space) => space.has('key')))

  expect(await users.namespace('young').clear()).toBe('done')
  expect(await left()).toEqual([true, true, false, true])
  await spaces[2]!.set('key', 'value')
  expect(await users.clear()).toBe('done')
  expect(await left()).toEqual([true, false, false, true])
  await cache.clear()
  expect(await left()).toEqual([false, false, false, false])
})

test('clear is one invalidation, however much is in the namespace', async () => {
  const { cache, store } = setUp()
  const users = cache.namespace('users')
  await Promise.all(Array.from({ length: 1_000 }, (_, index) => users.set(`${index}`, index)))
  const asked: unknown[] = []
  const invalidate = store.invalidate.bind(store)
  store.invalidate = (invalidation) => {
    asked.push(invalidation)
    return invalidate(invalidation)
  }
  await users.clear()
  expect(asked).toEqual([{ keys: [], tags: ['namespace:users'] }])
  expect((await users.getMany(['0', '999'])).size).toBe(0)
})

test('a load in flight when its namespace was cleared leaves nothing behind', async () => {
  const { cache, clock } = setUp()
  const users = cache.namespace('users')
  const row = Promise.withResolvers<string>()
  const before = users.getOrSet('ada', () => row.promise)
  await clock.advance(0)
  await users.clear()
  row.resolve('old')
  expect(await before).toBe('old')
  expect(await users.getOrSet('ada', () => 'new')).toBe('new')
})

test('whatever takes a cache takes a namespace: each method works on its keys', async () => {
  const { cache, clock } = setUp()
  const space: CacheLike = cache.namespace('a').namespace('b')
  expect(space).toBeInstanceOf(Namespace)
  expect(await space.getOrSet('one', ({ previous }) => previous ?? 1, { ttl: '1s', tags: ['t'] })).toBe(1)
  const asked: (readonly string[])[] = []
  const loadMany = (keys: readonly string[]) => {
    asked.push(keys)
    return keys.map((key) => key.length)
  }
  const found = await space.getOrSetMany(['one', 'two', 'three'], loadMany, { tags: ['t'] })
  expect([...found]).toEqual([
    ['one', 1],
    ['two', 3],
    ['three', 5],
  ])
  expect(asked).toEqual([['two', 'three']])
  expect([...(await space.getMany(['two', 'none']))]).toEqual([['two', 3]])
  expect([await space.has('two'), await space.has('none')]).toEqual([true, false])
  expect(await space.refresh('two', () => 4)).toBe(4)
  expect(await space.delete('two')).toBe('done')
  expect(await space.get('two')).toBeUndefined()
  await space.invalidate({ keys: ['three'] })
  expect(await space.get('three')).toBeUndefined()
  expect(await space.get('one')).toBe(1)
  await cache.invalidate({ tags: ['t'] })
  expect(await space.get('one')).toBeUndefined()
  await space.set('one', 1, { ttl: '1s' })
  await clock.advance(1_000)
  expect(await space.get('one')).toBeUndefined()
})

test('functions defined in a namespace are cleared with it', async () => {
  const { cache } = setUp()
  const users = cache.namespace('users')
  let loads = 0
  const find = users.define({
    key: (id: number) => `${id}`,
    load: (id) => ({ id, loads: ++loads }),
    tags: (id) => [`t${id}`],
  })
  const findMany = users.defineMany({
    key: (id: number) => `${id}`,
    loadMany: (ids) => ids.map((id) => ({ id, loads: ++loads })),
  })
  expect([await find(1), ...(await findMany([1, 2]))].map((user) => user.loads)).toEqual([1, 1, 2])
  await users.clear()
  expect([await find(1), ...(await findMany([1, 2]))].map((user) => user.loads)).toEqual([3, 3, 4])
  await find.invalidate(1)
  expect((await find(1)).loads).toBe(5)
  await cache.invalidate({ tags: ['t1'] })
  expect((await find(1)).loads).toBe(6)
})

test('tags reach over namespaces, keys do not', async () => {
  const { cache } = setUp()
  const [a, b] = [cache.namespace('a'), cache.namespace('b')]
  await a.set('key', 1, { tags: ['t'] })
  await b.set('key', 1, { tags: ['t'] })
  await a.invalidate({ keys: ['key'] })
  expect([await a.has('key'), await b.has('key')]).toEqual([false, true])
  await a.invalidate({ tags: ['t'] })
  expect(await b.has('key')).toBe(false)
})

test('no two namespaces share a key: names cannot hold what separates them', () => {
  const { cache } = setUp()
  for (const name of ['a:b', '', 7 as never, undefined as never])
    expect(() => cache.namespace(name)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
})

test('wrong keys and tags are refused as they are, not turned into right ones', async () => {
  const { cache } = setUp()
  const space = cache.namespace('a')
  const wrong = { code: 'INVALID_KEY' }
  await expect(space.get(undefined as never)).rejects.toMatchObject(wrong)
  await expect(space.getOrSet('', () => 1)).rejects.toMatchObject(wrong)
  await expect(space.set(7 as never, 1)).rejects.toMatchObject(wrong)
  await expect(space.set('x'.repeat(1_023), 1)).rejects.toMatchObject(wrong)
  await expect(space.set('key', 1, { tags: 'tag' as never })).rejects.toMatchObject(wrong)
  await expect(space.invalidate({ keys: [null as never] })).rejects.toMatchObject(wrong)
})

test('reports name the cache, so that a namespace per tenant adds no label values', async () => {
  const { cache, reports } = setUp()
  for (let tenant = 0; tenant < 3; tenant++) await cache.namespace(`tenant-${tenant}`).set('key', 1)
  expect(new Set(reports.all.map(({ name }) => name))).toEqual(new Set(['test']))
})
