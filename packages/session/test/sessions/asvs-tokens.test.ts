import { createSessions, MemorySessionBackend, type SessionsOptions } from '@stepladder/session'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AsvsApp, startAsvsApp } from './asvs-app.ts'
import { sessionCookie } from './http.ts'

let app: AsvsApp
beforeEach(async () => {
  app = await startAsvsApp()
})
afterEach(() => app.close())

describe('ASVS 7.2', () => {
  test('7.2.1 a token is verified where sessions are kept, and says nothing by itself', async () => {
    const cookie = await app.login('ada')
    expect(await app.whoIs(cookie)).toBe('ada')
    expect(decodeURIComponent(cookie)).toMatch(/^__Host-session=s:[\w-]{32}\.[\w+/]{43}$/)

    await app.backend.clear()
    expect(await app.whoIs(cookie)).toBeUndefined()
  })

  test('7.2.2 tokens are made for each session, and are no key or secret of the app', async () => {
    const [one, two] = [await app.login('ada'), await app.login('ada')]
    expect(one).not.toBe(two)
    expect(await app.whoIs('__Host-session=for tests only')).toBeUndefined()
    expect(JSON.stringify([...(await app.backend.all())])).not.toContain(one.slice(19, 51))
  })

  test('7.2.3 tokens are unique, and have 192 bits of which none can be foretold', async () => {
    const { sessions } = app.handle
    const count = 10_000
    const ids = new Set<string>()
    const ones = Array<number>(192).fill(0)
    for (let turn = 0; turn < count; turn += 1) {
      const { id } = await sessions.load(undefined)
      ids.add(id)
      for (const [at, byte] of Buffer.from(id, 'base64url').entries()) {
        for (let bit = 0; bit < 8; bit += 1) ones[at * 8 + bit]! += (byte >> bit) & 1
      }
    }
    expect(ids.size).toBe(count)
    // Six standard deviations: a fair coin shows more for one of 192 bits once in three million runs.
    for (const each of ones) expect(Math.abs(each - count / 2)).toBeLessThan(300)
  })

  test('7.2.4 a login, the first and each later one, gives a new token and ends the one before', async () => {
    const visitor = sessionCookie(await app.ask('GET', '/form'))
    const first = await app.login('ada', visitor)
    const second = await app.login('ada', first)

    expect(new Set([visitor, first, second]).size).toBe(3)
    expect(await app.whoIs(visitor)).toBeUndefined()
    expect(await app.whoIs(first)).toBeUndefined()
    expect(await app.whoIs(second)).toBe('ada')
    expect(await app.backend.length()).toBe(1)
  })

  test('7.2.4 an app that forgets to regenerate gets a new token too, when `userOf` names its users', async () => {
    const { sessions } = app.handle
    const visitor = sessionCookie(await app.ask('GET', '/form'))
    const session = await sessions.load(visitor)
    session.user = 'ada'
    const cookie = (await sessions.commit(session))?.split(';')[0]

    expect(cookie).not.toBe(visitor)
    expect(await app.whoIs(visitor)).toBeUndefined()
    expect(await app.whoIs(cookie)).toBe('ada')
  })
})

describe('ASVS 3.3', () => {
  async function setCookieOf(cookie: SessionsOptions['cookie'] = {}, id = ''): Promise<string> {
    const secret = 'for tests only'
    const sessions = createSessions({ secret, backend: new MemorySessionBackend(), cookie })
    const session = await sessions.load(undefined)
    Object.assign(session, { user: `ada${id}` })
    return (await sessions.commit(session))!
  }

  test('3.3.1 the cookie is Secure, with a prefix that browsers hold it to', async () => {
    expect(await setCookieOf()).toMatch(/^__Host-session=.*; Secure/)
    expect(await setCookieOf({ path: '/app' })).toMatch(/^__Secure-session=.*; Secure/)
    expect(await setCookieOf({ domain: 'example.com' })).toMatch(/^__Secure-session=.*; Secure/)
  })

  test('3.3.2 the cookie says for which sites it is: not with what others post, unless the app says so', async () => {
    expect(await setCookieOf()).toContain('; SameSite=Lax')
    expect(await setCookieOf({ sameSite: 'strict' })).toContain('; SameSite=Strict')
    expect(await setCookieOf({ sameSite: 'none' })).toContain('; SameSite=None')
  })

  test('3.3.3 the cookie is for its own host alone, unless the app shares it', async () => {
    const setCookie = await setCookieOf()
    expect(setCookie).toMatch(/^__Host-session=.*; Path=\/;/)
    expect(setCookie).not.toContain('Domain')
    expect(await setCookieOf({ domain: 'example.com' })).toContain('; Domain=example.com')
  })

  test('3.3.4 the cookie is out of reach for scripts, and its value is nowhere else in an answer', async () => {
    expect(await setCookieOf()).toContain('; HttpOnly')
    const answer = await app.ask('POST', '/login/ada')
    const id = decodeURIComponent(sessionCookie(answer)).slice(17, 49)
    const page = await app.ask('GET', '/sessions', sessionCookie(answer))
    expect(page.status).toBe(200)
    const { 'set-cookie': _, ...headers } = answer.headers
    expect(JSON.stringify([headers, answer.body, page.headers, page.body])).not.toContain(id)
  })

  test('3.3.5 the cookie is far below 4096 bytes, whatever the session holds and the options say', async () => {
    expect((await setCookieOf({}, 'x'.repeat(200_000))).length).toBeLessThan(250)
    const longest = { name: `__Secure-${'n'.repeat(247)}`, path: `/${'p'.repeat(1_023)}` }
    const [pair = ''] = (await setCookieOf(longest)).split(';')
    expect(pair.length).toBeLessThan(4_096)
  })
})
