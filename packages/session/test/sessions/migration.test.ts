import { keyPrefix, RecordedReports, sharedRedis } from '@stepladder/core/testing'
import {
  createSessions,
  MemorySessionBackend,
  type Sessions,
  type SessionsOptions,
} from '@stepladder/session'
import session from 'express-session'
import { afterEach, describe, expect, test } from 'vitest'
import { Browser } from '../browser.ts'
import { startApp } from '../express-app.ts'
import { cookieOf, type Fields, fieldsOf } from './browsing.ts'
import { fieldsOfApp, oldStores } from './old-stores.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Logs somebody in under express-session, with this store; resolves to the cookie. */
async function loggedIn(store: session.Store, user = 'ada'): Promise<string> {
  const app = await startApp({ store, cookie: { maxAge: 3_600_000 } })
  const browser = new Browser(app.url)
  expect(await browser.post(`/login/${user}`)).toBe(200)
  await app.close()
  return browser.cookie
}

/** As the app has them after it has moved: with the cookie and the secret that it had before. */
function openSessions(
  migrateFrom: session.Store | undefined,
  rest: Partial<SessionsOptions> = {},
): Sessions<Fields> {
  const sessions = createSessions<Fields>({
    secret: 'for tests only',
    cookie: { name: 'connect.sid', secure: false },
    timeout: '5s',
    ...(rest as object),
    migrateFrom,
  })
  opened.push(() => sessions.close())
  return sessions
}

/** A store that counts, and that can be made to fail or to hang. */
function watched(store: session.Store) {
  const asked: string[] = []
  let fate: 'sound' | 'fails' | 'hangs' = 'sound'
  const guard =
    (method: 'get' | 'destroy') =>
    (id: string, callback: (error?: unknown, found?: session.SessionData | null) => void) => {
      asked.push(method)
      if (fate === 'fails') callback(new Error('the old store is down'))
      if (fate === 'sound') store[method](id, callback as never)
    }
  const old = { get: guard('get'), destroy: guard('destroy') } as session.Store
  return { old, asked, become: (next: typeof fate) => (fate = next) }
}

async function memoryStore() {
  const store = new session.MemoryStore()
  return { store, cookie: await loggedIn(store), ...watched(store) }
}

describe.each(Object.entries(oldStores))('who was logged in under %s', (_, open) => {
  async function openBoth() {
    const { store, close } = await open()
    opened.push(close)
    const redis = (await sharedRedis()).url
    return { store, options: { redis, prefix: keyPrefix() } }
  }

  test('stays so, with another store, hashed ids and encryption at once', async () => {
    const { store, options } = await openBoth()
    const cookie = await loggedIn(store)
    const { old, asked } = watched(store)
    const encrypt = { keys: [{ id: 'one', key: Buffer.alloc(32, 1) }] }
    const sessions = openSessions(old, { ...options, encrypt })

    const loaded = await sessions.load(cookie)
    expect(fieldsOfApp({ ...loaded })).toEqual({ user: 'ada' })
    // express-session itself loses a millisecond now and then.
    expect(loaded.cookie.maxAge).toBeGreaterThan(3_599_000)
    loaded.cart = ['pen']
    await sessions.commit(loaded)
    asked.length = 0

    const moved = { user: 'ada', cart: ['pen'] }
    expect(fieldsOfApp(await fieldsOf(sessions, cookie))).toEqual(moved)
    expect(asked).toEqual([])
    // The next deploy does not need the old store any more.
    const next = openSessions(undefined, { ...options, encrypt })
    expect(fieldsOfApp(await fieldsOf(next, cookie))).toEqual(moved)
  })

  test('is logged out in both by a logout', async () => {
    const { store, options } = await openBoth()
    const cookie = await loggedIn(store)
    const sessions = openSessions(store, options)
    await (await sessions.load(cookie)).destroy()

    expect(await fieldsOf(sessions, cookie)).toEqual({})
    const app = await startApp({ store })
    opened.push(app.close)
    expect((await new Browser(app.url, cookie).session()).user).toBeUndefined()
  })

  test('begins anew with a cookie that neither store knows any more', async () => {
    const { store, options } = await openBoth()
    const cookie = await loggedIn(store)
    const sessions = openSessions(store, options)
    await (await sessions.load(cookie)).destroy()
    // As when the end of a session was so long ago that nothing tells of it.
    const later = openSessions(store, { ...options, prefix: keyPrefix() })

    const loaded = await later.load(cookie)
    expect({ ...loaded }).toEqual({})
    loaded.cart = ['pen']
    expect(await fieldsOf(later, cookieOf(await later.commit(loaded)))).toEqual({ cart: ['pen'] })
  })

  test('moves once, however many requests come at the same time over two processes', async () => {
    const { store, options } = await openBoth()
    const cookie = await loggedIn(store)
    const processes = [openSessions(store, options), openSessions(store, options)]
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const sessions = processes[n % 2]!
        const loaded = await sessions.load(cookie)
        loaded[`n${n}`] = true
        await sessions.commit(loaded)
      }),
    )

    const fields = fieldsOfApp(await fieldsOf(processes[0]!, cookie))
    expect(fields.user).toBe('ada')
    expect(Object.keys(fields)).toHaveLength(21)
  })
})

describe('while sessions move', () => {
  /** A request has read the old session, and goes on when another has moved it here and ended it. */
  async function lateRequest(afterLogout: (backend: MemorySessionBackend) => unknown) {
    const { store, cookie } = await memoryStore()
    const backend = new MemorySessionBackend()
    let goOn = () => {}
    const late = {
      ...watched(store).old,
      get(id: string, callback: (error: unknown, found?: session.SessionData | null) => void) {
        store.get(id, (...found) => {
          goOn = () => callback(...found)
        })
      },
    } as session.Store
    const [slow, quick] = [openSessions(late, { backend }), openSessions(store, { backend })]

    const reading = slow.load(cookie)
    await new Promise(setImmediate)
    await (await quick.load(cookie)).destroy()
    await afterLogout(backend)
    goOn()
    return { ...(await reading) }
  }

  test('a logout is not undone by a request that had read the old session before', async () => {
    expect(await lateRequest(() => {})).toEqual({})
  })

  test('it is undone where what has ended leaves no mark', async () => {
    expect(await lateRequest((backend) => backend.clear())).toEqual({ user: 'ada' })
  })

  test.each(['fails', 'hangs'] as const)(
    'an old store that %s is an outage, and logs nobody out',
    async (fate) => {
      const { old, become, cookie } = await memoryStore()
      const { report, all } = new RecordedReports()
      const sessions = openSessions(old, { report, timeout: 50 })
      become(fate)

      await expect(sessions.load(cookie)).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE', status: 503 })
      expect(all.at(-1)).toMatchObject({ operation: 'migrate', outcome: 'failed' })
      become('sound')

      expect(await fieldsOf(sessions, cookie)).toEqual({ user: 'ada' })
    },
  )

  test('who has moved already is served while the old store is away', async () => {
    const { old, become, cookie } = await memoryStore()
    const sessions = openSessions(old, { timeout: 50 })
    await sessions.commit(await sessions.load(cookie))
    become('hangs')

    expect(await fieldsOf(sessions, cookie)).toEqual({ user: 'ada' })
    expect(await fieldsOf(sessions, 'other=1')).toEqual({})
  })

  test('one that could not be taken from the old store is an outage, until it is', async () => {
    const { store, cookie } = await memoryStore()
    const backend = new MemorySessionBackend()
    const { old, become } = watched(store)
    const stuck = {
      ...old,
      destroy: (_id: string, done: (error?: unknown) => void) => done(new Error('read only')),
    }
    const sessions = openSessions(stuck as session.Store, { backend })
    await expect(sessions.load(cookie)).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE' })
    become('sound')

    const mended = openSessions(old, { backend })
    expect(await fieldsOf(mended, cookie)).toEqual({ user: 'ada' })
    await (await mended.load(cookie)).destroy()
    expect(await fieldsOf(mended, cookie)).toEqual({})
  })

  test.each<[string, object]>([
    ['no cookie', { user: 'ada' }],
    ['a cookie that is none', { cookie: 7, user: 'ada' }],
    ['a BigInt', { cookie: {}, amount: 1n }],
  ])('a session with %s is none', async (_, found) => {
    const old = {
      get: (_id: string, done: (e: unknown, s: object) => void) => done(null, found),
      destroy() {},
    }
    const { cookie } = await memoryStore()
    expect(await fieldsOf(openSessions(old as unknown as session.Store), cookie)).toEqual({})
  })

  test('an old store behind a socket that is not there is an outage, and not one without this session', async () => {
    const { cookie } = await memoryStore()
    const failure = Object.assign(new Error('connect ENOENT'), { code: 'ENOENT', syscall: 'connect' })
    const old = { get: (_id: string, done: (failure: unknown) => void) => done(failure), destroy() {} }
    await expect(openSessions(old as unknown as session.Store).load(cookie)).rejects.toMatchObject({
      code: 'SESSION_UNAVAILABLE',
    })
  })

  test('an old store that throws is an outage too', async () => {
    const { cookie } = await memoryStore()
    const get = () => {
      throw new TypeError('not connected')
    }
    const sessions = openSessions({ get, destroy() {} } as unknown as session.Store)
    await expect(sessions.load(cookie)).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE' })
  })
})
