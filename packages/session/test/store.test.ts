import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { sessionStore } from '@stepladder/session'
import session from 'express-session'
import { afterEach, describe, expect, test } from 'vitest'
import { Browser } from './browser.ts'
import { type RunningApp, startApp } from './express-app.ts'

const apps: RunningApp[] = []
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
})

async function openBrowser(store: session.Store, cookie: session.CookieOptions = {}): Promise<Browser> {
  const app = await startApp({ store, cookie })
  apps.push(app)
  return new Browser(app.url)
}

interface User {
  cookie: { expires?: Date | string; originalMaxAge?: number }
  user?: string
}

describe('a session in an Express app', () => {
  test('is kept from one request to the next', async () => {
    const browser = await openBrowser(sessionStore())
    await browser.post('/login/ada')
    expect(await browser.session()).toMatchObject({ user: 'ada' })
  })

  test('begins anew, with a new id, when it is regenerated', async () => {
    const browser = await openBrowser(sessionStore())
    await browser.post('/login/ada')
    const old = browser.cookie
    await browser.post('/regenerate/0')
    await browser.post('/login/bob')

    expect(browser.cookie).not.toBe(old)
    expect(await browser.session()).toMatchObject({ user: 'bob' })
    browser.cookie = old
    expect(await browser.session()).not.toHaveProperty('user')
  })

  test('lives as long as its cookie, to a few milliseconds, and each request begins that time anew', async () => {
    const clock = new FakeClock()
    const browser = await openBrowser(sessionStore({ clock, ttl: 500 }))
    await browser.post('/login/ada')

    await clock.advance(400)
    expect(await browser.session()).toMatchObject({ user: 'ada' })
    await clock.advance(400)
    expect(await browser.session()).toMatchObject({ user: 'ada' })
    await clock.advance(500)
    expect(await browser.session()).not.toHaveProperty('user')
  })

  test('lives as long as its own cookie where that says how long', async () => {
    const browser = await openBrowser(sessionStore(), { maxAge: 150 })
    await browser.post('/login/ada')
    expect(await browser.session()).toMatchObject({ user: 'ada' })

    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await browser.session()).not.toHaveProperty('user')
  })
})

describe('the store', () => {
  test('saves a session under another id as a new one there', async () => {
    const store = sessionStore()
    await store.set('old', { cookie: {}, user: 'ada' } as never)
    const session = await store.get<User>('old')
    await store.set('new', session as never)
    expect(await store.get<User>('new')).toMatchObject({ user: 'ada' })
    expect(await store.length()).toBe(2)
  })

  test('calls back as express-session expects, on a later tick', async () => {
    const store = sessionStore()
    const called = (call: (callback: (...args: unknown[]) => void) => void) =>
      new Promise<unknown[]>((resolve) => {
        let isLater = false
        call((...args) => resolve([isLater, ...args]))
        isLater = true
      })

    expect(await called((callback) => store.set('ada', { cookie: {} }, callback))).toEqual([
      true,
      null,
      undefined,
    ])
    expect(await called((callback) => store.get('ada', callback))).toEqual([true, null, { cookie: {} }])
    expect(await called((callback) => store.get('bob', callback))).toEqual([true, null, undefined])
    expect(await called((callback) => store.touch('ada', { cookie: {} }, callback))).toEqual([
      true,
      null,
      undefined,
    ])
    expect(await called((callback) => store.length(callback))).toEqual([true, null, 1])
    expect(await called((callback) => store.all(callback))).toEqual([true, null, [{ id: 'ada', cookie: {} }]])
    expect(await called((callback) => store.destroy('ada', callback))).toEqual([true, null, undefined])
    expect(await called((callback) => store.clear(callback))).toEqual([true, null, undefined])
  })

  test('all, length and clear mean every session, and pass over what is none', async () => {
    const store = sessionStore()
    await store.set('ada', { cookie: {}, user: 'ada' } as User)
    await store.set('bob', { cookie: {}, user: 'bob' } as User)

    expect(await store.all()).toEqual([
      { id: 'ada', cookie: {}, user: 'ada' },
      { id: 'bob', cookie: {}, user: 'bob' },
    ])
    expect(await store.length()).toBe(2)
    await store.clear()
    expect(await store.length()).toBe(0)
  })

  test('a session saved with a cookie whose time is over is destroyed', async () => {
    const store = sessionStore()
    await store.set('ada', { cookie: {} })
    await store.set('ada', { cookie: { expires: new Date(Date.now() - 1) } })
    expect(await store.get('ada')).toBeUndefined()
  })

  test('touch stores the expiry of the cookie and nothing else', async () => {
    const store = sessionStore()
    const expires = (inMs: number) => new Date(Date.now() + inMs).toISOString()
    await store.set('ada', { cookie: { expires: expires(1_000) }, user: 'ada' } as User)

    const later = expires(60_000)
    await store.touch('ada', { cookie: { expires: later }, user: 'somebody else' } as User)
    expect(await store.get('ada')).toEqual({ cookie: { expires: later }, user: 'ada' })
  })

  test('load gives a live session outside of any request, and nothing for an id that is none', async () => {
    const store = sessionStore()
    await store.set('ada', { cookie: {}, user: 'ada' } as User)
    const load = (id: string) =>
      new Promise<unknown>((resolve, reject) =>
        store.load<User>(id, (error, found) => (error ? reject(error) : resolve(found))),
      )

    const live = await load('ada')
    expect(live).toBeInstanceOf(session.Session)
    expect(live).toMatchObject({ id: 'ada', user: 'ada' })
    expect(await load('bob')).toBeUndefined()
  })

  test('a session that a request loaded again is compared with what it loaded last', async () => {
    const store = sessionStore()
    await store.set('ada', { cookie: {}, user: 'ada' } as User)
    const request = { sessionID: 'ada', sessionStore: store, session: {} as unknown as User }
    const first = store.createSession(request, (await store.get<User>('ada'))!)
    await store.set('ada', { cookie: {}, user: 'bob' } as User)

    await new Promise<void>((resolve, reject) => first.reload((error) => (error ? reject(error) : resolve())))
    await store.set('ada', { cookie: {}, user: 'carl' } as User)
    await store.set('ada', Object.assign(request.session, { seen: true }))

    expect(await store.get('ada')).toEqual({ cookie: expect.anything(), user: 'carl', seen: true })
  })

  test('reports each operation once, with how it ended', async () => {
    const { report, all } = new RecordedReports()
    const store = sessionStore({ report, name: 'admin' })
    await store.get('ada')
    await store.set('ada', { cookie: {} })
    const known = await store.get('ada')
    await store.touch('ada', known!)
    await store.set('ada', known!)
    await store.destroy('ada')
    await store.set('ada', known!)

    expect(all.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      'get miss',
      'set saved',
      'get hit',
      'touch fresh',
      'set saved',
      'destroy destroyed',
      'set gone',
    ])
    expect(all[0]).toMatchObject({ component: 'session', name: 'admin' })
  })
})
