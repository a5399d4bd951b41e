import type { SessionsOptions } from '@stepladder/session'
import { describe, expect, test } from 'vitest'
import { cookieOf, type Data, setUp } from './set-up.ts'

function withUsers(options: Partial<SessionsOptions<Data>> = {}) {
  return setUp({ userOf: ({ user }: Partial<Data>) => user, ...options })
}

const handlesOf = (listed: readonly { handle: string }[]) => listed.map(({ handle }) => handle)

describe('the sessions of a user', () => {
  test('are listed, with when they were begun and seen, and which of them is this one', async () => {
    const { sessions, clock, begun } = withUsers()
    await begun({ user: 'ada' })
    const begunAt = clock.now()
    await clock.advance(120_000)
    const second = await begun({ user: 'ada' })
    await begun({ user: 'bob' })

    const current = await sessions.load(second)
    const listed = await sessions.of('ada').list(current)

    expect(listed).toEqual([
      expect.objectContaining({ createdAt: clock.now(), lastSeenAt: clock.now(), isCurrent: true }),
      expect.objectContaining({ createdAt: begunAt, lastSeenAt: begunAt, isCurrent: false }),
    ])
    expect(await sessions.of('nobody').list()).toEqual([])
  })

  test.each([true, false])('have handles that make no cookie (hashIds: %s)', async (hashIds) => {
    const { sessions, begun, backend } = withUsers({ hashIds })
    const cookie = await begun({ user: 'ada' })

    const [listed] = await sessions.of('ada').list()

    expect(decodeURIComponent(cookie)).not.toContain(listed!.handle)
    expect(await sessions.load(cookie.replace(/s%3A[^.]+/, `s%3A${listed!.handle}`))).toMatchObject({})
    expect((await backend.all()).has(listed!.handle)).toBe(hashIds)
  })

  test('can be ended one by one, by their own user only', async () => {
    const { sessions, begun, stored } = withUsers()
    const phone = await begun({ user: 'ada' })
    const [handle = ''] = handlesOf(await sessions.of('ada').list())
    const laptop = await begun({ user: 'ada' })

    expect(await sessions.of('bob').revoke(handle)).toBe(false)
    expect(await stored(phone)).toEqual({ user: 'ada' })
    expect(await sessions.of('ada').revoke(handle)).toBe(true)
    expect(await sessions.of('ada').revoke(handle)).toBe(false)

    expect(await stored(phone)).toEqual({})
    expect(await stored(laptop)).toEqual({ user: 'ada' })
    expect(handlesOf(await sessions.of('ada').list())).not.toContain(handle)
  })

  test('can all be ended, and those of others go on', async () => {
    const { sessions, begun, stored } = withUsers()
    const cookies = [await begun({ user: 'ada' }), await begun({ user: 'ada' })]
    const bobs = await begun({ user: 'bob' })

    expect(await sessions.of('ada').revokeAll()).toBe(2)

    expect(await Promise.all(cookies.map(stored))).toEqual([{}, {}])
    expect(await stored(bobs)).toEqual({ user: 'bob' })
    expect(await sessions.of('ada').revokeAll()).toBe(0)
  })

  test('can all be ended but this one, which a change of password is made in', async () => {
    const { sessions, begun, stored } = withUsers()
    const [phone, laptop] = [await begun({ user: 'ada' }), await begun({ user: 'ada' })]

    const current = await sessions.load(laptop)
    expect(await sessions.of('ada').revokeOthers(current)).toBe(1)

    expect(await stored(phone)).toEqual({})
    expect(await stored(laptop)).toEqual({ user: 'ada' })
  })

  test('can all be ended but this one, though another request gives it a new id meanwhile', async () => {
    const { sessions, begun, clock, stored } = withUsers({ rotateEvery: '1m' })
    const cookie = await begun({ user: 'ada' })
    await begun({ user: 'ada' })
    const current = await sessions.load(cookie)
    await clock.advance(120_000)
    const rotated = cookieOf(await sessions.commit(await sessions.load(cookie)))
    await sessions.commit(await sessions.load(rotated))

    expect(await sessions.of('ada').list(current)).toContainEqual(
      expect.objectContaining({ isCurrent: true }),
    )
    expect(await sessions.of('ada').revokeOthers(current)).toBe(1)
    expect(await stored(rotated)).toEqual({ user: 'ada' })
  })

  test('keep their handles when their ids are rotated', async () => {
    const { sessions, begun, clock, stored } = withUsers({ rotateEvery: '1m' })
    const cookie = await begun({ user: 'ada' })
    const handles = handlesOf(await sessions.of('ada').list())
    await clock.advance(120_000)
    const rotated = cookieOf(await sessions.commit(await sessions.load(cookie)))

    expect(rotated).not.toBe(cookie)
    expect(handlesOf(await sessions.of('ada').list())).toEqual(handles)
    expect(await sessions.of('ada').revoke(handles[0]!)).toBe(true)
    expect(await stored(rotated)).toEqual({})
  })

  test('can be many', async () => {
    const { sessions, backend } = withUsers()
    await Promise.all(Array.from({ length: 2_500 }, (_, n) => backend.users.renew('ada', `key ${n}`, 60_000)))
    const session = await sessions.load(undefined)
    session.user = 'ada'
    await sessions.commit(session)

    expect(await sessions.of('ada').list()).toHaveLength(1)
    expect(await backend.users.list('ada')).toHaveLength(1)
  })

  test('are out of the list when they end', async () => {
    const { sessions, begun, clock, backend } = withUsers()
    const [out, regenerated] = [await begun({ user: 'ada' }), await begun({ user: 'ada' })]
    await begun({ user: 'ada' })
    await (await sessions.load(out)).destroy()
    await (await sessions.load(regenerated)).regenerate()
    expect(await sessions.of('ada').list()).toHaveLength(1)

    await clock.advance(24 * 3_600_000)
    expect(await sessions.of('ada').list()).toEqual([])
    expect(await backend.users.list('ada')).toEqual([])
  })

  test('stay listed while they are used, though it is by writes alone or by reads alone', async () => {
    const { sessions, begun, clock } = withUsers({ idleTimeout: '10m' })
    const [written, read] = [await begun({ user: 'ada' }), await begun({ user: 'ada' })]
    for (let minute = 0; minute < 60; minute += 0.5) {
      await clock.advance(30_000)
      const session = await sessions.load(written)
      session.views = minute
      await sessions.commit(session)
      await sessions.commit(await sessions.load(read))
    }

    expect(await sessions.of('ada').list()).toHaveLength(2)
    expect(await sessions.of('ada').revokeAll()).toBe(2)
  })

  test('of everybody end by `clear`, whosever they are', async () => {
    const { sessions, begun, stored, backend } = withUsers()
    const cookies = [await begun({ user: 'ada' }), await begun({ user: 'bob' }), await begun({ views: 1 })]

    await sessions.clear()

    expect(await Promise.all(cookies.map(stored))).toEqual([{}, {}, {}])
    expect(await backend.users.users()).toEqual([])
  })

  test('need `userOf`, and names that are names', async () => {
    const { sessions } = setUp()
    expect(() => sessions.of('ada')).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    const spoilt = withUsers()
    for (const nobody of [undefined, null, '', Number.NaN, {}] as never[]) {
      expect(() => spoilt.sessions.of(nobody)).toThrow(
        expect.objectContaining({ code: 'INVALID_SESSION_USER' }),
      )
    }
    for (const user of [{ id: 7 } as never, 'a\0b', '\ud800', 'x'.repeat(257)]) {
      await expect(spoilt.begun({ user })).rejects.toMatchObject({ code: 'INVALID_SESSION_USER' })
    }
    expect(await spoilt.backend.length()).toBe(0)
  })
})

describe('a session that becomes another user’s', () => {
  test.each<
    [
      string,
      (session: Partial<Data> & { update: (change: (s: Partial<Data>) => void) => Promise<void> }) => unknown,
    ]
  >([
    ['an assignment', (session) => Object.assign(session, { user: 'ada' })],
    ['an update', (session) => session.update((fields) => void Object.assign(fields, { user: 'ada' }))],
  ])('by %s gets a new id, keeps its fields, and the old id is over', async (_, login) => {
    const { sessions, begun, stored } = withUsers()
    const before = await begun({ cart: { pen: 1 } })
    const session = await sessions.load(before)
    await login(session as never)

    const after = cookieOf(await sessions.commit(session))

    expect(after).not.toBe(before)
    expect(await stored(before)).toEqual({})
    expect(await stored(after)).toEqual({ user: 'ada', cart: { pen: 1 } })
    expect(await sessions.of('ada').list()).toHaveLength(1)
    expect((await sessions.load(after)).info.authenticatedAt).toBeDefined()
  })

  test('takes along what other requests have saved meanwhile', async () => {
    const { sessions, begun, stored } = withUsers()
    const before = await begun({ views: 1 })
    const [login, other] = [await sessions.load(before), await sessions.load(before)]
    other.cart = { pen: 1 }
    await sessions.commit(other)
    login.user = 'ada'

    const after = cookieOf(await sessions.commit(login))
    login.text = 'more'
    await sessions.commit(login)

    expect(await stored(after)).toEqual({ user: 'ada', views: 1, cart: { pen: 1 }, text: 'more' })
  })

  test('leaves the former user’s list, and is in none when nobody is logged in', async () => {
    const { sessions, begun } = withUsers()
    const session = await sessions.load(await begun({ user: 'ada' }))
    session.user = 'bob'
    const bobs = cookieOf(await sessions.commit(session))
    expect(await sessions.of('ada').list()).toEqual([])
    expect(await sessions.of('bob').list()).toHaveLength(1)

    const out = await sessions.load(bobs)
    delete out.user
    await sessions.commit(out)
    expect(await sessions.of('bob').list()).toEqual([])
  })

  test.each(['login', 'regenerate'])(
    'does not come to life again by a %s that meets its end',
    async (how) => {
      const { sessions, begun, backend } = withUsers()
      const cookie = await begun({ user: 'ada' })
      const late = await sessions.load(cookie)
      await sessions.of('ada').revokeAll()

      const act = async () => {
        if (how === 'regenerate') await late.regenerate({ keep: true })
        late.user = 'bob'
        await sessions.commit(late)
      }

      await expect(act()).rejects.toMatchObject({ code: 'SESSION_ENDED' })
      expect(await backend.length()).toBe(0)
      expect(await backend.users.users()).toEqual([])
    },
  )

  test('can be one that another program has logged in: it is listed when it is seen', async () => {
    const { sessions, begun, backend, stored } = withUsers()
    const cookie = await begun({ views: 1 })
    const [[key, text]] = [...(await backend.all())] as [[string, string]]
    await backend.put(key, JSON.stringify({ ...JSON.parse(text), user: 'ada' }), 60_000)

    await sessions.commit(await sessions.load(cookie))

    expect(await sessions.of('ada').list()).toHaveLength(1)
    await sessions.of('ada').revokeAll()
    expect(await stored(cookie)).toEqual({})
  })
})
