import { describe, expect, test } from 'vitest'
import { setUp } from './set-up.ts'

const notSerializable = { code: 'SESSION_NOT_SERIALIZABLE' }
const cycle: Record<string, unknown> = {}
cycle.self = cycle

/** A value, whatever the app has declared its fields to be. */
function put(session: object, value: unknown, name = 'text'): void {
  Object.assign(session, { [name]: value })
}

describe('a session that holds what JSON cannot', () => {
  const impossible: [string, () => unknown][] = [
    ['a BigInt', () => 1n],
    ['a cycle', () => cycle],
    ['itself in a list', () => [[[cycle]]]],
    ['a toJSON that throws', () => ({ toJSON: () => fail() })],
    ['a toJSON that throws what is no Error', () => ({ toJSON: () => throwNothing() })],
    ['a getter that throws', () => Object.defineProperty({}, 'a', { enumerable: true, get: fail })],
    ['a proxy that throws at everything', () => new Proxy({}, { get: fail, ownKeys: fail })],
  ]

  test.each(impossible)(
    '%s is not saved, and says so: at first, later, and in an update',
    async (_, make) => {
      const { sessions, begun, stored } = setUp()
      const fresh = await sessions.load(undefined)
      put(fresh, make())
      await expect(sessions.commit(fresh)).rejects.toMatchObject(notSerializable)
      await expect(fresh.save()).rejects.toMatchObject(notSerializable)

      const cookie = await begun({ user: 'ada' })
      const kept = await sessions.load(cookie)
      const update = kept.update((fields) => put(fields, make()))
      await expect(update).rejects.toMatchObject(notSerializable)
      put(kept, make())
      await expect(sessions.commit(kept)).rejects.toMatchObject(notSerializable)
      await expect(kept.increment('views')).rejects.toMatchObject(notSerializable)
      expect(await stored(cookie)).toEqual({ user: 'ada' })
    },
  )

  test.each([1_000, 5_000, 20_000, 100_000])(
    'lists that are nested %i times are saved and merged, or are a failure of that kind too',
    async (depth) => {
      const { sessions, begun } = setUp({ maxSize: '10mb' })
      const cookie = await begun({ user: 'ada' })
      const load = () => sessions.load(cookie)
      const [one, two, three] = [await load(), await load(), await load()]
      put(one, nested(depth))
      put(one, JSON.parse('{"a":'.repeat(depth) + 1 + '}'.repeat(depth)), 'cart')
      two.user = 'bob'
      const ends = await Promise.allSettled([
        ...[sessions.commit(one), sessions.commit(two)],
        ...[three.increment('views'), three.reload(), load()],
      ])
      for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject(notSerializable)
    },
  )

  test('a session that it is kept from does not end', async () => {
    const { sessions, begun, stored } = setUp()
    const cookie = await begun({ user: 'ada' })
    const session = await sessions.load(cookie)
    put(session, 1n)

    await expect(session.regenerate({ keep: true })).rejects.toMatchObject(notSerializable)
    expect(await stored(cookie)).toEqual({ user: 'ada' })
  })

  test.each([() => 'a text', () => 7, () => null, () => [], () => undefined])(
    'a session that makes no object of itself is not saved: %s',
    async (toJSON) => {
      const { sessions } = setUp()
      const session = await sessions.load(undefined)
      Object.assign(session, { user: 'ada', toJSON })
      await expect(sessions.commit(session)).rejects.toMatchObject(notSerializable)
    },
  )
})

describe('a session that holds what JSON changes', () => {
  const changed: [string, unknown, unknown][] = [
    ['a date becomes its text', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a map becomes an empty object', new Map([['a', 1]]), {}],
    ['a function is left out', () => {}, undefined],
    ['a symbol is left out', Symbol('a'), undefined],
    ['undefined is left out', undefined, undefined],
    ['a number that is none becomes null', Number.NaN, null],
    ['an infinite number becomes null', Number.POSITIVE_INFINITY, null],
    [
      'a list with holes is filled with null',
      Object.assign(Array(3), { 1: 'a', name: 'b' }),
      [null, 'a', null],
    ],
    ['what toJSON makes of it counts', { toJSON: () => ({ admin: false }), admin: true }, { admin: false }],
    ['a buffer becomes an object', Buffer.from('a'), { type: 'Buffer', data: [97] }],
    ['a text that is no Unicode stays', 'a\ud800\0é', 'a\ud800\0é'],
  ]

  test.each(changed)('%s', async (_, value, becomes) => {
    const { sessions, begun, stored, reports } = setUp()
    const cookie = await begun({ user: 'ada' })
    const session = await sessions.load(cookie)
    put(session, value)
    await sessions.commit(session)
    expect(await stored(cookie)).toEqual(JSON.parse(JSON.stringify({ user: 'ada', text: becomes })))

    reports.clear()
    expect(await sessions.commit(session)).toBeUndefined()
    expect(reports.outcomes('set')).toEqual([])
  })

  test('a session with nothing but that is not begun', async () => {
    const { sessions, reports } = setUp()
    const session = await sessions.load(undefined)
    Object.assign(session, { user: undefined, text: () => {}, [Symbol('a')]: 1 })
    expect(await sessions.commit(session)).toBeUndefined()
    expect(reports.all).toEqual([])
  })
})

test('an increment of what is no number, or along what is no path, fails and changes nothing', async () => {
  const { sessions, begun, stored } = setUp()
  const cookie = await begun({ user: 'ada', views: 1, cart: { pen: 1 } })
  const session = await sessions.load(cookie)
  for (const path of [
    'user',
    'cart',
    'user.length',
    '',
    '.',
    'a..b',
    'cart.',
    '__proto__',
    '__proto__.x',
    'a.__proto__',
  ]) {
    await expect(session.increment(path)).rejects.toBeInstanceOf(TypeError)
  }
  for (const by of [Number.NaN, Number.POSITIVE_INFINITY, '5', 1n, {}]) {
    await expect(session.increment('views', by as number)).rejects.toBeInstanceOf(TypeError)
  }
  await expect(session.update(async () => 1)).rejects.toBeInstanceOf(TypeError)
  expect(await stored(cookie)).toEqual({ user: 'ada', views: 1, cart: { pen: 1 } })
})

test.each([Number.NaN, -1, '1000', Number.POSITIVE_INFINITY])('a cookie rests for no %s', async (maxAge) => {
  const session = await setUp().sessions.load(undefined)
  expect(() => Object.assign(session.cookie, { maxAge })).toThrow(TypeError)
})

test('a cookie that would rest longer than time lasts rests as long as the session may', async () => {
  const { sessions } = setUp({ absoluteTimeout: '1h' })
  const session = await sessions.load(undefined)
  session.user = 'ada'
  session.cookie.maxAge = Number.MAX_VALUE
  expect(await sessions.commit(session)).toMatch('; Max-Age=3600;')
})

function fail(): never {
  throw new Error('no')
}

function throwNothing(): never {
  throw Object.create(null)
}

function nested(depth: number): unknown {
  let inner: unknown = []
  for (let level = 0; level < depth; level += 1) inner = [inner]
  return inner
}
