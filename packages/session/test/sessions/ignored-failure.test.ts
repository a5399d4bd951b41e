import { createSessions } from '@stepladder/session'
import { sessions } from '@stepladder/session/express'
import express, { type RequestHandler } from 'express'
import { afterEach, expect, test } from 'vitest'
import { ask, type RunningServer, serve, sessionCookie } from './http.ts'
import { FailingBackend } from './set-up.ts'

let server: RunningServer
afterEach(() => server.close())

/** What the browser of somebody who is logged in is answered by a handler, once the store is down. */
async function answerOf(handler: RequestHandler) {
  const backend = new FailingBackend()
  const handle = sessions<{ user: string; views: number }>(
    createSessions({ secret: 'for tests only', backend }),
  )
  const app = express()
  app.use(handle)
  app.get('/login', (request, response) => {
    handle.get(request).user = 'ada'
    response.end()
  })
  app.get('/act', (_request, _response, next) => {
    backend.isDown = true
    next()
  })
  app.get('/act', handler)
  app.use(((error, _request, response, _next) => {
    response.status(error.status).send(error.code)
  }) as express.ErrorRequestHandler)
  server = await serve(app)
  const cookie = sessionCookie(await ask(`${server.url}/login`))
  const answer = await ask(`${server.url}/act`, { cookie })
  backend.isDown = false
  return { answer, length: await backend.length() }
}

type Ending = Record<'destroy' | 'regenerate', (callback: (error?: unknown) => void) => void>

const handlers: Record<string, RequestHandler> = {
  'a logout whose callback takes no notice of the error': ({ session }, response) =>
    (session as unknown as Ending).destroy(() => response.redirect('/')),
  'a login whose callback takes no notice of the error': (request, response) =>
    (request.session as unknown as Ending).regenerate(() => {
      Object.assign(request.session, { user: 'eve' })
      response.redirect('/')
    }),
  'a logout that is not waited for': ({ session }, response) => {
    session.destroy(() => {})
    response.redirect('/')
  },
  'an increment that is not waited for': ({ session }, response) => {
    const { increment } = session as unknown as { increment(path: string): Promise<number> }
    increment.call(session, 'views').catch(() => {})
    response.send('counted')
  },
}

test.each(Object.entries(handlers))(
  '%s is not said to have worked when the store is down',
  async (_, handler) => {
    const { answer, length } = await answerOf(handler)
    expect(answer).toMatchObject({ status: 503, body: 'SESSION_UNAVAILABLE', cookies: [] })
    expect(answer.headers.location).toBeUndefined()
    expect(length).toBe(1)
  },
)
