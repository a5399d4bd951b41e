import { describe, expect, test } from 'vitest'
import { cookieOf, FailingBackend, setUp } from './set-up.ts'

const unavailable = { code: 'SESSION_UNAVAILABLE', status: 503 }

describe('what a handler changes while an update is under way', () => {
  test('is saved with the rest', async () => {
    const { sessions, begun, stored } = setUp()
    const cookie = await begun({ views: 1, cart: { pen: 1 } })
    const session = await sessions.load(cookie)

    const views = session.increment('views')
    session.user = 'ada'
    session.cart!.pen = 2
    expect(await views).toBe(2)
    expect(session).toMatchObject({ user: 'ada', views: 2, cart: { pen: 2 } })
    await sessions.commit(session)

    expect(await stored(cookie)).toEqual({ user: 'ada', views: 2, cart: { pen: 2 } })
  })

  test('counts less than what another request has meanwhile saved elsewhere', async () => {
    const { sessions, begun, stored } = setUp()
    const cookie = await begun({ views: 1, cart: { pen: 1 } })
    const [session, other] = [await sessions.load(cookie), await sessions.load(cookie)]
    other.cart = { ink: 1 }
    await sessions.commit(other)

    const views = session.increment('views')
    session.user = 'ada'
    await views
    await sessions.commit(session)

    expect(await stored(cookie)).toEqual({ user: 'ada', views: 2, cart: { ink: 1 } })
  })

  test('reaches the session through objects that were taken from it before', async () => {
    const { sessions, begun, stored } = setUp()
    const cookie = await begun({ cart: { pen: 1 } })
    const session = await sessions.load(cookie)
    const cart = session.cart!

    await session.increment('views')
    cart.pen = 2
    await sessions.commit(session)

    expect(await stored(cookie)).toEqual({ views: 1, cart: { pen: 2 } })
  })

  test('stays, where it is how long the session may rest', async () => {
    const { sessions, begun } = setUp()
    const cookie = await begun({ user: 'ada' })
    const session = await sessions.load(cookie)

    const views = session.increment('views')
    session.cookie.maxAge = 60_000
    await views

    expect(await sessions.commit(session)).toMatch('; Max-Age=60;')
    expect((await sessions.load(cookie)).cookie.maxAge).toBe(60_000)
  })

  test('is told to the handler, where it cannot be saved', async () => {
    const { sessions, begun, stored } = setUp()
    const cookie = await begun({ views: 1 })
    const session = await sessions.load(cookie)

    const views = session.increment('views')
    Object.assign(session, { user: 1n })

    await expect(views).rejects.toMatchObject({ code: 'SESSION_NOT_SERIALIZABLE' })
    await sessions.commit(session)
    expect(await stored(cookie)).toEqual({ views: 2 })
  })
})

test('a browser keeps a cookie as long as its session, when only increments are made', async () => {
  const { sessions, begun, clock } = setUp({ idleTimeout: '30m', cookie: { persistent: true } })
  const cookie = await begun({ views: 1 })
  await clock.advance(20 * 60_000)
  const session = await sessions.load(cookie)
  await session.increment('views')

  expect(await sessions.commit(session)).toMatch('; Max-Age=1800;')
})

describe('a session that nobody awaits', () => {
  test('is saved once, with what the handler changed after save', async () => {
    const { sessions, begun, stored } = setUp()
    const cookie = await begun({ user: 'ada' })
    const session = await sessions.load(cookie)

    session.views = 1
    void session.save()
    session.views = 2
    await sessions.commit(session)

    expect(await stored(cookie)).toEqual({ user: 'ada', views: 2 })
  })

  test('fails the answer, when its increment fails', async () => {
    const { sessions, begun, backend } = setUp({}, (clock) => new FailingBackend({ clock }))
    const session = await sessions.load(await begun({ views: 1 }))
    backend.isDown = true

    session.increment('views').catch(() => {})

    await expect(sessions.commit(session)).rejects.toMatchObject(unavailable)
  })

  test('does not fail the answer for an increment whose failure was looked at', async () => {
    const { sessions, begun, backend } = setUp({}, (clock) => new FailingBackend({ clock }))
    const session = await sessions.load(await begun({ views: 1 }))
    backend.isDown = true

    await expect(session.increment('views')).rejects.toMatchObject(unavailable)

    expect(await sessions.commit(session)).toBeUndefined()
  })
})

describe('a session that could not be ended', () => {
  test.each(['destroy', 'regenerate'] as const)(
    'fails the answer, when its %s failed and the handler took no notice',
    async (end) => {
      const { sessions, begun, backend, stored } = setUp({}, (clock) => new FailingBackend({ clock }))
      const cookie = await begun({ user: 'ada' })
      const session = await sessions.load(cookie)
      backend.isDown = true
      await new Promise<void>((resolve) => session[end](() => resolve()))
      backend.isDown = false

      await expect(sessions.commit(session)).rejects.toMatchObject(unavailable)
      expect(await stored(cookie)).toEqual({ user: 'ada' })
    },
  )

  test('takes no login into the session that was there before', async () => {
    const { sessions, begun, backend, stored } = setUp({}, (clock) => new FailingBackend({ clock }))
    const fixed = await begun({ views: 1 })
    const session = await sessions.load(fixed)
    backend.isDown = true
    await session.regenerate().catch(() => {})
    backend.isDown = false
    session.user = 'ada'

    await expect(sessions.commit(session)).rejects.toMatchObject(unavailable)
    expect(await stored(fixed)).toEqual({ views: 1 })
  })

  test('ends at the next attempt', async () => {
    const { sessions, begun, backend, stored } = setUp({}, (clock) => new FailingBackend({ clock }))
    const cookie = await begun({ user: 'ada' })
    const session = await sessions.load(cookie)
    backend.isDown = true
    await session.destroy().catch(() => {})
    backend.isDown = false

    await session.destroy()

    expect(await sessions.commit(session)).toMatch('Max-Age=0')
    expect(await stored(cookie)).toEqual({})
  })
})

describe('a session that was destroyed', () => {
  test('takes no update, and is not begun anew by one', async () => {
    const { sessions, begun, backend } = setUp()
    const session = await sessions.load(await begun({ views: 1 }))
    await session.destroy()

    await expect(session.increment('views')).rejects.toMatchObject({ code: 'SESSION_ENDED' })
    await expect(session.reload()).rejects.toMatchObject({ code: 'SESSION_ENDED' })
    expect(await backend.length()).toBe(0)
  })

  test('can be followed by a new one in the same request', async () => {
    const { sessions, begun, stored } = setUp()
    const session = await sessions.load(await begun({ views: 1 }))
    await session.destroy()

    const next = await session.regenerate()
    next.user = 'ada'

    expect(await stored(cookieOf(await sessions.commit(next)))).toEqual({ user: 'ada' })
  })
})

test('a session whose first save failed gets another id with the next, so that the first cannot come late', async () => {
  const { sessions, backend } = setUp({}, (clock) => new FailingBackend({ clock }))
  const session = await sessions.load(undefined)
  session.user = 'ada'
  const { id } = session
  backend.isDown = true
  await expect(session.save()).rejects.toMatchObject(unavailable)
  backend.isDown = false

  await sessions.commit(session)

  expect(session.id).not.toBe(id)
})
