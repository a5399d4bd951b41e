import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { keyPrefix, sharedRedis } from '@stepladder/core/testing'
import { sessionStore } from '@stepladder/session'
import express from 'express'
import session from 'express-session'
import { Passport } from 'passport'
import { Strategy } from 'passport-local'
import { afterEach, describe, expect, test } from 'vitest'
import { Browser } from './browser.ts'

interface User {
  readonly name: string
}

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** An app as passport's own pages have it, with our store. */
async function openApp(store: session.Store): Promise<string> {
  const passport = new Passport()
  passport.use(
    new Strategy((name, password, done) => done(null, password === 'secret' && ({ name } satisfies User))),
  )
  passport.serializeUser((user, done) => done(null, (user as User).name))
  passport.deserializeUser((name: string, done) => done(null, { name } satisfies User))

  const app = express()
  app.use(express.urlencoded({ extended: false }))
  app.use(session({ secret: 'for tests only', resave: false, saveUninitialized: false, store }))
  app.use(passport.session())
  app.post('/cart', (request, response) => {
    Object.assign(request.session, { cart: ['book'] })
    response.end()
  })
  app.post('/login', passport.authenticate('local'), (_request, response) => void response.end())
  app.post('/login/keep', passport.authenticate('local', { keepSessionInfo: true }), (_request, response) => {
    response.end()
  })
  app.post('/logout', (request, response, next) => {
    request.logout((error) => (error ? next(error) : response.end()))
  })
  app.get('/me', (request, response) => {
    const { cart = null } = request.session as { cart?: unknown }
    response.json({ user: (request.user as User | undefined)?.name ?? null, cart })
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(
    () => server.close(),
    () => server.closeAllConnections(),
  )
  // A server that listens on a port has an address of this kind.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function setUp() {
  const store = sessionStore({ redis: (await sharedRedis()).url, prefix: keyPrefix(), timeout: '5s' })
  opened.push(() => store.close())
  const url = await openApp(store)
  const browser = new Browser(url)
  const me = async (cookie = browser.cookie) => (await new Browser(url, cookie).ask('GET', '/me')).json()
  const logIn = (path: string, password = 'secret') =>
    browser.post(`${path}?username=ada&password=${password}`)
  return { browser, me, logIn }
}

describe('passport', () => {
  test('logs in under a new id, and the old one is worth nothing', async () => {
    const { browser, me, logIn } = await setUp()
    await browser.post('/cart')
    const before = browser.cookie
    expect(await logIn('/login')).toBe(200)

    expect(browser.cookie).not.toBe(before)
    expect(await me()).toEqual({ user: 'ada', cart: null })
    expect(await me(before)).toEqual({ user: null, cart: null })
  })

  test('keeps what was in the session only when it is asked to', async () => {
    const { browser, me, logIn } = await setUp()
    await browser.post('/cart')
    const before = browser.cookie
    await logIn('/login/keep')

    expect(await me()).toEqual({ user: 'ada', cart: ['book'] })
    expect(await me(before)).toEqual({ user: null, cart: null })
  })

  test('logs out, and the cookie of the login is worth nothing', async () => {
    const { browser, me, logIn } = await setUp()
    await logIn('/login')
    const loggedIn = browser.cookie
    await browser.post('/logout')

    expect(await me()).toEqual({ user: null, cart: null })
    expect(await me(loggedIn)).toEqual({ user: null, cart: null })
  })

  test('lets nobody in with a wrong password', async () => {
    const { me, logIn } = await setUp()
    expect(await logIn('/login', 'guess')).toBe(401)
    expect(await me()).toEqual({ user: null, cart: null })
  })
})
