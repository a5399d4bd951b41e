import { keyPrefix, sharedRedis } from '@stepladder/core/testing'
import { sessionStore } from '@stepladder/session'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser } from './browser.ts'
import { type RunningApp, startApp } from './express-app.ts'
import { NaiveRedisStore } from './naive-redis-store.ts'

// `NaiveRedisStore` writes as connect-redis does: JSON.stringify(session) under prefix + id, with EX.
const prefix = `sess:${keyPrefix()}:`
let redis: Redis
let before: RunningApp
let after: RunningApp
let store: ReturnType<typeof sessionStore>

beforeAll(async () => {
  const { url } = await sharedRedis()
  redis = new Redis(url)
  store = sessionStore({ redis: url, prefix, touchAfter: 0 })
  before = await startApp({ store: new NaiveRedisStore(redis, prefix), cookie: { maxAge: 60_000 } })
  after = await startApp({ store, cookie: { maxAge: 60_000 } })
})
afterAll(async () => {
  await store?.close()
  await Promise.all([before?.close(), after?.close()])
  redis?.disconnect()
})

test('who logged in under connect-redis stays logged in', async () => {
  const browser = new Browser(before.url)
  await browser.post('/login/ada')
  expect(await new Browser(after.url, browser.cookie).session()).toMatchObject({ user: 'ada' })
})

test('who logged in under Stepladder stays logged in when the app goes back', async () => {
  const browser = new Browser(after.url)
  await browser.post('/login/ada')
  expect(await new Browser(before.url, browser.cookie).session()).toMatchObject({ user: 'ada' })
})

test('while both serve, changes of one are seen and kept by the other', async () => {
  const browser = new Browser(before.url)
  await browser.post('/login/ada')
  await new Browser(after.url, browser.cookie).post('/fields/ours')
  await new Browser(before.url, browser.cookie).post('/fields/theirs')

  expect(await new Browser(after.url, browser.cookie).session()).toMatchObject({ ours: true, theirs: true })
})

test('the record is plain JSON that expires with the cookie, and touch keeps its expiry right', async () => {
  const browser = new Browser(after.url)
  await browser.post('/login/ada')
  const key = prefix + browser.sessionId
  const first = JSON.parse((await redis.get(key)) ?? '')
  expect(first).toEqual({
    cookie: { originalMaxAge: 60_000, expires: expect.any(String), httpOnly: true, path: '/' },
    user: 'ada',
  })

  await new Promise((resolve) => setTimeout(resolve, 20))
  await new Browser(after.url, browser.cookie).session()

  const touched = JSON.parse((await redis.get(key)) ?? '')
  expect(Date.parse(touched.cookie.expires)).toBeGreaterThan(Date.parse(first.cookie.expires))
  expect(await redis.pttl(key)).toBeGreaterThan(59_000)
  expect(await redis.pttl(key)).toBeLessThanOrEqual(60_000)
})

test('prefix and length of life are those of connect-redis where nothing else is said', async () => {
  const { url } = await sharedRedis()
  const usual = sessionStore({ redis: url })
  const id = keyPrefix()
  await usual.set(id, { cookie: {} })

  expect(await redis.get(`sess:${id}`)).toBe('{"cookie":{}}')
  expect(await redis.ttl(`sess:${id}`)).toBeGreaterThan(86_390)
  await usual.destroy(id)
  await usual.close()
})
