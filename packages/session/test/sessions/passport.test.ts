import { type SessionsHandler, sessions } from '@stepladder/session/express'
import express, { type NextFunction, type Request, type Response } from 'express'
import passport from 'passport'
import { Strategy } from 'passport-local'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, ask, type RunningServer, serve, sessionCookie } from './http.ts'

interface Data {
  cart: string[]
}

let handle: SessionsHandler<Data>
let server: RunningServer

beforeEach(async () => {
  handle = sessions<Data>({ secret: 'for tests only' })
  server = await serve(passportApp())
})
afterEach(async () => {
  await server.close()
  await handle.sessions.close()
})

/** As passport's own documentation has it. */
function passportApp(): express.Express {
  const users = new passport.Passport()
  users.use(new Strategy((name, password, done) => done(null, password === 'right' && { name })))
  users.serializeUser((user, done) => done(null, (user as { name: string }).name))
  users.deserializeUser((name: string, done) => done(null, { name }))

  const app = express()
  app.use(handle, users.session())
  const keepSessionInfo = (request: Request) => ({ keepSessionInfo: request.query.keep === 'yes' })
  const check = (request: Request, response: Response, next: NextFunction) => {
    const options = { failureRedirect: '/login', ...keepSessionInfo(request) }
    users.authenticate('local', options)(request, response, next)
  }
  app.post('/login', express.urlencoded({ extended: false }), check, (request, response) => {
    if (request.query.remember) handle.get(request).cookie.maxAge = 7 * 86_400_000
    response.redirect('/')
  })
  app.post('/logout', (request, response, next) => {
    request.logout(keepSessionInfo(request), (error) => (error ? next(error) : response.redirect('/')))
  })
  app.post('/cart/:item', (request, response) => {
    const session = handle.get(request)
    session.cart = [...(session.cart ?? []), request.params.item]
    response.end()
  })
  app.get('/', (request, response) => {
    response.json({ user: request.user ?? null, cart: handle.get(request).cart ?? [] })
  })
  return app
}

function post(path: string, cookie?: string): Promise<Answer> {
  return ask(server.url + path, { method: 'POST', cookie })
}

async function login(path = '/login', cookie?: string, password = 'right'): Promise<Answer> {
  const { status, headers } = await fetch(server.url + path, {
    method: 'POST',
    redirect: 'manual',
    headers: cookie === undefined ? {} : { cookie },
    body: new URLSearchParams({ username: 'ada', password }),
  })
  const location = headers.get('location') ?? undefined
  return {
    status,
    headers: { location },
    cookies: headers.getSetCookie(),
    body: '',
    trailers: {},
    isCut: false,
    hints: [],
  }
}

async function shown(cookie: string): Promise<unknown> {
  return JSON.parse((await ask(server.url, { cookie })).body)
}

describe('with passport and passport-local', () => {
  test('a login gives the session a new id, and the old one opens nothing', async () => {
    const visitor = sessionCookie(await post('/cart/pen'))
    const answer = await login('/login', visitor)
    const cookie = sessionCookie(answer)

    expect(answer).toMatchObject({ status: 302, headers: { location: '/' } })
    expect(cookie).not.toBe(visitor)
    expect(await shown(cookie)).toEqual({ user: { name: 'ada' }, cart: [] })
    expect(await shown(visitor)).toEqual({ user: null, cart: [] })
  })

  test('a login that keeps session info takes the fields along, not the id', async () => {
    const visitor = sessionCookie(await post('/cart/pen'))
    const cookie = sessionCookie(await login('/login?keep=yes', visitor))

    expect(cookie).not.toBe(visitor)
    expect(await shown(cookie)).toEqual({ user: { name: 'ada' }, cart: ['pen'] })
    expect(await shown(visitor)).toEqual({ user: null, cart: [] })
  })

  test('a wrong password begins no session', async () => {
    const answer = await login('/login', undefined, 'wrong')
    expect(answer).toMatchObject({ status: 302, headers: { location: '/login' }, cookies: [] })
  })

  test('a logout ends the session', async () => {
    const cookie = sessionCookie(await login())
    const answer = await post('/logout', cookie)
    expect(answer.status).toBe(302)
    expect(answer.cookies).toEqual([expect.stringMatching(/^__Host-session=; Max-Age=0;/)])
    expect(await shown(cookie)).toEqual({ user: null, cart: [] })
  })

  test('a logout that keeps session info leaves a session without the user, under a new id', async () => {
    const cookie = sessionCookie(await login())
    await post('/cart/pen', cookie)
    const fresh = sessionCookie(await post('/logout?keep=yes', cookie))

    expect(fresh).not.toBe(cookie)
    expect(await shown(fresh)).toEqual({ user: null, cart: ['pen'] })
    expect(await shown(cookie)).toEqual({ user: null, cart: [] })
  })

  test('remember-me is `cookie.maxAge`: the browser keeps the cookie', async () => {
    const forgotten = await login()
    const remembered = await login('/login?remember=yes')
    expect(forgotten.cookies).toEqual([expect.not.stringContaining('Max-Age')])
    expect(remembered.cookies).toEqual([expect.stringMatching(/; Max-Age=604800;/)])
    expect(await shown(sessionCookie(remembered))).toEqual({ user: { name: 'ada' }, cart: [] })
  })
})
