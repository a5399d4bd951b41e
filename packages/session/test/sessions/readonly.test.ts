import { FakeClock, outage } from '@stepladder/core/testing'
import { createSessions, type Sessions, type SessionsOptions } from '@stepladder/session'
import { describe, expect, test } from 'vitest'
import { cookieOf, type Data } from './set-up.ts'
import { ToldPlace } from './told-place.ts'

const unavailable = { code: 'SESSION_UNAVAILABLE', status: 503 }

async function begun(sessions: Sessions<Data>, fields: Partial<Data> = { user: 'ada' }): Promise<string> {
  const session = await sessions.load(undefined)
  Object.assign(session, fields)
  return cookieOf(await sessions.commit(session))
}

describe('with onOutage: readonly, while the store is away,', () => {
  const clock = new FakeClock()

  /** Two processes of one place; the first one loses it. */
  function setUp(options: Partial<SessionsOptions> = {}) {
    const place = new ToldPlace(clock, { call: () => 1, told: () => 1 })
    const { backend, connection } = place.connect()
    const faults = outage(backend)
    const open = (backend: SessionsOptions['backend']) =>
      createSessions<Data>({ secret: 'for tests only', backend, clock, onOutage: 'readonly', ...options })
    return { faults, connection, here: open(faults.port), elsewhere: open(place.connect().backend) }
  }

  /** Lets time go by until it has ended. */
  async function ended<T>(promise: Promise<T>): Promise<T> {
    let isUnderWay = true
    const end = () => {
      isUnderWay = false
    }
    promise.then(end, end)
    while (isUnderWay) await clock.advance(5)
    return promise
  }

  test('a session that was seen here is shown as it was, and marked so', async () => {
    const { faults, here } = setUp()
    const cookie = await ended(begun(here, { user: 'ada', cart: { pen: 1 } }))
    await ended(here.load(cookie))
    faults.refuse()

    const session = await ended(here.load(cookie))

    expect({ ...session }).toEqual({ user: 'ada', cart: { pen: 1 } })
    expect(session.info).toMatchObject({ isReadOnly: true, isStale: true, isNew: false })
    expect(await ended(here.commit(session))).toBeUndefined()
  })

  test('no change of it can be saved, and it cannot be ended', async () => {
    const { faults, here } = setUp()
    const cookie = await ended(begun(here))
    await ended(here.load(cookie))
    faults.refuse()

    const session = await ended(here.load(cookie))
    await expect(session.update((fields) => fields.user)).rejects.toMatchObject(unavailable)
    await expect(session.regenerate()).rejects.toMatchObject(unavailable)
    await expect(session.destroy()).rejects.toMatchObject(unavailable)
    session.user = 'bob'
    await expect(here.commit(session)).rejects.toMatchObject(unavailable)
    expect((await ended(here.load(cookie))).user).toBe('ada')
  })

  test('one that was never seen here is unavailable, and without a cookie there is an empty one', async () => {
    const { faults, here, elsewhere } = setUp()
    const cookie = await ended(begun(elsewhere))
    faults.refuse()

    await expect(ended(here.load(cookie))).rejects.toMatchObject(unavailable)
    expect((await here.load(undefined)).info).toMatchObject({
      isNew: true,
      isReadOnly: false,
      isStale: false,
    })
  })

  test('one that has ended, here or elsewhere, is not shown', async () => {
    const { faults, here, elsewhere } = setUp()
    const cookies = [await ended(begun(here)), await ended(begun(here))]
    for (const cookie of cookies) await ended(here.load(cookie))
    await clock.advance(1_000)

    await ended((await ended(here.load(cookies[0]))).destroy())
    await ended((await ended(elsewhere.load(cookies[1]))).destroy())
    await clock.advance(5)
    faults.refuse()

    for (const cookie of cookies) await expect(ended(here.load(cookie))).rejects.toMatchObject(unavailable)
  })

  test('one that has ended elsewhere is shown by a process that was not told, in the same harness', async () => {
    const { faults, connection, here, elsewhere } = setUp()
    const cookie = await ended(begun(here))
    await clock.advance(1_000)
    await ended(here.load(cookie))
    connection.cut(60_000)

    await ended((await ended(elsewhere.load(cookie))).destroy())
    await clock.advance(5)
    faults.refuse()

    expect((await ended(here.load(cookie))).user).toBe('ada')
  })

  test('one whose id was changed meanwhile is shown under both', async () => {
    const { faults, here } = setUp({ rotateEvery: '1m' })
    const old = await ended(begun(here))
    await clock.advance(60_000)
    const rotated = cookieOf(await ended(here.commit(await ended(here.load(old)))))
    for (const cookie of [old, rotated]) await ended(here.load(cookie))
    await clock.advance(1_000)
    faults.refuse()

    expect(rotated).not.toBe(old)
    for (const cookie of [old, rotated]) expect((await ended(here.load(cookie))).user).toBe('ada')
    await clock.advance(120_000)
    await expect(ended(here.load(old))).rejects.toMatchObject(unavailable)
    expect((await ended(here.load(rotated))).user).toBe('ada')
  })

  test('one whose end could not be told to the store is not shown either', async () => {
    const { faults, here } = setUp()
    const cookie = await ended(begun(here))
    const session = await ended(here.load(cookie))
    faults.hang()

    await expect(ended(session.destroy())).rejects.toMatchObject(unavailable)

    await expect(ended(here.load(cookie))).rejects.toMatchObject(unavailable)
  })

  test('one that was changed, here or elsewhere, is shown with what was saved last', async () => {
    const { faults, here, elsewhere } = setUp()
    const cookie = await ended(begun(here))
    for (const sessions of [here, elsewhere]) {
      const session = await ended(sessions.load(cookie))
      session.views = (session.views ?? 0) + 1
      await ended(sessions.commit(session))
    }
    await clock.advance(1_000)
    faults.refuse()

    expect({ ...(await ended(here.load(cookie))) }).toEqual({ user: 'ada', views: 2 })
  })

  test('one whose change could not be saved is shown as it was before', async () => {
    const { faults, here } = setUp()
    const cookie = await ended(begun(here))
    const session = await ended(here.load(cookie))
    await clock.advance(1_000)
    faults.refuse()

    session.user = 'bob'
    await expect(here.commit(session)).rejects.toMatchObject(unavailable)

    expect((await ended(here.load(cookie))).user).toBe('ada')
  })

  test.each([
    ['rested too long', { idleTimeout: '1m' }],
    ['lived too long', { absoluteTimeout: '1m' }],
  ] as const)('one that has %s meanwhile is not shown', async (_why, options) => {
    const { faults, here } = setUp(options)
    const cookie = await ended(begun(here))
    await ended(here.load(cookie))
    faults.refuse()
    await clock.advance(50_000)
    expect((await ended(here.load(cookie))).user).toBe('ada')

    await clock.advance(10_000)

    await expect(ended(here.load(cookie))).rejects.toMatchObject(unavailable)
  })

  test('only as many are kept as nearCache allows, those that were asked for last', async () => {
    const { faults, here } = setUp({ nearCache: { maxEntries: 2 } })
    const cookies = []
    for (let n = 0; n < 3; n++) cookies.push(await ended(begun(here)))
    await clock.advance(1_000)
    for (const cookie of [2, 1, 0]) await ended(here.load(cookies[cookie]))
    await clock.advance(60_000)
    faults.refuse()

    const shown = await Promise.allSettled(cookies.map((cookie) => ended(here.load(cookie))))

    expect(shown.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  })

  test('and all is as before once it is back', async () => {
    const { faults, here } = setUp()
    const cookie = await ended(begun(here))
    await ended(here.load(cookie))
    faults.refuse()
    expect((await ended(here.load(cookie))).info.isReadOnly).toBe(true)

    faults.recover()
    const session = await ended(here.load(cookie))
    session.user = 'bob'
    await ended(here.commit(session))

    expect(session.info).toMatchObject({ isReadOnly: false, isStale: false })
    expect((await ended(here.load(cookie))).user).toBe('bob')
  })
})
