import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AsvsApp, startAsvsApp } from './asvs-app.ts'
import { sessionCookie } from './http.ts'

const minute = 60_000
const tooLongAgo = { status: 401, body: 'RECENT_LOGIN_REQUIRED' }

let app: AsvsApp
beforeEach(async () => {
  app = await startAsvsApp()
})
afterEach(() => app.close())

describe('ASVS 7.5', () => {
  test('7.5.1 the e-mail address is changed after a login of these minutes only, and what changed it was that login', async () => {
    const cookie = await app.login('ada')
    expect(await app.ask('POST', '/email', cookie)).toMatchObject({ status: 200, body: 'changed' })

    await app.clock.advance(10 * minute + 1)
    expect(await app.ask('POST', '/email', cookie)).toMatchObject(tooLongAgo)
    await app.whoIs(cookie)
    expect(await app.ask('POST', '/email', cookie)).toMatchObject(tooLongAgo)

    const again = await app.login('ada', cookie)
    expect(await app.ask('POST', '/email', again)).toMatchObject({ status: 200 })
  })

  test('7.5.1 who has never logged in has not done so lately, and neither has who logged out', async () => {
    const visitor = sessionCookie(await app.ask('GET', '/form'))
    expect((await app.handle.sessions.load(visitor)).info.authenticatedAt).toBeUndefined()

    const session = await app.handle.sessions.load(await app.login('ada'))
    delete session.user
    const left = (await app.handle.sessions.commit(session))!.split(';')[0]!
    expect((await app.handle.sessions.load(left)).info.authenticatedAt).toBeUndefined()
  })

  test('7.5.2 users see their sessions and, after a login of these minutes, end any of them or all others', async () => {
    const old = await app.login('ada')
    await app.clock.advance(20 * minute)
    const [here, there] = [await app.login('ada'), await app.login('ada')]

    const { body } = await app.ask('GET', '/sessions', here)
    const listed: { handle: string; isCurrent: boolean; createdAt: number }[] = JSON.parse(body)
    expect(listed.map(({ isCurrent }) => isCurrent).sort()).toEqual([false, false, true])
    const other = listed.filter(({ isCurrent }) => !isCurrent).sort((a, b) => b.createdAt - a.createdAt)[0]

    const path = `/sessions/${other!.handle}/end`
    expect(await app.ask('POST', path, old)).toMatchObject(tooLongAgo)
    expect((await app.ask('POST', path, await app.login('bob'))).status).toBe(404)
    expect((await app.ask('POST', path, here)).status).toBe(200)
    expect(await app.whoIs(there)).toBeUndefined()
    expect(await app.whoIs(old)).toBe('ada')
    expect((await app.ask('POST', '/sessions/end', here)).body).toBe('1')
    expect(await app.whoIs(old)).toBeUndefined()
    expect(await app.whoIs(here)).toBe('ada')
  })

  test('7.5.3 what is very sensitive asks for a login of this very minute', async () => {
    const cookie = await app.login('ada')
    expect(await app.ask('POST', '/transfer', cookie)).toMatchObject({ status: 200, body: 'sent' })

    await app.clock.advance(2 * minute)
    expect(await app.ask('POST', '/transfer', cookie)).toMatchObject(tooLongAgo)
    expect(await app.ask('POST', '/email', cookie)).toMatchObject({ status: 200 })
    expect(await app.ask('POST', '/transfer', await app.login('ada', cookie))).toMatchObject({ status: 200 })
  })
})

test('ASVS 7.6.2 no session is begun by a visit, only by what the user does', async () => {
  for (const path of ['/', '/whoami', '/sessions', '/nowhere']) {
    const { cookies } = await app.ask('GET', path)
    expect(cookies).toEqual([])
  }
  const forged = await app.ask('GET', '/', '__Host-session=s%3Aforged.forged')
  expect(forged.cookies).toEqual([])
  expect(await app.backend.length()).toBe(0)

  await app.login('ada')
  expect(await app.backend.length()).toBe(1)
})

test('ASVS 3.5.1 what would change something must come from a page of the app itself', async () => {
  const form = await app.ask('GET', '/form')
  const cookie = sessionCookie(form)
  const post = (headers: Record<string, string>, from = cookie) => app.ask('POST', '/guarded', from, headers)

  expect(await post({ 'x-csrf-token': form.body })).toMatchObject({ status: 200, body: 'done' })
  expect(await post({})).toMatchObject({ status: 403, body: 'CSRF_REJECTED' })
  for (const type of ['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded']) {
    expect((await post({ 'content-type': type, origin: 'https://evil.example' })).status).toBe(403)
  }
  const other = await app.ask('GET', '/form')
  expect((await post({ 'x-csrf-token': other.body })).status).toBe(403)
  const foreign = { 'x-csrf-token': form.body, 'sec-fetch-site': 'cross-site' }
  expect((await post(foreign)).status).toBe(403)
})
