import { keyPrefix, sharedRedis } from '@stepladder/core/testing'
import { createSessions, type Sessions } from '@stepladder/session'
import { afterEach, expect, test } from 'vitest'
import { begin, cookieOf, type Fields, fieldsOf } from './browsing.ts'

const graceMs = 300
const opened: Sessions<Fields>[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((sessions) => sessions.close()))
})

test('a new id is seen by processes that remember the old one, and the old one is over in all of them', async () => {
  const redis = (await sharedRedis()).url
  const prefix = keyPrefix()
  const open = (rotateEvery?: number) => {
    const times = { rotateEvery, rotationGrace: graceMs, timeout: '5s' } as const
    const sessions = createSessions<Fields>({
      secret: 'for tests only',
      redis,
      prefix,
      nearCache: true,
      ...times,
    })
    opened.push(sessions)
    return sessions
  }
  const [rotating, remembering] = [open(graceMs), open()]
  const old = await begin(rotating, { user: 'ada' })
  // Both have it in memory from here on, if memory is told of changes by now.
  await fieldsOf(remembering, old)
  await expect.poll(() => visit(rotating, old), { interval: 20, timeout: 5_000 }).not.toBe(old)

  const fresh = await visit(rotating, old)
  await expect.poll(() => visit(remembering, old), { interval: 5, timeout: 5_000 }).toBe(fresh)
  await visit(remembering, fresh)

  for (const sessions of [rotating, remembering]) {
    await expect.poll(() => fieldsOf(sessions, old), { interval: 10, timeout: 5_000 }).toEqual({})
  }
  expect(await fieldsOf(remembering, await visit(rotating, fresh))).toEqual({ user: 'ada' })
})

/** One request that changes nothing; resolves to the cookie that the browser has then. */
async function visit(sessions: Sessions<Fields>, cookie: string): Promise<string> {
  const setCookie = await sessions.commit(await sessions.load(cookie))
  return setCookie === undefined ? cookie : cookieOf(setCookie)
}
