import { IncomingMessage, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { RecordedReports } from '@stepladder/core/testing'
import { createSessions, ForeignSessionError } from '@stepladder/session'
import { type SessionsHandler, sessions } from '@stepladder/session/express'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import expressSession from 'express-session'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ask, type RunningServer, serve, sessionCookie } from './http.ts'

interface Data {
  user: string
  views: number
}

const reports = new RecordedReports()
let app: Express
let handle: SessionsHandler<Data>
let server: RunningServer

beforeEach(async () => {
  reports.clear()
  app = express()
  handle = sessions<Data>({ secret: 'for tests only', report: reports.report })
  server = await serve(app)
})
afterEach(async () => {
  await server.close()
  await handle.sessions.close()
})

/** Answers an error with its status, and its message. */
function addErrorHandler(): void {
  app.use(
    (
      { status, message }: Error & { status?: number },
      _request: Request,
      response: Response,
      _next: NextFunction,
    ) => {
      response.status(status ?? 500).send(message)
    },
  )
}

function addRoutes(): void {
  app.post('/login/:user', async (request, response) => {
    const session = await handle.get(request).regenerate()
    session.user = request.params.user
    response.redirect('/')
  })
  app.post('/logout', async (request, response) => {
    await handle.get(request).destroy()
    response.end()
  })
  app.get('/', (request, response) => {
    response.json(request.session)
  })
}

describe('request.session', () => {
  beforeEach(() => {
    app.use(handle)
    addRoutes()
  })

  test('is there in the next request, ends with a logout, and no cookie opens it again', async () => {
    const cookie = sessionCookie(await ask(`${server.url}/login/ada`, { method: 'POST' }))
    const answer = await ask(server.url, { cookie })
    expect(answer).toMatchObject({ body: '{"user":"ada"}', cookies: [] })

    expect((await ask(`${server.url}/logout`, { method: 'POST', cookie })).cookies).toHaveLength(1)
    expect((await ask(server.url, { cookie })).body).toBe('{}')
  })

  test('of a visitor costs nothing: no cookie, no id, nothing sent to the store', async () => {
    expect(await ask(server.url)).toMatchObject({ body: '{}', cookies: [] })
    expect(reports.all).toEqual([])
  })

  test('gets a new id at a login, and its old cookie opens nothing', async () => {
    const visitor = sessionCookie(await ask(`${server.url}/login/eve`, { method: 'POST' }))
    const cookie = sessionCookie(await ask(`${server.url}/login/ada`, { method: 'POST', cookie: visitor }))
    expect(cookie).not.toBe(visitor)
    expect((await ask(server.url, { cookie: visitor })).body).toBe('{}')
  })

  test('is saved before an error of the app is answered, as for any other answer', async () => {
    app.get('/fail', (request) => {
      handle.get(request).views = 1
      throw Object.assign(new Error('of the app'), { status: 418 })
    })
    addErrorHandler()
    const answer = await ask(`${server.url}/fail`)
    expect(answer).toMatchObject({ status: 418, body: 'of the app' })
    expect((await ask(server.url, { cookie: sessionCookie(answer) })).body).toBe('{"views":1}')
  })

  test('is saved with the second answer, where Node has refused the first one', async () => {
    app.get('/no-text', (_request, response) => {
      response.end({ no: 'text' })
    })
    app.use((_error: unknown, request: Request, response: Response, _next: NextFunction) => {
      handle.get(request).views = 1
      response.status(500).send('sorry')
    })
    const answer = await ask(`${server.url}/no-text`)
    expect(answer).toMatchObject({ status: 500, body: 'sorry' })
    expect((await ask(server.url, { cookie: sessionCookie(answer) })).body).toBe('{"views":1}')
  })

  test('that the app puts another object in place of is an error, and nothing is saved', async () => {
    app.get('/assign', (request, response) => {
      Object.assign(request, { session: { user: 'ada' } })
      response.send('saved')
    })
    addErrorHandler()
    const answer = await ask(`${server.url}/assign`)
    expect(answer).toMatchObject({ status: 500, cookies: [] })
    expect(answer.body).toContain('the app has put another object there')
  })
})

describe('the middleware', () => {
  test('mounted twice, does its work once', async () => {
    const second = sessions({ secret: 'another', report: reports.report })
    app.use(handle, second)
    addRoutes()
    const answer = await ask(`${server.url}/login/ada`, { method: 'POST' })
    expect(answer.cookies).toHaveLength(1)
    expect((await ask(server.url, { cookie: sessionCookie(answer) })).body).toBe('{"user":"ada"}')
  })

  test('says what to do where other session middleware came before it', async () => {
    const errors: unknown[] = []
    app.use(expressSession({ secret: 'x', resave: false, saveUninitialized: false }), handle)
    app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
      errors.push(error)
      response.status(500).end()
    })
    expect((await ask(server.url)).status).toBe(500)
    expect(errors).toEqual([expect.any(ForeignSessionError)])
    expect(String(errors[0])).toMatch(/other middleware has put its own there. Mount one session middleware/)
  })

  test.each([
    ['/shop', true],
    ['/shop/cart?page=1', true],
    ['/shop?page=1', true],
    ['/shopping', false],
    ['/', false],
  ])('with a cookie for /shop gives %s a session: %s', async (path, hasSession) => {
    const opened = createSessions({ secret: 'for tests only', cookie: { path: '/shop' } })
    const router = express.Router().use(sessions(opened))
    app.use('/shop', router)
    app.use(router)
    app.use((request, response) => response.json(request.session !== undefined))
    expect((await ask(server.url + path)).body).toBe(String(hasSession))
  })

  test('gives a request without a response its session, as apps do before they upgrade to a WebSocket', async () => {
    app.use(handle)
    addRoutes()
    const cookie = sessionCookie(await ask(`${server.url}/login/ada`, { method: 'POST' }))
    const request = Object.assign(new IncomingMessage(new Socket()), { headers: { cookie } })
    // What such apps pass for a response.
    await new Promise((resolve) => handle(request, {} as ServerResponse, resolve))
    expect({ ...handle.get(request) }).toEqual({ user: 'ada' })
  })

  test('tells an app that reads a session where there is none what is wrong', () => {
    expect(() => handle.get({})).toThrow('`sessions()` did not come before')
    expect(() => handle.get({ session: {} })).toThrow(TypeError)
  })

  test('takes options that are wrong at once', () => {
    expect(() => sessions({ secret: '' })).toThrow('secret')
  })
})
