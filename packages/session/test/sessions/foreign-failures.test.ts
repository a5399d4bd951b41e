import { FakeClock } from '@stepladder/core/testing'
import { createSessions, MemorySessionBackend, type OnConflict } from '@stepladder/session'
import { describe, expect, test } from 'vitest'

interface Data {
  user: string
  views: number
  seats: number
  other: string
}

/** A backend whose every answer takes a turn, so that what is asked meanwhile waits and goes out together. */
class SlowBackend extends MemorySessionBackend {
  override async replace(...args: Parameters<MemorySessionBackend['replace']>) {
    await new Promise(setImmediate)
    return super.replace(...args)
  }
}

async function setUp(fields: Partial<Data>, onConflict?: OnConflict) {
  const clock = new FakeClock()
  const backend = new SlowBackend({ clock })
  const sessions = createSessions<Data>({ secret: 'for tests only', backend, clock, onConflict })
  const session = await sessions.load(undefined)
  Object.assign(session, fields)
  const cookie = (await sessions.commit(session))!.split(';')[0]!
  const stored = async () => ({ ...(await sessions.load(cookie)) })
  return { sessions, backend, cookie, stored, load: () => sessions.load(cookie) }
}

describe('an update whose callback throws', () => {
  test('rejects with what it threw, and changes nothing', async () => {
    const { load, stored } = await setUp({ views: 1 })
    const session = await load()
    const thrown = new RangeError('sold out')

    const update = session.update((fields) => {
      fields.views = 2
      throw thrown
    })

    await expect(update).rejects.toBe(thrown)
    expect(await stored()).toEqual({ views: 1 })
  })

  test('takes no change of another request with it that waits for the same commit', async () => {
    const { load, stored } = await setUp({ views: 0 })
    const all = await Promise.all(Array.from({ length: 6 }, load))

    const ends = await Promise.allSettled(
      all.map((session, index) =>
        session.update((fields) => {
          if (index % 2 === 1) throw new RangeError('sold out')
          fields.views = (fields.views ?? 0) + 1
        }),
      ),
    )

    expect(ends.map(({ status }) => status)).toEqual(Array(3).fill(['fulfilled', 'rejected']).flat())
    expect(await stored()).toEqual({ views: 3 })
  })

  test('has decided on what is in the store now, not on what the request had read', async () => {
    const { load, stored } = await setUp({ seats: 0 })
    const late = await load()
    await (await load()).update((fields) => {
      fields.seats = 5
    })

    await late.update((fields) => {
      if (fields.seats === 0) throw new RangeError('sold out')
      fields.seats = fields.seats! - 1
    })

    expect(await stored()).toEqual({ seats: 4 })
  })
})

test('an update that makes the session too large fails alone, as such', async () => {
  const { load, stored } = await setUp({ views: 0 })
  const all = await Promise.all([load(), load(), load()])

  const [large, ...others] = await Promise.allSettled([
    all[0]!.update((fields) => {
      fields.other = 'x'.repeat(300_000)
    }),
    all[1]!.increment('views'),
    all[2]!.increment('views'),
  ])

  expect(large).toMatchObject({ status: 'rejected', reason: { code: 'SESSION_TOO_LARGE' } })
  expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
  expect(await stored()).toEqual({ views: 2 })
})

describe('an onConflict', () => {
  const nonsense: [string, unknown, OnConflict][] = [
    ['that throws', expect.objectContaining({ message: 'no idea' }), () => fail('no idea')],
    ['that answers with a promise', expect.any(TypeError), async ({ mine }) => mine],
    ['that answers what is no JSON', expect.objectContaining({ code: 'SESSION_NOT_SERIALIZABLE' }), () => 1n],
  ]
  test.each(nonsense)('%s fails the request that asked it, and no other', async (_, reason, onConflict) => {
    const { sessions, load, stored } = await setUp({ user: 'ada' }, onConflict)
    const [first, second, third] = [await load(), await load(), await load()]
    first.user = 'bob'
    await sessions.commit(first)
    second.user = 'eve'
    third.views = 1

    const [conflicting, other] = await Promise.allSettled([sessions.commit(second), sessions.commit(third)])

    expect(conflicting).toMatchObject({ status: 'rejected', reason })
    expect(other.status).toBe('fulfilled')
    expect(await stored()).toEqual({ user: 'bob', views: 1 })
  })
})

test('an onConflict is asked about a field that one has removed and the other has changed, whoever came first', async () => {
  const asked: unknown[] = []
  const { sessions, load, stored } = await setUp({ user: 'ada', views: 1 }, (conflict) => {
    asked.push(conflict)
    return conflict.mine ?? conflict.theirs
  })
  const [removes, changes] = [await load(), await load()]
  delete removes.user
  delete changes.views
  removes.views = 2
  changes.user = 'bob'
  await sessions.commit(changes)
  await sessions.commit(removes)

  expect(asked).toEqual([
    { path: ['user'], base: 'ada', mine: undefined, theirs: 'bob' },
    { path: ['views'], base: 1, mine: 2, theirs: undefined },
  ])
  expect(await stored()).toEqual({ user: 'bob', views: 2 })
})

test('a longer life that one request gave the session outlives the save of another', async () => {
  const clock = new FakeClock()
  const sessions = createSessions<Data>({
    secret: 'for tests only',
    backend: new MemorySessionBackend({ clock }),
    clock,
    idleTimeout: '1h',
  })
  const begun = await sessions.load(undefined)
  begun.user = 'ada'
  const cookie = (await sessions.commit(begun))!.split(';')[0]!
  const [remembered, other] = [await sessions.load(cookie), await sessions.load(cookie)]

  remembered.cookie.maxAge = 7 * 86_400_000
  await sessions.commit(remembered)
  other.views = 1
  await sessions.commit(other)
  await clock.advance(2 * 3_600_000)

  expect({ ...(await sessions.load(cookie)) }).toEqual({ user: 'ada', views: 1 })
})

function fail(message: string): never {
  throw new Error(message)
}
