import type { Duration } from '@stepladder/core'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { createSessions, MemorySessionBackend } from '@stepladder/session'
import { describe, expect, test } from 'vitest'

interface Data {
  user: string
  views: number
  cart: Record<string, number>
}

function setUp(
  options: { idleTimeout?: Duration; absoluteTimeout?: Duration; backend?: MemorySessionBackend } = {},
) {
  const clock = new FakeClock()
  const { backend = new MemorySessionBackend({ clock }), ...rest } = options
  const { report, all } = new RecordedReports()
  const sessions = createSessions<Data>({ secret: 'for tests only', backend, clock, report, ...rest })
  return { sessions, clock, backend, all }
}

/** What a browser sends back for a `Set-Cookie`. */
function cookieOf(setCookie: string | undefined): string {
  expect(setCookie).toBeDefined()
  return setCookie!.split(';')[0]!
}

async function begun(
  sessions: ReturnType<typeof setUp>['sessions'],
  fields: Partial<Data> = { user: 'ada' },
) {
  const session = await sessions.load(undefined)
  Object.assign(session, fields)
  return cookieOf(await sessions.commit(session))
}

describe('a session', () => {
  test('that is begun in one request is there in the next', async () => {
    const { sessions } = setUp()
    const cookie = await begun(sessions)

    const session = await sessions.load(`other=1; ${cookie}; third=3`)

    expect(session.user).toBe('ada')
    expect(JSON.stringify(session)).toBe('{"user":"ada"}')
    expect(await sessions.commit(session)).toBeUndefined()
  })

  test('without a field is not kept, and asks the store for nothing', async () => {
    const { sessions, all } = setUp()
    const session = await sessions.load('other=1')

    expect(await sessions.commit(session)).toBeUndefined()
    expect(all).toEqual([])
  })

  test('keeps what two requests at once change in it', async () => {
    const { sessions } = setUp()
    const cookie = await begun(sessions)
    const [one, two] = [await sessions.load(cookie), await sessions.load(cookie)]
    one.cart = { pen: 1 }
    two.views = 1

    await sessions.commit(one)
    await sessions.commit(two)

    expect({ ...(await sessions.load(cookie)) }).toEqual({ user: 'ada', cart: { pen: 1 }, views: 1 })
  })

  test('counts exactly, whoever counts with it', async () => {
    const { sessions } = setUp()
    const cookie = await begun(sessions)
    const loaded = await Promise.all(Array.from({ length: 50 }, () => sessions.load(cookie)))

    await Promise.all(loaded.map((session) => session.increment('views')))

    expect((await sessions.load(cookie)).views).toBe(50)
  })

  test('of which one update fails keeps the others that went with it', async () => {
    const { sessions } = setUp()
    const cookie = await begun(sessions)
    const loaded = await Promise.all([1, 2, 3].map(() => sessions.load(cookie)))

    const updates = loaded.map((session, index) =>
      session.update((fields) => {
        if (index === 1) throw new Error('mine alone')
        fields.views = (fields.views ?? 0) + 1
      }),
    )

    await expect(updates[1]).rejects.toThrow('mine alone')
    await Promise.all([updates[0], updates[2]])
    expect((await sessions.load(cookie)).views).toBe(2)
  })

  test('that was ended by another request takes no change any more, and says so', async () => {
    const { sessions } = setUp()
    const cookie = await begun(sessions)
    const late = await sessions.load(cookie)
    const logout = await sessions.load(cookie)
    await logout.destroy()
    late.views = 1

    await expect(sessions.commit(late)).rejects.toMatchObject({ code: 'SESSION_ENDED', status: 401 })
    expect(await sessions.commit(logout)).toMatch(/^__Host-session=; Max-Age=0/)
    expect((await sessions.load(cookie)).user).toBeUndefined()
  })

  test('gets a new id when it is regenerated, and the old one is over', async () => {
    const { sessions } = setUp()
    const cookie = await begun(sessions, { cart: { pen: 1 } })
    const before = await sessions.load(cookie)

    const after = await before.regenerate({ keep: true })
    after.user = 'ada'
    const fresh = cookieOf(await sessions.commit(after))

    expect(fresh).not.toBe(cookie)
    expect({ ...(await sessions.load(cookie)) }).toEqual({})
    expect({ ...(await sessions.load(fresh)) }).toEqual({ user: 'ada', cart: { pen: 1 } })
  })
})

describe('a session ends', () => {
  test('when nobody used it for so long', async () => {
    const { sessions, clock } = setUp({ idleTimeout: '10m' })
    const cookie = await begun(sessions)
    for (let minutes = 0; minutes < 30; minutes += 5) {
      await clock.advance(5 * 60_000)
      const session = await sessions.load(cookie)
      expect(session.user).toBe('ada')
      await sessions.commit(session)
    }

    await clock.advance(10 * 60_000)

    expect((await sessions.load(cookie)).user).toBeUndefined()
  })

  test('when it has lived for so long, used or not', async () => {
    const { sessions, clock } = setUp({ idleTimeout: '10m', absoluteTimeout: '1h' })
    const cookie = await begun(sessions)
    for (let minutes = 5; minutes < 60; minutes += 5) {
      await clock.advance(5 * 60_000)
      const session = await sessions.load(cookie)
      expect(session.user).toBe('ada')
      await sessions.commit(session)
    }

    await clock.advance(5 * 60_000)

    expect((await sessions.load(cookie)).user).toBeUndefined()
  })
})
