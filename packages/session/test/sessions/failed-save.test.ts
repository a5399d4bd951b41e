import { Readable } from 'node:stream'
import { SessionUnavailableError } from '@stepladder/session'
import express, { type RequestHandler } from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { type Handler, HeldApp, type HeldAppOptions } from './held-app.ts'
import { type Answer, ask, sessionCookie } from './http.ts'

let app: HeldApp
afterEach(() => app.close())

/** What a client is answered whose session the store refuses to save. */
async function answerOf(handler: Handler, options: HeldAppOptions = {}): Promise<Answer> {
  app = await HeldApp.start(options)
  app.handler = handler
  app.refuse()
  return ask(app.url)
}

describe('where a session could not be saved', () => {
  const answers: Record<string, Handler> = {
    'a page': (_session, response) => response.send('<p>saved</p>'),
    'a redirect': (_session, response) => response.redirect('/saved'),
    'an explicit head': (_session, response) =>
      response.writeHead(201, 'Created', { 'Content-Length': '5', Location: '/saved' }).end('saved'),
    'a stream': (_session, response) => Readable.from(['sav', 'ed']).pipe(response),
    'a file': (_session, response) => response.sendFile(__filename),
    'headers alone': (_session, response) => response.status(204).end(),
  }
  test.each(Object.entries(answers))(
    '%s does not leave: the error handler answers',
    async (_name, answer) => {
      const received = await answerOf((session, response, request) => {
        session.user = 'ada'
        response.cookie('remember', 'ada')
        return answer(session, response, request)
      })

      expect(received).toMatchObject({ status: 503, body: '{"code":"SESSION_UNAVAILABLE"}', cookies: [] })
      expect(received.headers.location).toBeUndefined()
      expect(app.errors).toEqual([expect.any(SessionUnavailableError)])
    },
  )

  test('Express itself answers with the status of the error where the app has no handler of its own', async () => {
    app = await HeldApp.start()
    app.onError = (error, _response, next) => next(error)
    app.handler = (session, response) => {
      session.user = 'ada'
      response.send('saved')
    }
    app.refuse()
    expect((await ask(app.url)).status).toBe(503)
  })

  test.each(['router', 'app'])(
    'a mounted %s does not answer either: the error handler does',
    async (kind) => {
      const mounted = kind === 'router' ? express.Router() : express()
      mounted.use((request, response) => {
        app.handle.get(request).user = 'ada'
        response.status(201).cookie('remember', 'ada').json({ user: 'ada' })
      })
      const inner: RequestHandler = express().use('/', mounted)
      const received = await answerOf(() => {}, { inner: [inner] })
      expect(received).toMatchObject({ status: 503, body: '{"code":"SESSION_UNAVAILABLE"}', cookies: [] })
      app.beforeWrite = () => {}
      expect(await ask(app.url)).toMatchObject({
        status: 201,
        body: '{"user":"ada"}',
        cookies: { length: 2 },
      })
    },
  )

  test('headers about who may read the answer stay, those of the answer go', async () => {
    const received = await answerOf(
      (session, response) => {
        session.user = 'ada'
        response.set({ ETag: '"1"', 'Cache-Control': 'public, max-age=60', 'X-Token': 'secret' })
        response.type('text/css').send('saved')
      },
      {
        outer: [
          (_request, response, next) => {
            response.set({
              'Access-Control-Allow-Origin': '*',
              'Content-Security-Policy': "default-src 'self'",
            })
            next()
          },
        ],
      },
    )
    expect(received.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'content-security-policy': "default-src 'self'",
      'content-type': 'application/json; charset=utf-8',
    })
    for (const gone of ['cache-control', 'x-token']) expect(received.headers).not.toHaveProperty(gone)
  })

  test('the error handler is asked once, and what it changes is not saved again', async () => {
    app = await HeldApp.start()
    app.onError = (_error, response) => {
      const session = app.handle.get(response.req)
      session.flash = 'sorry'
      response.status(503).send('sorry')
    }
    app.handler = (session, response) => {
      session.user = 'ada'
      response.send('saved')
    }
    app.refuse()
    expect(await ask(app.url)).toMatchObject({ status: 503, body: 'sorry' })
    expect(app.errors).toHaveLength(1)
    expect(app.events).toEqual(['write'])
  })

  test('what the handler still writes to its dropped answer goes nowhere', async () => {
    let late: unknown[] = []
    const received = await answerOf((session, response) => {
      session.user = 'ada'
      // At once: later, Node itself takes nothing for this response any more.
      response.write('sav', (failure) => {
        late = [failure, response.write('ed'), response.end('!') === response]
      })
    })
    expect(received).toMatchObject({ status: 503, body: '{"code":"SESSION_UNAVAILABLE"}', isCut: false })
    await expect.poll(() => late).toEqual([expect.any(SessionUnavailableError), false, true])
  })

  test('a stream that was half written does not go on in the answer of the error handler', async () => {
    const sorry = 'sorry '.repeat(5_000)
    app = await HeldApp.start()
    app.handler = (session, response) => {
      session.user = 'ada'
      response.addTrailers({ 'X-Sum': '1' })
      Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(16_384, 'x'))).pipe(response)
    }
    app.onError = (_error, response) => Readable.from(Array(64).fill(sorry)).pipe(response.status(503))
    app.refuse()
    const { body, trailers } = await ask(app.url)
    expect(body).toBe(sorry.repeat(64))
    expect(trailers).toEqual({})
  })

  test('a read is answered though its touch failed', async () => {
    app = await HeldApp.start({ touchAfter: 1 })
    const cookie = sessionCookie(await ask(`${app.url}login/ada`))
    app.handler = (session, response) => response.json(session)
    app.refuse()
    const { status, body } = await ask(app.url, { cookie })
    expect({ status, body }).toEqual({ status: 200, body: '{"user":"ada"}' })
    expect(app.reports.outcomes('touch')).toContain('failed')
  })

  test('the answer leaves as it was, and the failure is reported, where the app says so', async () => {
    const received = await answerOf(
      (session, response) => {
        session.user = 'ada'
        response.status(201).send('not saved')
      },
      { onSaveFailure: 'report' },
    )
    expect(received).toMatchObject({ status: 201, body: 'not saved', cookies: [] })
    expect(app.errors).toEqual([])
    expect(await app.reports.until('respond', 'unsaved')).toMatchObject({
      cause: expect.any(SessionUnavailableError),
    })
  })
})

describe('a session that cannot be saved at all', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  const spoilt: Record<string, [unknown, string]> = {
    'with a BigInt': [1n, 'SESSION_NOT_SERIALIZABLE'],
    'with a cycle': [cyclic, 'SESSION_NOT_SERIALIZABLE'],
    'that is too large': ['x'.repeat(300_000), 'SESSION_TOO_LARGE'],
  }
  test.each(Object.entries(spoilt))('%s is an error of the app, not a hang', async (_name, [value, code]) => {
    const received = await answerOf((session, response) => {
      session.value = value
      response.send('saved')
    })
    expect(received).toMatchObject({ status: 500, body: JSON.stringify({ code }) })
    expect(app.events).toEqual([])
  })

  test('is reported where answers leave anyway', async () => {
    const received = await answerOf(
      (session, response) => {
        session.value = 1n
        response.send('not saved')
      },
      { onSaveFailure: 'report' },
    )
    expect(received.body).toBe('not saved')
    expect(app.reports.outcomes('respond')).toEqual(['unsaved'])
  })

  test('is one that another request has ended: 401, and no session comes back', async () => {
    app = await HeldApp.start()
    const cookie = sessionCookie(await ask(`${app.url}login/ada`))
    app.handler = async (session, response) => {
      const other = await app.handle.sessions.load(cookie)
      await other.destroy()
      session.late = true
      response.send('saved')
    }
    expect(await ask(app.url, { cookie })).toMatchObject({ status: 401, body: '{"code":"SESSION_ENDED"}' })
    app.handler = (session, response) => response.json(session)
    expect((await ask(app.url, { cookie })).body).toBe('{}')
  })
})
