import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AsvsApp, startAsvsApp } from './asvs-app.ts'

const minute = 60_000

let app: AsvsApp
beforeEach(async () => {
  app = await startAsvsApp({ idleTimeout: '30m', absoluteTimeout: '12h' })
})
afterEach(() => app.close())

describe('ASVS 7.3', () => {
  test('7.3.1 a session that nobody used for so long is over, and one that is used is not', async () => {
    const [used, left] = [await app.login('ada'), await app.login('ada')]
    for (let turn = 0; turn < 3; turn += 1) {
      await app.clock.advance(20 * minute)
      expect(await app.whoIs(used)).toBe('ada')
    }
    expect(await app.whoIs(left)).toBeUndefined()

    await app.clock.advance(30 * minute)
    expect(await app.whoIs(used)).toBeUndefined()
  })

  test('7.3.2 a session that has lived for so long is over, used or not, and however long its cookie lasts', async () => {
    const cookie = await app.login('ada')
    const session = await app.handle.sessions.load(cookie)
    session.cookie.maxAge = 365 * 24 * 60 * minute
    expect(await app.handle.sessions.commit(session)).toMatch('; Max-Age=43200;')
    for (let turn = 0; turn < 35; turn += 1) {
      await app.clock.advance(20 * minute)
      expect(await app.whoIs(cookie)).toBe('ada')
    }

    await app.clock.advance(20 * minute)
    expect(await app.whoIs(cookie)).toBeUndefined()
  })
})

describe('ASVS 7.4', () => {
  test('7.4.1 after a logout the token opens nothing, on no device and by no request that was under way', async () => {
    const cookie = await app.login('ada')
    const late = await app.handle.sessions.load(cookie)
    const logout = await app.ask('POST', '/logout', cookie)
    expect(logout.headers['set-cookie']?.[0]).toMatch(/^__Host-session=; Max-Age=0; Expires=Thu, 01 Jan 1970/)

    late.email = 'late'
    await expect(app.handle.sessions.commit(late)).rejects.toMatchObject({ code: 'SESSION_ENDED' })
    expect(await app.whoIs(cookie)).toBeUndefined()
    expect((await app.ask('GET', '/sessions', cookie)).status).toBe(401)
    expect(await app.backend.length()).toBe(0)
  })

  test('7.4.1 what has timed out is removed, and not only passed over', async () => {
    const cookie = await app.login('ada')
    await app.clock.advance(30 * minute)
    expect(await app.whoIs(cookie)).toBeUndefined()
    expect(await app.backend.length()).toBe(0)
  })

  test('7.4.2 when an account is disabled, all of its sessions are over at once', async () => {
    const ada = [await app.login('ada'), await app.login('ada'), await app.login('ada')]
    const bob = await app.login('bob')

    expect(await app.handle.sessions.of('ada').revokeAll()).toBe(3)

    for (const cookie of ada) expect(await app.whoIs(cookie)).toBeUndefined()
    expect(await app.whoIs(bob)).toBe('bob')
    expect(await app.handle.sessions.of('ada').list()).toEqual([])
  })

  test('7.4.3 after a change of password, all other sessions of the user can be ended', async () => {
    const [here, there, elsewhere] = [await app.login('ada'), await app.login('ada'), await app.login('ada')]
    const bob = await app.login('bob')

    const answer = await app.ask('POST', '/sessions/end', here)

    expect(answer.body).toBe('2')
    expect(await app.whoIs(here)).toBe('ada')
    for (const cookie of [there, elsewhere]) expect(await app.whoIs(cookie)).toBeUndefined()
    expect(await app.whoIs(bob)).toBe('bob')
  })

  test('7.4.5 an administrator can end the sessions of one user, one by one or all, and those of everybody', async () => {
    const ada = [await app.login('ada'), await app.login('ada')]
    const [bob, eve] = [await app.login('bob'), await app.login('eve')]
    const { sessions } = app.handle

    const [listed] = await sessions.of('bob').list()
    expect(await sessions.of('ada').revoke(listed!.handle)).toBe(false)
    expect(await sessions.of('bob').revoke(listed!.handle)).toBe(true)
    expect(await app.whoIs(bob)).toBeUndefined()

    await sessions.of('ada').revokeAll()
    for (const cookie of ada) expect(await app.whoIs(cookie)).toBeUndefined()
    expect(await app.whoIs(eve)).toBe('eve')

    await sessions.clear()
    expect(await app.whoIs(eve)).toBeUndefined()
  })
})
