import { keyPrefix, sharedRedis } from '@stepladder/core/testing'
import { createSessions, type Sessions } from '@stepladder/session'
import { RedisStore } from 'connect-redis'
import { RedisStore as RedisStore8 } from 'connect-redis-8'
import type session from 'express-session'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterEach, describe, expect, test } from 'vitest'
import { Browser } from '../browser.ts'
import { startApp } from '../express-app.ts'
import { cookieOf, type Fields, fieldsOf } from './browsing.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const peers: [string, (prefix: string) => Promise<session.Store>][] = [
  [
    'connect-redis 8.1 on ioredis',
    async (prefix) => {
      const client = new Redis((await sharedRedis()).url)
      opened.push(() => client.disconnect())
      return new RedisStore8({ client, prefix })
    },
  ],
  [
    'connect-redis 10',
    async (prefix) => {
      const client = createClient({ url: (await sharedRedis()).url })
      await client.connect()
      opened.push(() => client.destroy())
      return new RedisStore({ client, prefix })
    },
  ],
]

describe.each(peers)('with plain ids, in the place of %s', (_, open) => {
  /** Nodes of both kinds on one Redis, with the same cookie and secret. */
  async function openFleet(cookie: session.CookieOptions = {}) {
    const prefix = keyPrefix()
    const store = await open(prefix)
    const app = await startApp({ store, cookie })
    opened.push(app.close)
    const sessions = createSessions<Fields>({
      secret: 'for tests only',
      redis: (await sharedRedis()).url,
      prefix,
      hashIds: false,
      cookie: { name: 'connect.sid', secure: false },
      timeout: '5s',
    })
    opened.push(() => sessions.close())
    return { sessions, theirs: (shown: string) => new Browser(app.url, shown), store }
  }

  async function begunHere(sessions: Sessions<Fields>, maxAge: number | null = null): Promise<string> {
    const begun = await sessions.load(undefined)
    begun.cookie.maxAge = maxAge
    begun.user = 'ada'
    return cookieOf(await sessions.commit(begun))
  }

  test('who logged in there is logged in here, and who logged in here is logged in there', async () => {
    const { sessions, theirs } = await openFleet()
    const browser = theirs('')
    await browser.post('/login/ada')
    const visited = await sessions.load(browser.cookie)
    expect({ ...visited }).toEqual({ user: 'ada' })
    visited.cart = ['pen']
    await sessions.commit(visited)

    // There and back again, twice.
    for (let turns = 0; turns < 2; turns++) {
      expect(await theirs(browser.cookie).session()).toMatchObject({ user: 'ada', cart: ['pen'] })
      expect(await fieldsOf(sessions, browser.cookie)).toEqual({ user: 'ada', cart: ['pen'] })
    }
    expect(await theirs(await begunHere(sessions)).session()).toMatchObject({ user: 'ada' })
  })

  test('nodes of both kinds serve one browser, and see what the others have changed', async () => {
    const { sessions, theirs } = await openFleet({ maxAge: 3_600_000 })
    const cookie = await begunHere(sessions, 3_600_000)
    for (let turns = 0; turns < 5; turns++) {
      expect(await theirs(cookie).post(`/fields/theirs${turns}`)).toBe(200)
      const visited = await sessions.load(cookie)
      visited[`ours${turns}`] = true
      await sessions.commit(visited)
    }

    const fields = await fieldsOf(sessions, cookie)
    expect(Object.keys(fields)).toHaveLength(11)
    expect((await sessions.load(cookie)).info.createdAt).toBeGreaterThan(Date.now() - 60_000)
  })

  test('what they save while a request is under way here is merged, and not overwritten', async () => {
    const { sessions, theirs } = await openFleet()
    const cookie = await begunHere(sessions)
    const slow = await sessions.load(cookie)
    await theirs(cookie).post('/fields/theirs')
    slow.ours = true
    await sessions.commit(slow)

    expect(await fieldsOf(sessions, cookie)).toEqual({ user: 'ada', theirs: true, ours: true })
  })

  test('a logout there is one here, and a logout here is one there', async () => {
    const { sessions, theirs } = await openFleet()
    const [first, second] = [await begunHere(sessions), await begunHere(sessions)]
    await theirs(first).post('/logout/0')
    await (await sessions.load(second)).destroy()

    expect(await fieldsOf(sessions, first)).toEqual({})
    expect((await theirs(second).session()).user).toBeUndefined()
  })

  test('they set our cookie with the flags that it had from us', async () => {
    const prefix = keyPrefix()
    const store = await open(prefix)
    const sessions = createSessions<Fields>({
      ...{ secret: 'for tests only', redis: (await sharedRedis()).url, prefix, hashIds: false },
      cookie: { name: 'connect.sid', sameSite: 'strict', domain: 'shop.example' },
    })
    opened.push(() => sessions.close())
    const begun = await sessions.load(undefined)
    begun.user = 'ada'
    await sessions.commit(begun)

    const found = await new Promise<session.SessionData | null | undefined>((resolve, reject) =>
      store.get(begun.id, (error, data) => (error ? reject(error) : resolve(data))),
    )
    expect(found?.cookie).toMatchObject({
      ...{ httpOnly: true, secure: true, sameSite: 'strict', domain: 'shop.example', path: '/' },
    })
  })
})
