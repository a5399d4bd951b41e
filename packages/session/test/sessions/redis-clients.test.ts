import { keyPrefix, type RedisCluster, sharedRedis, startRedisCluster } from '@stepladder/core/testing'
import { createSessions, type Sessions, type SessionsOptions, sessionStore } from '@stepladder/session'
import { Cluster, Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { begin, type Fields, fieldsOf } from './browsing.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

let cluster: RedisCluster
beforeAll(async () => {
  cluster = await startRedisCluster()
})
afterAll(() => cluster.stop())

const clients: Readonly<Record<string, (options: object) => Promise<Redis | Cluster>>> = {
  Redis: async (options) => new Redis((await sharedRedis()).url, options),
  Cluster: async (options) => new Cluster([...cluster.urls], options),
}

describe.each(Object.entries(clients))("through the app's %s", (_, connect) => {
  describe.each([
    ['with', 'app'],
    ['without', ''],
  ])('%s a `keyPrefix`', (_, own) => {
    /** Of an app that has the server for itself, or shares it with others by what stands before its keys. */
    async function setUp() {
      const client = await connect(own ? { keyPrefix: `${keyPrefix(own)}:` } : {})
      opened.push(() => client.disconnect())
      const prefix = keyPrefix()
      const open = (options: Partial<SessionsOptions> = {}): Sessions<Fields> => {
        const sessions = createSessions<Fields>({
          ...{ redis: client, prefix, secret: 'for tests only', timeout: '5s', ...(options as object) },
          userOf: ({ user }) => user as string | undefined,
        })
        opened.push(() => sessions.close())
        return sessions
      }
      return { client, prefix, open }
    }

    test("records are at the client's own keys", async () => {
      const { client, prefix, open } = await setUp()
      const cookie = await begin(open({ hashIds: false }), { user: 'ada' })
      const id = /s%3A([^.]+)\./.exec(cookie)?.[1]
      expect(await client.get(`${prefix}${id}`)).toContain('"ada"')
    })

    test('many sessions are read and changed at once, each its own', async () => {
      const sessions = (await setUp()).open()
      const numbers = Array.from({ length: 40 }, (_, number) => number)
      const cookies = await Promise.all(numbers.map((number) => begin(sessions, { number })))
      const all = await Promise.all(cookies.map((cookie) => sessions.load(cookie)))
      for (const session of all) session.twice = Number(session.number) * 2
      await Promise.all(all.map((session) => sessions.commit(session)))

      const found = await Promise.all(cookies.map((cookie) => fieldsOf(sessions, cookie)))
      expect(found).toEqual(numbers.map((number) => ({ number, twice: number * 2 })))
    })

    test('a logout elsewhere is obeyed by who reads from memory', async () => {
      const { open } = await setUp()
      let hits = 0
      const report: SessionsOptions['report'] = ({ operation, outcome }) => {
        if (operation === 'near' && outcome === 'hit') hits += 1
      }
      const [near, other] = [open({ nearCache: true, report }), open()]
      const cookie = await begin(other, { user: 'ada' })
      const isFromMemory = async () => {
        const before = hits
        await near.load(cookie)
        return hits > before
      }
      await expect.poll(isFromMemory, { timeout: 10_000, interval: 5 }).toBe(true)

      await (await other.load(cookie)).destroy()

      // The fence, and a busy machine.
      await expect.poll(() => fieldsOf(near, cookie), { timeout: 5_000, interval: 5 }).toEqual({})
    })

    test('`clear` ends everybody, users or not, and nobody of another app', async () => {
      const [one, another] = [await setUp(), await setUp()]
      const [ours, theirs] = [one.open(), another.open()]
      const cookies = [await begin(ours, { user: 'ada' }), await begin(ours, { cart: 1 })]
      const kept = await begin(theirs, { user: 'ada' })
      await ours.clear()

      for (const cookie of cookies) expect(await fieldsOf(ours, cookie)).toEqual({})
      expect(await ours.of('ada').list()).toEqual([])
      expect(await fieldsOf(theirs, kept)).toEqual({ user: 'ada' })
    })

    test('the store under express-session tells how many sessions there are, and whose ids they have', async () => {
      const { client, prefix } = await setUp()
      const store = sessionStore({ redis: client, prefix, timeout: '5s' })
      opened.push(() => store.close())
      await Promise.all(['a', 'b*', 'c'].map((id) => store.set(id, { cookie: {} })))

      expect((await store.all()).map(({ id }) => id).sort()).toEqual(['a', 'b*', 'c'])
      expect(await store.length()).toBe(3)
      await store.clear()
      expect(await store.length()).toBe(0)
    })
  })
})
