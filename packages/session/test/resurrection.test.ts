import { keyPrefix, RecordedReports, seededRandom, seeds, sharedRedis } from '@stepladder/core/testing'
import { MemorySessionBackend, sessionStore } from '@stepladder/session'
import type session from 'express-session'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, test } from 'vitest'
import { Browser } from './browser.ts'
import { startApp } from './express-app.ts'
import { NaiveRedisStore } from './naive-redis-store.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function openApp(store: session.Store, cookie: session.CookieOptions = {}) {
  const app = await startApp({ store, cookie })
  opened.push(app.close)
  return app.url
}

async function openOurs(options: { redis?: string } = {}) {
  const { report, all } = new RecordedReports()
  const store = sessionStore({ ...options, prefix: keyPrefix(), timeout: '5s', touchAfter: 0, report })
  opened.push(() => store.close())
  return { store, all }
}

/** Of so many sessions, each ended while other requests are under way: how many the old cookie still opens. */
async function revivedOf(count: number, url: string, campaign = 1): Promise<number> {
  const races = Array.from({ length: count }, (_, race) => campaign * 1_000 + race)
  let revived = 0
  while (races.length > 0) {
    const isRevived = await Promise.all(races.splice(0, 25).map((seed) => race(url, seed)))
    revived += isRevived.filter(Boolean).length
  }
  return revived
}

async function race(url: string, seed: number): Promise<boolean> {
  const random = seededRandom(seed)
  const delay = () => Math.floor(random() * 20)
  const browser = new Browser(url)
  await browser.post(`/login/user${seed}`)
  const old = browser.cookie
  const under = (method: 'GET' | 'POST', path: string) => new Browser(url, old).ask(method, path)

  const end = seed % 2 === 0 ? 'logout' : 'regenerate'
  await Promise.all([
    under('POST', `/late/${delay()}`),
    under('POST', `/${end}/${delay()}`),
    under('POST', `/late/${delay()}`),
    under('GET', `/late/${delay()}`),
    under('POST', `/late/${delay()}`),
  ])
  return (await new Browser(url, old).session()).user !== undefined
}

describe('of 200 sessions that end while others save and touch them', () => {
  test.each(seeds(1))(
    'none comes back in Redis, and what was dropped is reported (seed %i)',
    async (seed) => {
      const { store, all } = await openOurs({ redis: (await sharedRedis()).url })
      expect(await revivedOf(200, await openApp(store), seed)).toBe(0)
      expect(all.filter(({ operation, outcome }) => operation === 'set' && outcome === 'gone')).not.toEqual(
        [],
      )
      expect(all.filter(({ operation, outcome }) => operation === 'touch' && outcome === 'gone')).not.toEqual(
        [],
      )
      expect(all.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    },
  )

  test('none comes back when each touch writes its cookie anew', async () => {
    const { store } = await openOurs({ redis: (await sharedRedis()).url })
    expect(await revivedOf(100, await openApp(store, { maxAge: 60_000 }))).toBe(0)
  })

  test('none comes back in memory', async () => {
    const { store } = await openOurs()
    expect(await revivedOf(100, await openApp(store))).toBe(0)
  })

  test('many come back under a store that writes what it is given', async () => {
    const redis = new Redis((await sharedRedis()).url)
    opened.push(() => redis.disconnect())
    const store = new NaiveRedisStore(redis, keyPrefix())
    expect(await revivedOf(200, await openApp(store))).toBeGreaterThan(20)
  })
})

test('a session destroyed in one process is not revived by a save of another', async () => {
  const redis = (await sharedRedis()).url
  const prefix = keyPrefix()
  const open = () => sessionStore({ redis, prefix, touchAfter: 0 })
  const [here, there] = [open(), open()]
  opened.push(
    () => here.close(),
    () => there.close(),
  )
  await here.set('ada', { cookie: {} })
  const seenThere = await there.get('ada')

  await here.destroy('ada')
  await there.set('ada', seenThere!)
  await there.touch('ada', seenThere!)

  expect(await here.get('ada')).toBeUndefined()
})

test('a session destroyed while its first save is under way stays destroyed', async () => {
  const backend = new MemorySessionBackend()
  const { put } = backend
  backend.put = async (...args) => {
    await new Promise((resolve) => setTimeout(resolve, 30))
    return put.apply(backend, args)
  }
  const store = sessionStore({ backend })

  const saved = store.set('ada', { cookie: {} })
  await store.destroy('ada')
  await saved

  expect(await store.get('ada')).toBeUndefined()
})
