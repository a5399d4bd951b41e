import { createCache, type Delivery, memoize } from '@stepladder/cache'
import { FakeClock } from '@stepladder/core/testing'
import { describe, expect, expectTypeOf, test } from 'vitest'

function setUp() {
  const clock = new FakeClock()
  const cache = createCache({ name: 'test', ttl: '10s', jitter: 0, clock })
  return { cache, clock }
}

/** The calls that reach a memoized function which is called with each of these. */
async function callsOf(...calls: readonly (readonly unknown[])[]): Promise<number> {
  let count = 0
  const { cache } = setUp()
  const memoized = memoize(async (..._args: unknown[]) => ++count, { cache, name: 'f' })
  for (const args of calls) await memoized(...args)
  return count
}

test('a function is called once for the same arguments, until its time is over', async () => {
  const { cache, clock } = setUp()
  const calls: unknown[] = []
  async function findUser(id: number, options?: { deep: boolean }) {
    calls.push([id, options])
    return { id, deep: options?.deep ?? false }
  }
  const memoized = memoize(findUser, { cache, ttl: '1s' })
  expect([await memoized(1), await memoized(1), await memoized(1, { deep: true })]).toEqual([
    { id: 1, deep: false },
    { id: 1, deep: false },
    { id: 1, deep: true },
  ])
  expect(calls).toHaveLength(2)
  await clock.advance(1_000)
  await memoized(1)
  expect(calls).toHaveLength(3)
  expect(memoized.name).toBe('findUser')
})

test('concurrent calls share one, and what it rejects with; a rejection is not kept', async () => {
  const { cache } = setUp()
  let calls = 0
  const failure = new Error('down')
  const memoized = memoize(
    async (fails: boolean) => {
      calls += 1
      if (calls === 1 && fails) throw failure
      return calls
    },
    { cache, name: 'flaky' },
  )
  const answers = await Promise.allSettled(Array.from({ length: 100 }, () => memoized(true)))
  expect(answers.every((answer) => answer.status === 'rejected' && answer.reason === failure)).toBe(true)
  expect([await memoized(true), await memoized(true)]).toEqual([2, 2])
})

test('invalidate drops the value of its arguments, clear that of all, and neither that of another function', async () => {
  const { cache } = setUp()
  let calls = 0
  const one = memoize(async (_id: number) => ++calls, { cache, name: 'one' })
  const two = memoize(async (_id: number) => ++calls, { cache, name: 'two' })
  expect([await one(1), await one(2), await two(1)]).toEqual([1, 2, 3])
  expect(await one.invalidate(1)).toBe('done')
  expect([await one(1), await one(2), await two(1)]).toEqual([4, 2, 3])
  expect(await one.clear()).toBe('done')
  expect([await one(1), await one(2), await two(1)]).toEqual([5, 6, 3])
})

test('values carry the tags of their arguments', async () => {
  const { cache } = setUp()
  let calls = 0
  const memoized = memoize(async (_id: number) => ++calls, { cache, name: 'f', tags: (id) => [`user:${id}`] })
  expect([await memoized(1), await memoized(2)]).toEqual([1, 2])
  await cache.invalidate({ tags: ['user:1'] })
  expect([await memoized(1), await memoized(2)]).toEqual([3, 2])
})

test('this is kept, for the function, its key, and its invalidation', async () => {
  const { cache } = setUp()
  class Repository {
    calls = 0
    readonly table: string
    constructor(table: string) {
      this.table = table
    }
    async find(id: number) {
      this.calls += 1
      return `${this.table}:${id}`
    }
  }
  const find = memoize(Repository.prototype.find, {
    cache,
    key(this: Repository, id) {
      return `${this.table} ${id}`
    },
  })
  class Cached extends Repository {
    override find = find
  }
  const [users, orders] = [new Cached('users'), new Cached('orders')]
  expect([await users.find(1), await orders.find(1), await users.find(1)]).toEqual([
    'users:1',
    'orders:1',
    'users:1',
  ])
  expect([users.calls, orders.calls]).toEqual([1, 1])
  await find.invalidate.call(users, 1)
  await users.find(1)
  await orders.find(1)
  expect([users.calls, orders.calls]).toEqual([2, 1])
})

describe('arguments', () => {
  const date = new Date(0)
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle

  test.each<[string, unknown[], unknown[]]>([
    ['1 and "1"', [1], ['1']],
    ['1 and 1n', [1], [1n]],
    ['0 and -0', [0], [-0]],
    ['true and "true"', [true], ['true']],
    ['null and undefined', [null], [undefined]],
    ['null and "null"', [null], ['null']],
    ['NaN and null', [Number.NaN], [null]],
    ['nothing and undefined', [], [undefined]],
    ['their order', [1, 2], [2, 1]],
    ['where one ends', ['a', 'b'], ['a,b']],
    ['where one ends, with quotes', ['a","b'], ['a', 'b']],
    ['one list and two arguments', [[1, 2]], [1, 2]],
    ['what is nested where', [[1, [2]]], [[[1], 2]]],
    ['a missing and an undefined field', [{}], [{ a: undefined }]],
    ['fields and values', [{ a: 'b' }], [{ b: 'a' }]],
    ['a date and its number', [date], [0]],
    ['a date and its text', [date], [date.toISOString()]],
    ['two dates', [date], [new Date(1)]],
    ['an empty object and an empty array', [{}], [[]]],
    ['keys that look like syntax', [{ 'a":1,"b': 2 }], [{ a: 1, b: 2 }]],
    ['half characters', ['\uD800'], ['\uDBFF']],
    ['long texts', ['x'.repeat(5_000)], ['x'.repeat(5_001)]],
  ])('are told apart: %s', async (_what, one, two) => {
    expect(await callsOf(one, two)).toBe(2)
    expect(await callsOf(one, one, two, two)).toBe(2)
  })

  test('that hold the same are the same, in whatever order their fields stand', async () => {
    expect(await callsOf([{ a: 1, b: { c: [2], d: date } }], [{ b: { d: new Date(0), c: [2] }, a: 1 }])).toBe(
      1,
    )
    expect(await callsOf([Object.assign(Object.create(null), { a: 1 })], [{ a: 1 }])).toBe(1)
  })

  test.each<[string, unknown]>([
    ['argument 1 is a function', () => {}],
    ['argument 1 is a symbol', Symbol('s')],
    ['argument 1.user is of type User', { user: new (class User {})() }],
    ['argument 1.0 is of type Map', [new Map()]],
    ['argument 1 is of type RegExp', /x/],
    ['argument 1 is of type Buffer', Buffer.from('x')],
    ['argument 1 is of type Promise', Promise.resolve()],
    ['argument 1 is an array with holes', Object.assign([], { 2: 1 })],
    ['argument 1 is an object with a symbol', { [Symbol('s')]: 1 }],
    ['part of a cycle', cycle],
  ])(
    '%s: refused by an error that names the option `key`, and the function is not called',
    async (message, argument) => {
      const { cache } = setUp()
      let calls = 0
      const memoized = memoize(async (_argument: unknown) => ++calls, { cache, name: 'f' })
      const refusal = { code: 'UNKEYABLE_ARGUMENT', message: expect.stringContaining(message) }
      await expect(memoized(argument)).rejects.toMatchObject(refusal)
      await expect(memoized(argument)).rejects.toThrow('give the option `key`')
      await expect(memoized.invalidate(argument)).rejects.toMatchObject(refusal)
      expect(calls).toBe(0)
      const keyed = memoize(async (_argument: unknown) => ++calls, { cache, name: 'g', key: () => 'one' })
      expect([await keyed(argument), await keyed(argument)]).toEqual([1, 1])
    },
  )
})

describe('names', () => {
  test('a function without one needs the option, and no two in a cache may share one', () => {
    const { cache } = setUp()
    const wrong = expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('name'),
    })
    expect(() => memoize(async () => 1, { cache })).toThrow(wrong)
    async function find() {}
    memoize(find, { cache })
    expect(() => memoize(async function find() {}, { cache })).toThrow(wrong)
    memoize(find, { cache, ttl: '1s' })
    memoize(async function find() {}, { cache, name: 'find other' })
    memoize(async function find() {}, { cache: cache.namespace('other') })
    expect(() => memoize(async function find() {}, { cache: cache.namespace('other') })).toThrow(wrong)
    memoize(async function find() {}, { cache: setUp().cache })
    expect(() => memoize(find, { ttl: 1 } as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
    expect(() => memoize(find, { cache, nmae: 'x' } as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    )
  })
})

test('the type is that of the function: arguments, answer, generics', () => {
  const { cache } = setUp()
  async function pick<T>(rows: readonly T[], _at: number): Promise<T | undefined> {
    return rows[0]
  }
  const memoized = memoize(pick, { cache, ttl: (row) => (row === undefined ? 0 : '1m') })
  expectTypeOf(memoized(['a'], 0)).resolves.toEqualTypeOf<string | undefined>()
  expectTypeOf(memoized.clear).returns.resolves.toEqualTypeOf<Delivery>()
  // @ts-expect-error the second argument is a number
  memoized(['a'], 'b').catch(() => {})
  // @ts-expect-error only functions that answer with a promise
  expect(() => memoize((id: number) => id, { cache })).toThrow()
})
