import { createSessions, MemorySessionBackend } from '@stepladder/session'
import { expect, test } from 'vitest'
import { cookieOf } from './set-up.ts'

test('a cookie that was verified once opens nothing more than it did, and nothing when it is changed', async () => {
  const sessions = createSessions<{ user: string }>({
    secret: 'for tests only',
    backend: new MemorySessionBackend(),
  })
  const session = await sessions.load(undefined)
  session.user = 'ada'
  const cookie = cookieOf(await sessions.commit(session))
  for (let time = 0; time < 3; time++) expect((await sessions.load(cookie)).user).toBe('ada')

  for (let at = cookie.indexOf('=') + 1; at < cookie.length; at++) {
    const changed = `${cookie.slice(0, at)}${cookie[at] === 'A' ? 'B' : 'A'}${cookie.slice(at + 1)}`
    expect((await sessions.load(changed)).user).toBeUndefined()
    expect((await sessions.load(cookie.slice(0, at))).user).toBeUndefined()
  }
  await (await sessions.load(cookie)).destroy()
  expect((await sessions.load(cookie)).user).toBeUndefined()
})

test('cookies are remembered up to a bound, and those that were forgotten are verified anew', async () => {
  const sessions = createSessions<{ user: number }>({
    secret: 'for tests only',
    backend: new MemorySessionBackend(),
  })
  const cookies: string[] = []
  for (let user = 0; user < 11_000; user++) {
    const session = await sessions.load(undefined)
    session.user = user
    cookies.push(cookieOf(await sessions.commit(session)))
  }

  for (let round = 0; round < 2; round++) {
    for (const [user, cookie] of cookies.entries()) expect((await sessions.load(cookie)).user).toBe(user)
  }
})
