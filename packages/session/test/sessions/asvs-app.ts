import { FakeClock } from '@stepladder/core/testing'
import { createSessions, MemorySessionBackend, type SessionsOptions } from '@stepladder/session'
import { csrf, requireRecentLogin, type SessionsHandler, sessions } from '@stepladder/session/express'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import { type Answer, ask, type RunningServer, serve, sessionCookie } from './http.ts'

export interface Fields {
  user: string
  email: string
}

export interface AsvsApp extends RunningServer {
  readonly handle: SessionsHandler<Fields>
  readonly clock: FakeClock
  readonly backend: MemorySessionBackend
  ask(method: string, path: string, cookie?: string, headers?: Record<string, string>): Promise<Answer>
  /** Logs somebody in, with what the browser has already, and resolves to the cookie that it has then. */
  login(user: string, cookie?: string): Promise<string>
  /** Who the app takes the cookie's bearer for; undefined: for nobody. */
  whoIs(cookie: string | undefined): Promise<string | undefined>
}

/** An app as the documentation of each requirement shows it, and a browser of few words. */
export async function startAsvsApp(options: Partial<SessionsOptions<Fields>> = {}): Promise<AsvsApp> {
  const clock = new FakeClock()
  const backend = new MemorySessionBackend({ clock })
  const handle = sessions(
    createSessions<Fields>({
      ...{ secret: 'for tests only', backend, clock, userOf: ({ user }) => user },
      ...options,
    }),
  )
  const app = express()
  app.use(handle, express.urlencoded({ extended: false }))
  addRoutes(app, handle, clock)
  app.use(((error, _request, response, _next) => {
    response.status(error.status ?? 500).send(error.code ?? error.message)
  }) as ErrorRequestHandler)
  const server = await serve(app)
  const asked: AsvsApp['ask'] = (method, path, cookie, headers = {}) =>
    ask(server.url + path, { method, cookie, headers })
  return {
    ...server,
    ...{ handle, clock, backend, ask: asked },
    login: async (user, cookie) => sessionCookie(await asked('POST', `/login/${user}`, cookie)),
    whoIs: async (cookie) => (await asked('GET', '/whoami', cookie)).body || undefined,
  }
}

function addRoutes(app: Express, handle: SessionsHandler<Fields>, clock: FakeClock): void {
  const mustBeLoggedIn: RequestHandler = (request, response, next) => {
    if (handle.get(request).user === undefined) response.status(401).send('log in')
    else next()
  }
  app.get('/', (_request, response) => void response.send('welcome'))
  app.get('/whoami', (request, response) => void response.send(handle.get(request).user))
  app.post('/login/:user', async (request, response) => {
    const session = await handle.get(request).regenerate({ keep: true })
    session.user = request.params.user
    response.send('hello')
  })
  app.post('/logout', async (request, response) => {
    await handle.get(request).destroy()
    response.send('bye')
  })
  const recent = requireRecentLogin('10m', { clock })
  app.post('/email', mustBeLoggedIn, recent, (request, response) => {
    handle.get(request).email = 'new'
    response.send('changed')
  })
  app.post('/transfer', mustBeLoggedIn, requireRecentLogin('1m', { clock }), (_request, response) => {
    response.send('sent')
  })
  app.get('/sessions', mustBeLoggedIn, async (request, response) => {
    const session = handle.get(request)
    response.json(await handle.sessions.of(session.user!).list(session))
  })
  app.post('/sessions/:handle/end', mustBeLoggedIn, recent, async (request, response) => {
    const isEnded = await handle.sessions
      .of(handle.get(request).user!)
      .revoke(request.params.handle as string)
    response.status(isEnded ? 200 : 404).send()
  })
  app.post('/sessions/end', mustBeLoggedIn, recent, async (request, response) => {
    const session = handle.get(request)
    response.json(await handle.sessions.of(session.user!).revokeOthers(session))
  })
  app.get('/form', (request, response) => void response.send(handle.get(request).csrfToken()))
  app.post('/guarded', csrf(), (_request, response) => void response.send('done'))
}
