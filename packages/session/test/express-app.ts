import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type NextFunction, type Request, type Response } from 'express'
import session from 'express-session'

export interface AppOptions {
  /** Under express-session; `middleware` takes the place of both. */
  readonly store?: session.Store
  readonly middleware?: express.RequestHandler
  readonly cookie?: session.CookieOptions
  /** Requests to `/fields` wait for each other after they have read their session, until so many are in. */
  readonly together?: number
}

export interface RunningApp {
  readonly url: string
  /** What reached the app's error handler. */
  readonly errors: unknown[]
  close(): Promise<void>
}

/** An ordinary Express app with sessions, on a free port. Only what keeps its sessions differs between the tests. */
export async function startApp(options: AppOptions): Promise<RunningApp> {
  const { store, cookie = {}, together = 1 } = options
  const under = { secret: 'for tests only', resave: false, saveUninitialized: false, cookie, store }
  const errors: unknown[] = []
  const app = express()
  app.use(options.middleware ?? session(under))
  addRoutes(app, gate(together))
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    errors.push(error)
    if (response.headersSent) return next(error)
    const { status = 500, code = '' } = error as { status?: number; code?: string }
    response.status(status).json({ code })
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    errors,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function addRoutes(app: express.Express, enter: () => Promise<void>): void {
  app.post('/login/:user', (request, response, next) => {
    fieldsOf(request).user = request.params.user
    request.session.save((error) => (error ? next(error) : response.end()))
  })
  app.get('/session', (request, response) => {
    response.json(request.session)
  })
  app.post('/fields/:name', async (request, response) => {
    await enter()
    fieldsOf(request)[request.params.name] = true
    response.end()
  })
  app.post('/nested/:name', async (request, response) => {
    await enter()
    const fields = fieldsOf(request)
    fields.cart = { ...(fields.cart as object), [request.params.name]: true }
    response.end()
  })
  app.post('/late/:ms', async (request, response) => {
    await pause(request.params.ms)
    fieldsOf(request).late = request.params.ms
    response.end()
  })
  app.post('/increment', async (request, response) => {
    await enter()
    const fields = fieldsOf(request)
    // As each of them counts: the sessions of express-session have no other way.
    if (typeof fields.increment === 'function') await fields.increment('count')
    else fields.count = Number(fields.count ?? 0) + 1
    response.end()
  })
  app.get('/late/:ms', async (request, response) => {
    await pause(request.params.ms)
    response.end()
  })
  app.post('/logout/:ms', async (request, response, next) => {
    await pause(request.params.ms)
    request.session.destroy((error) => (error ? next(error) : response.end()))
  })
  app.post('/regenerate/:ms', async (request, response, next) => {
    await pause(request.params.ms)
    request.session.regenerate((error) => (error ? next(error) : response.end()))
  })
  app.post('/odd', (request, response) => {
    const own = { toJSON: () => 'from toJSON' }
    const odd = { map: new Map([[1, 2]]), date: new Date('2026-01-01'), own, run: () => 1 }
    Object.assign(fieldsOf(request), odd)
    Object.defineProperty(request.session, 'getter', { enumerable: true, get: () => 7 })
    response.end()
  })
  app.post('/getter', (request, response) => {
    const get = () => {
      throw new Error('not now')
    }
    Object.defineProperty(request.session, 'getter', { enumerable: true, get })
    response.end()
  })
  app.post('/bigint', (request, response) => {
    fieldsOf(request).amount = 1n
    response.json({})
  })
}

/** The session as an object of any fields: the tests invent their own. */
function fieldsOf(request: Request): Record<string, unknown> {
  return request.session as unknown as Record<string, unknown>
}

/** Lets callers through once there were so many of them. */
function gate(together: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let here = 0
  return () => {
    here += 1
    if (here >= together) resolve()
    return promise
  }
}

function pause(ms: string): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Number(ms)))
}
