import { type Outage, outage, RecordedReports, type RedisServer, startRedis } from '@stepladder/core/testing'
import {
  MemorySessionBackend,
  type SessionBackend,
  SessionUnavailableError,
  sessionStore,
} from '@stepladder/session'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Browser } from './browser.ts'
import { type RunningApp, startApp } from './express-app.ts'
import { NaiveRedisStore } from './naive-redis-store.ts'

/** What the answer may take besides the timeout: HTTP, and a busy machine. */
const slackMs = 250

describe('while Redis', () => {
  let redis: RedisServer
  let app: RunningApp
  let browser: Browser
  let store: ReturnType<typeof sessionStore>
  const reports = new RecordedReports()

  beforeEach(async () => {
    redis = await startRedis({ appendonly: true })
    store = sessionStore({ redis: redis.url, report: reports.report })
    app = await startApp({ store })
    browser = new Browser(app.url)
    await browser.post('/login/ada')
  })
  afterEach(async () => {
    await store.close()
    await app.close()
    await redis.stop()
  })

  async function timed(request: Promise<Response>): Promise<{ response: Response; ms: number }> {
    const startedAt = performance.now()
    const response = await request
    await response.arrayBuffer().catch(() => {}) // a body may be cut short, which is an answer too
    return { response, ms: performance.now() - startedAt }
  }

  test('is frozen, a request is answered 503 within the timeout, and all is well once it thaws', async () => {
    await redis.freeze()
    for (let n = 0; n < 3; n++) {
      const { response, ms } = await timed(browser.ask('GET', '/session'))
      expect(response.status).toBe(503)
      expect(ms).toBeLessThan(250 + slackMs)
    }
    expect(app.errors[0]).toBeInstanceOf(SessionUnavailableError)

    await redis.thaw()
    await expect.poll(() => browser.session(), { timeout: 3_000 }).toMatchObject({ user: 'ada' })
  })

  test('is frozen, a hundred requests at once do not wait for each other', async () => {
    await redis.freeze()
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => timed(new Browser(app.url, browser.cookie).ask('GET', '/session'))),
    )
    // One after the other they would take twenty seconds.
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(5_000)
    await redis.thaw()
  })

  test('is frozen, a login that cannot be saved is told to the app', async () => {
    await redis.freeze()
    const { response, ms } = await timed(new Browser(app.url).ask('POST', '/login/bob'))
    expect(response.status).toBe(503)
    expect(ms).toBeLessThan(250 + slackMs)
    await redis.thaw()
  })

  test('is frozen, anonymous requests are served', async () => {
    await redis.freeze()
    const { response, ms } = await timed(new Browser(app.url).ask('GET', '/session'))
    expect(response.status).toBe(200)
    expect(ms).toBeLessThan(slackMs)
    await redis.thaw()
  })

  test('is down, requests fail at once, and all is well once it is back', async () => {
    await redis.kill()
    const { response, ms } = await timed(browser.ask('GET', '/session'))
    expect(response.status).toBe(503)
    expect(ms).toBeLessThan(250 + slackMs)
    await expect.poll(() => reports.outcomes('connect')).toContain('failed')

    await redis.restart()
    await expect.poll(async () => (await browser.ask('GET', '/session')).status, { timeout: 5_000 }).toBe(200)
    expect(await browser.session()).toMatchObject({ user: 'ada' })
  })

  test('is frozen, a store without a timeout answers nobody', async () => {
    const client = new Redis(redis.url)
    const naive = await startApp({ store: new NaiveRedisStore(client, 'sess:') })
    expect((await new Browser(naive.url, browser.cookie).session()).user).toBe('ada')

    await redis.freeze()
    await expect(new Browser(naive.url, browser.cookie).ask('GET', '/session', 2_000)).rejects.toThrow(
      'timeout',
    )
    await redis.thaw()
    client.disconnect()
    await naive.close()
  })
})

describe('while any backend', () => {
  function setUp(timeout = 50): { faults: Outage<SessionBackend>; store: ReturnType<typeof sessionStore> } {
    const faults = outage<SessionBackend>(new MemorySessionBackend())
    return { faults, store: sessionStore({ backend: faults.port, timeout, touchAfter: 0 }) }
  }

  test('hangs, every operation fails within the timeout with a typed error', async () => {
    const { faults, store } = setUp()
    await store.set('ada', { cookie: {} })
    const session = await store.get('ada')
    faults.hang()

    const startedAt = performance.now()
    const ended = await Promise.allSettled([
      store.get('ada'),
      store.set('ada', session!),
      store.set('bob', { cookie: {} }),
      store.touch('ada', session!),
      store.destroy('ada'),
    ])

    expect(performance.now() - startedAt).toBeLessThan(50 + slackMs)
    for (const end of ended) {
      expect(end).toMatchObject({ status: 'rejected', reason: { code: 'SESSION_UNAVAILABLE', status: 503 } })
    }
    faults.recover()
    // Once nobody waited for it in vain for a while, the backend is asked again.
    await expect.poll(() => store.set('carl', { cookie: {} }).then(() => store.get('carl'))).toBeDefined()
  })

  test('is slow, who waited for another save gives up in time', async () => {
    const { faults, store } = setUp(250)
    await store.set('ada', { cookie: {} })
    const [one, two] = [await store.get('ada'), await store.get('ada')]
    faults.slow(150)

    const startedAt = performance.now()
    const ends = await Promise.allSettled([
      store.set('ada', Object.assign(one!, { one: true })),
      store.set('ada', Object.assign(two!, { two: true })),
    ])

    expect(performance.now() - startedAt).toBeLessThan(250 + slackMs)
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })

  test('is always ahead of a save, the save gives up in time and tries no more', async () => {
    const backend = new MemorySessionBackend()
    let tries = 0
    backend.replace = async () => {
      tries += 1
      await new Promise((resolve) => setTimeout(resolve, 10))
      return { isDone: false, current: `{"cookie":{},"tries":${tries}}` }
    }
    const store = sessionStore({ backend, timeout: 50 })
    await store.set('ada', { cookie: {} })
    const known = await store.get('ada')

    await expect(store.set('ada', Object.assign(known!, { n: 1 }))).rejects.toThrow(SessionUnavailableError)
    await new Promise((resolve) => setTimeout(resolve, 30))
    const triesThen = tries
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(tries).toBe(triesThen)
  })

  test('refuses, nobody who drops the promise ends the process', async () => {
    const { faults, store } = setUp()
    await store.set('ada', { cookie: {} })
    faults.refuse()
    const unhandled: unknown[] = []
    const hear = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', hear)

    void store.destroy('ada')
    await new Promise((resolve) => setTimeout(resolve, 20))

    process.off('unhandledRejection', hear)
    expect(unhandled).toEqual([])
  })

  test('refuses one save, the session keeps what it began with and a second try saves all of it', async () => {
    const { faults, store } = setUp()
    await store.set('ada', { cookie: {} })
    const session = await store.get<{ cookie: object; a?: number; b?: number }>('ada')
    session!.a = 1
    faults.refuse()
    await expect(store.set('ada', session!)).rejects.toThrow(SessionUnavailableError)

    faults.recover()
    session!.b = 2
    await store.set('ada', session!)
    expect(await store.get('ada')).toMatchObject({ a: 1, b: 2 })
  })
})
