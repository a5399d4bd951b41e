import { MemoryStore } from '@stepladder/cache/testing'
import { FakeClock } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { setUp, setUpTwo } from './set-up.ts'

const upper = (keys: readonly string[]) => keys.map((key) => key.toUpperCase())

test('one call of loadMany brings all that nobody has, and answers stand in the order of the keys', async () => {
  const clock = new FakeClock()
  const { one, two } = setUpTwo(new MemoryStore(clock), clock)
  await one.cache.set('b', 'stored')
  await two.cache.set('d', 'here')
  const loadMany = vi.fn(upper)
  const found = await two.cache.getOrSetMany(['a', 'b', 'c', 'd', 'a'], loadMany)
  expect([...found]).toEqual([
    ['a', 'A'],
    ['b', 'stored'],
    ['c', 'C'],
    ['d', 'here'],
  ])
  expect(loadMany.mock.calls).toEqual([[['a', 'c']]])
  expect(await one.cache.getMany(['a', 'b', 'c', 'nothing'])).toEqual(
    new Map([
      ['a', 'A'],
      ['b', 'stored'],
      ['c', 'C'],
    ]),
  )
})

test('a thousand missing keys are one call of loadMany', async () => {
  const clock = new FakeClock()
  const { cache } = setUp({ clock, store: new MemoryStore(clock) })
  const loadMany = vi.fn(upper)
  const keys = Array.from({ length: 1_000 }, (_, index) => `key ${index}`)
  expect((await cache.getOrSetMany(keys, loadMany)).size).toBe(1_000)
  expect(loadMany).toHaveBeenCalledTimes(1)
})

test('a key is loaded once, whether it is asked for alone or among others', async () => {
  const { cache } = setUp()
  const alone = vi.fn(() => 'alone')
  const loadMany = vi.fn(upper)
  const [first, many, second] = await Promise.all([
    cache.getOrSet('a', alone),
    cache.getOrSetMany(['a', 'b'], loadMany),
    cache.getOrSet('b', alone),
  ])
  expect([first, ...many.values(), second]).toEqual(['alone', 'alone', 'B', 'B'])
  expect(alone).toHaveBeenCalledTimes(1)
  expect(loadMany.mock.calls).toEqual([[['b']]])
})

test('two processes that want each others keys do not wait for each other for ever', async () => {
  const clock = new FakeClock()
  const { one, two } = setUpTwo(new MemoryStore(clock), clock)
  const loads: string[] = []
  const slow = async (keys: readonly string[]) => {
    loads.push(...keys)
    await new Promise<void>((resolve) => void clock.after(50, resolve))
    return upper(keys)
  }
  const reads = Promise.all([
    one.cache.getOrSetMany(['a', 'b', 'c'], slow),
    two.cache.getOrSetMany(['c', 'b', 'd'], slow),
  ])
  await clock.advance(1_000)
  const [first, second] = await reads
  expect([...first.values()]).toEqual(['A', 'B', 'C'])
  expect([...second.values()]).toEqual(['C', 'B', 'D'])
  expect(loads.sort()).toEqual(['a', 'b', 'c', 'd'])
})

test('a key whose value is undefined is left out, and one that is null is not', async () => {
  const found = await setUp().cache.getOrSetMany(['a', 'b', 'c'], () => [undefined, null, 1])
  expect([...found]).toEqual([
    ['b', null],
    ['c', 1],
  ])
})

test('the failure of one key rejects, or leaves that key out where a part is welcome; the others are kept', async () => {
  const { cache } = setUp()
  const noB = new Error('no b')
  const loadMany = vi.fn((keys: readonly string[]) => keys.map((key) => (key === 'b' ? noB : key)))
  await expect(cache.getOrSetMany(['a', 'b'], loadMany)).rejects.toBe(noB)
  expect([...(await cache.getOrSetMany(['a', 'b'], loadMany, { partial: true }))]).toEqual([['a', 'a']])
  expect(loadMany.mock.calls).toEqual([[['a', 'b']], [['b']]])
})

test('a loadMany that fails is one failure; what was there already is handed out where a part is welcome', async () => {
  const { cache } = setUp()
  await cache.set('a', 'here')
  const down = new Error('down')
  const loadMany = vi.fn(() => Promise.reject(down))
  await expect(cache.getOrSetMany(['a', 'b', 'c'], loadMany)).rejects.toBe(down)
  expect([...(await cache.getOrSetMany(['a', 'b'], loadMany, { partial: true }))]).toEqual([['a', 'here']])
  expect(loadMany).toHaveBeenCalledTimes(2)
})

test('an old value stands in for a key whose loading fails', async () => {
  const { cache, clock } = setUp({ grace: '1m' })
  await cache.getOrSetMany(['a', 'b'], upper)
  await clock.advance(10_000)
  const found = await cache.getOrSetMany(['a', 'b'], () => Promise.reject(new Error('down')))
  expect([...found.values()]).toEqual(['A', 'B'])
})

test.each([
  ['too few', () => [1], 'one of 1'],
  ['no array', () => ({ a: 1 }) as never, 'a value of type object'],
  ['nothing', () => undefined as never, 'a value of type undefined'],
])('an answer of loadMany with %s is refused', async (_what, loadMany, found) => {
  await expect(setUp().cache.getOrSetMany(['a', 'b'], loadMany)).rejects.toMatchObject({
    code: 'LOAD_MANY_ANSWER',
    message: expect.stringContaining(found),
  })
})

test('no keys are no call', async () => {
  const loadMany = vi.fn(upper)
  expect((await setUp().cache.getOrSetMany([], loadMany)).size).toBe(0)
  expect(loadMany).not.toHaveBeenCalled()
})

test('a function from a list to a list is replaced by one that loads what is missing', async () => {
  const { cache } = setUp()
  const find = vi.fn(async (ids: readonly number[]) => ids.map((id) => ({ id })))
  const users = cache.defineMany({ loadMany: find, key: (id: number) => `user:${id}`, tags: ['users'] })
  expect(await users([3, 1, 3])).toEqual([{ id: 3 }, { id: 1 }, { id: 3 }])
  expect(await users([1, 2])).toEqual([{ id: 1 }, { id: 2 }])
  expect(find.mock.calls).toEqual([[[3, 1]], [[2]]])
  await users.invalidate(1, 2)
  await users([1, 3])
  expect(find.mock.calls.at(-1)).toEqual([[1]])
  await cache.invalidate({ tags: ['users'] })
  await users([3])
  expect(find).toHaveBeenCalledTimes(4)
})
