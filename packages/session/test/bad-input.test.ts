import { RecordedReports } from '@stepladder/core/testing'
import {
  MemorySessionBackend,
  SessionNotSerializableError,
  SessionTooLargeError,
  sessionStore,
} from '@stepladder/session'
import session from 'express-session'
import { afterEach, describe, expect, test } from 'vitest'
import { Browser } from './browser.ts'
import { type RunningApp, startApp } from './express-app.ts'

const apps: RunningApp[] = []
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
})

async function setUp(cookie: session.CookieOptions = {}) {
  const backend = new MemorySessionBackend()
  const reports = new RecordedReports()
  const store = sessionStore({ backend, report: reports.report })
  const app = await startApp({ store, cookie })
  apps.push(app)
  return { backend, reports, store, app, browser: new Browser(app.url) }
}

describe('a stored record that', () => {
  const spoilt = {
    'is not JSON': '{"cookie":',
    'is empty': '',
    'is a number': '7',
    'is a list': '[]',
    'is null': 'null',
    'has a word for a cookie': '{"cookie":"yes"}',
    'has an expiry that is no date': '{"cookie":{"expires":"soon"}}',
    'has a maximal age that is no number': '{"cookie":{"originalMaxAge":"1000"}}',
    'has an age that express-session would throw at': '{"cookie":{"maxAge":"1000"}}',
  }
  test.each(Object.entries(spoilt))(
    '%s is no session, is reported, and the request is served',
    async (_, text) => {
      const { backend, reports, app, browser } = await setUp()
      await browser.post('/login/ada')
      await backend.put(browser.sessionId, text, 60_000)

      const response = await browser.ask('GET', '/session')

      expect(response.status).toBe(200)
      expect(await response.json()).not.toHaveProperty('user')
      expect(reports.outcomes('get')).toContain('invalid')
      expect(app.errors).toEqual([])
    },
  )

  test('has no cookie is an error to the app, as it is under every other store', async () => {
    const { store, app, browser } = await setUp()
    await browser.post('/login/ada')
    await store.set(browser.sessionId, { user: 'ada' } as unknown as Fields)

    expect((await browser.ask('GET', '/session')).status).toBe(500)
    expect(app.errors).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/Cannot read prop/) }),
    ])
  })

  test('is spoilt while a request runs is written anew by its save', async () => {
    const { backend, store } = await setUp()
    await store.set('ada', { cookie: {} })
    const known = await store.get<Fields>('ada')
    await backend.put('ada', 'not JSON', 60_000)
    known!.a = 1
    await store.set('ada', known!)

    expect(await store.get('ada')).toEqual({ cookie: {}, a: 1 })
  })
})

describe('a session that holds a BigInt', () => {
  test.each([
    ['is new', {}, false],
    ['is new, with a cookie that expires', { maxAge: 60_000 }, false],
    ['was stored', {}, true],
    ['was stored, with a cookie that expires', { maxAge: 60_000 }, true],
  ])('and %s: the request ends, and the error reaches the app', async (_, cookie, isStored) => {
    const { app, browser } = await setUp(cookie)
    if (isStored) await browser.post('/login/ada')

    await browser.ask('POST', '/bigint', 2_000).then(
      (response) => response.arrayBuffer().catch(() => {}),
      (failure: Error) => expect(failure.name).not.toBe('TimeoutError'), // cut off, which is an answer too
    )

    await expect.poll(() => app.errors[0]).toBeInstanceOf(SessionNotSerializableError)
  })

  test('stays without an answer under the MemoryStore of express-session', async () => {
    const app = await startApp({ store: new session.MemoryStore() })
    apps.push(app)
    await expect(new Browser(app.url).ask('POST', '/bigint', 1_000)).rejects.toThrow('timeout')
  })
})

test('a session that is too large is told to whoever saves it, and the one before stays', async () => {
  const { backend } = await setUp()
  const store = sessionStore({ backend, maxSize: 1_000 })
  await store.set('ada', { cookie: {}, a: 1 } as Fields)
  const known = await store.get<Fields & { text?: string }>('ada')
  known!.text = 'é'.repeat(500)

  const failure = await store.set('ada', known!).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(SessionTooLargeError)
  expect(failure).toMatchObject({ bytes: 1_029, maxBytes: 1_000 })
  expect(await store.get('ada')).toEqual({ cookie: {}, a: 1 })
})

test('objects of classes, getters and functions in a session become what JSON makes of them', async () => {
  const { browser, backend } = await setUp()
  await browser.post('/odd')

  expect(JSON.parse((await backend.get(browser.sessionId)) ?? '')).toMatchObject({
    map: {},
    date: '2026-01-01T00:00:00.000Z',
    own: 'from toJSON',
    getter: 7,
  })
})

test('a session whose getter throws is answered, and the app hears why', async () => {
  const { app, browser } = await setUp()
  await browser.ask('POST', '/getter', 2_000).then(
    (response) => response.arrayBuffer().catch(() => {}),
    (failure: Error) => expect(failure.name).not.toBe('TimeoutError'),
  )
  await expect.poll(() => app.errors[0]).toBeInstanceOf(SessionNotSerializableError)
})

test('a cycle, a BigInt and a cookie that is none are told to whoever saves them', async () => {
  const { store } = await setUp()
  const cycle: { cookie: object; self?: unknown } = { cookie: {} }
  cycle.self = cycle
  for (const bad of [cycle, { cookie: {}, n: 1n }, { cookie: 'yes' as unknown as object }]) {
    await expect(store.set('ada', bad)).rejects.toThrow(SessionNotSerializableError)
  }
})

test('a field called __proto__ is no field of the session, and pollutes nothing', async () => {
  const { backend, store } = await setUp()
  await backend.put('ada', '{"cookie":{},"data":{"__proto__":{"isAdmin":true}}}', 60_000)
  const [first, second] = [await store.get<Fields>('ada'), await store.get<Fields>('ada')]
  first!.a = 1
  second!.b = 2
  await Promise.all([store.set('ada', first!), store.set('ada', second!)])

  const text = await backend.get('ada')
  expect(text).toBe('{"cookie":{},"data":{},"a":1,"b":2}')
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
})

interface Fields {
  cookie: object
  a?: number
  b?: number
}
