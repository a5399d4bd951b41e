import { createSessions, type Session, type Sessions } from '@stepladder/session'
import { sessions as sessionsHandler } from '@stepladder/session/express'
import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { ask, serve, sessionCookie } from './http.ts'
import { watchedMemory } from './watched-memory.ts'

// The recipes of docs/guides/sessions-without-express.md, as they stand there.

interface Data {
  user: string
  views: number
}

declare module 'fastify' {
  interface FastifyRequest {
    session: Session<Data> | undefined
  }
}

const opened: (() => unknown)[] = []
let isRefused = false
afterEach(async () => {
  isRefused = false
  for (const close of opened.splice(0).reverse()) await close()
})

function openSessions(): Sessions<Data> {
  const backend = watchedMemory(() => {
    if (isRefused) throw new Error('refused')
  })
  const sessions = createSessions<Data>({ secret: 'for tests only', backend })
  opened.push(() => sessions.close())
  return sessions
}

/** Counts over two requests, and says of a change that cannot be saved that it is not. */
async function counts(url: string): Promise<void> {
  const first = await ask(url)
  expect(first).toMatchObject({ status: 200, body: '1 views' })
  const cookie = sessionCookie(first)
  expect(await ask(url, { cookie })).toMatchObject({ status: 200, body: '2 views', cookies: [] })
  isRefused = true
  expect(await ask(url, { cookie })).toMatchObject({ status: 503, cookies: [] })
  isRefused = false
  expect((await ask(url, { cookie })).body).toBe('3 views')
}

describe('with node:http alone', () => {
  test('load and commit are enough', async () => {
    const sessions = openSessions()
    const server = await serve(async (request, response) => {
      try {
        const session = await sessions.load(request.headers.cookie)
        session.views = (session.views ?? 0) + 1
        const cookie = await sessions.commit(session)
        if (cookie) response.setHeader('Set-Cookie', cookie)
        response.end(`${session.views} views`)
      } catch {
        response.writeHead(503).end()
      }
    })
    opened.push(server.close)
    await counts(server.url)
  })

  test('the middleware holds the answer as it does for Express', async () => {
    const withSession = sessionsHandler(openSessions())
    const server = await serve((request, response) => {
      withSession(request, response, (failure) => {
        if (failure) return response.writeHead(503).end()
        const session = withSession.get(request)
        session.views = (session.views ?? 0) + 1
        response.end(`${session.views} views`)
      })
    })
    opened.push(server.close)
    await counts(server.url)
  })
})

describe('with Fastify', () => {
  async function start(addRoutes: (app: FastifyInstance) => void): Promise<string> {
    const sessions = openSessions()
    const app = fastify()
    opened.push(() => app.close())
    addSessions(app, sessions)
    addRoutes(app)
    return app.listen({ port: 0, host: '127.0.0.1' })
  }

  test('two hooks are enough', async () => {
    const url = await start((app) => {
      app.get('/', async ({ session }) => {
        session!.views = (session!.views ?? 0) + 1
        return `${session!.views} views`
      })
    })
    await counts(url)
  })

  test('a login that could not be saved redirects nobody, and is asked for once', async () => {
    const url = await start((app) => {
      app.get('/', async (request, reply) => {
        const session = await request.session!.regenerate()
        session.user = 'ada'
        return reply.code(303).header('x-token', 'secret').redirect('/home')
      })
    })
    expect(await ask(url)).toMatchObject({ status: 303, headers: { location: '/home' } })
    isRefused = true
    const refused = await ask(url)
    expect(refused).toMatchObject({ status: 503, cookies: [] })
    expect(refused.headers).not.toHaveProperty('location')
    expect(refused.headers).not.toHaveProperty('x-token')
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'SESSION_UNAVAILABLE' })
  })

  test('a logout takes the cookie along', async () => {
    const url = await start((app) => {
      app.get('/login', async ({ session }) => {
        session!.user = 'ada'
        return 'in'
      })
      app.get('/logout', async ({ session }) => {
        await session!.destroy()
        return 'out'
      })
      app.get('/', async ({ session }) => session!.user ?? 'nobody')
    })
    const cookie = sessionCookie(await ask(`${url}/login`))
    expect((await ask(url, { cookie })).body).toBe('ada')
    expect((await ask(`${url}/logout`, { cookie })).cookies).toEqual([
      expect.stringContaining('=; Max-Age=0'),
    ])
    expect((await ask(url, { cookie })).body).toBe('nobody')
  })
})

function addSessions(app: FastifyInstance, sessions: Sessions<Data>): void {
  app.decorateRequest('session')
  app.addHook('onRequest', async (request) => {
    request.session = await sessions.load(request.headers.cookie)
  })
  app.addHook('onSend', async (request, reply) => {
    const { session } = request
    if (!session) return
    try {
      const cookie = await sessions.commit(session)
      if (cookie) reply.header('Set-Cookie', cookie)
    } catch (error) {
      // What takes the place of this answer is sent by the same way, and has nothing to save.
      request.session = undefined
      for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name)
      reply.code(200)
      throw error
    }
  })
}
