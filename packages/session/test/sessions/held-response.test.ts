import { once } from 'node:events'
import { get } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, { type Response } from 'express'
import session from 'express-session'
import { afterEach, describe, expect, test } from 'vitest'
import { type Handler, HeldApp, type HeldAppOptions } from './held-app.ts'
import { type Answer, ask, serve, sessionCookie } from './http.ts'

let app: HeldApp
afterEach(() => app?.close())

/** Asks a handler, and the store takes so long that whatever is not held would be there before. */
async function answerOf(handler: Handler, method = 'GET', options: HeldAppOptions = {}): Promise<Answer> {
  app = await HeldApp.start({ timeout: '5s', ...options })
  app.handler = handler
  app.beforeWrite = () => new Promise((resolve) => setTimeout(resolve, 20))
  const answer = await ask(app.url, { method })
  app.events.push('answered')
  return answer
}

const writesFirst = ['write', 'saved', 'answered']

describe('nothing of a response is sent before its session is saved', () => {
  const ways: Record<string, (response: Response) => unknown> = {
    end: (response) => response.end('body'),
    'write and end': (response) => {
      response.write('bo')
      response.end('dy')
    },
    'writeHead and end': (response) => response.writeHead(200, { 'X-Mine': '1' }).end('body'),
    flushHeaders: (response) => {
      response.flushHeaders()
      response.end('body')
    },
    send: (response) => response.send('body'),
    pipe: (response) => Readable.from(['bo', 'dy']).pipe(response),
    pipeline: (response) => pipeline(Readable.from(['bo', 'dy']), response),
  }
  test.each(Object.entries(ways))('by %s', async (_name, respond) => {
    const answer = await answerOf((session, response) => {
      session.seen = true
      return respond(response)
    })

    expect(app.events).toEqual(writesFirst)
    expect(answer).toMatchObject({ status: 200, body: 'body' })
    expect(answer.cookies).toEqual([expect.stringMatching(/^__Host-session=s%3A/)])
  })

  test('by a redirect, which a browser follows at once', async () => {
    const answer = await answerOf((session, response) => {
      session.flash = 'saved'
      response.redirect('/next')
    })

    expect(app.events).toEqual(writesFirst)
    expect(answer).toMatchObject({ status: 302, headers: { location: '/next' } })
    app.handler = (session, response) => response.json(session)
    expect((await ask(app.url, { cookie: sessionCookie(answer) })).body).toBe('{"flash":"saved"}')
  })

  test('by sendFile', async () => {
    const answer = await answerOf((session, response) => {
      session.seen = true
      response.sendFile(__filename)
    })

    expect(app.events).toEqual(writesFirst)
    expect(answer.body).toContain('nothing of a response is sent')
  })

  test.each([
    ['GET', 204],
    ['GET', 304],
    ['HEAD', 200],
  ])('by a %s that is answered %i, without a body', async (method, status) => {
    const answer = await answerOf((session, response) => {
      session.seen = true
      response.status(status).end()
    }, method)

    expect(app.events).toEqual(writesFirst)
    expect(answer).toMatchObject({ status, body: '' })
    expect(answer.cookies).toHaveLength(1)
  })

  test('by a handler that did not wait for what it asked of the session', async () => {
    const answer = await answerOf((session, response) => {
      session.user = 'ada'
      void session.save()
      response.end()
    })
    expect(app.events).toEqual(writesFirst)
    expect(answer.cookies).toHaveLength(1)
  })

  test('while another response, which does not save, is sent', async () => {
    app = await HeldApp.start({ timeout: '5s' })
    const goOn = app.stall()
    app.handler = (session, response, request) => {
      if (request.path === '/save') session.seen = true
      response.end(request.path)
    }
    const saving = ask(`${app.url}save`).then(({ body }) => app.events.push(body))
    await expect.poll(() => app.events).toEqual(['write'])
    app.events.push((await ask(`${app.url}read`)).body)
    goOn()
    await saving
    expect(app.events).toEqual(['write', '/read', 'saved', '/save'])
  })

  test('of express-session it is: the redirect is there before the session', async () => {
    const store = new session.MemoryStore()
    const { set } = store
    store.set = (id, data, done) => setTimeout(() => set.call(store, id, data, () => done?.(saved())), 100)
    let isSaved = false
    const saved = () => {
      isSaved = true
    }
    const control = express()
    control.use(session({ secret: 'for tests only', resave: false, saveUninitialized: false, store }))
    control.use((request, response) => {
      Object.assign(request.session, { flash: 'saved' })
      response.redirect('/next')
    })
    const server = await serve(control)
    const [response] = await once(get(server.url), 'response')
    expect(response.statusCode).toBe(302)
    expect(isSaved).toBe(false)
    await server.close()
  })
})

describe('a session without a change', () => {
  test('lets its response pass in the same turn, and sends nothing to the store', async () => {
    let wasSent: boolean | undefined
    const answer = await answerOf((_session, response) => {
      response.end('body')
      wasSent = response.writableFinished || response.headersSent
    })
    expect(wasSent).toBe(true)
    expect(app.events).toEqual(['answered'])
    expect(answer.cookies).toEqual([])
  })
})

describe('while it is held, a response', () => {
  test('says that it was sent, and throws as Node does where somebody answers twice', async () => {
    const seen: unknown[] = []
    const answer = await answerOf((session, response) => {
      session.seen = true
      seen.push(response.headersSent, response.writableEnded)
      response.status(201).send('first')
      seen.push(response.headersSent, response.writableEnded)
      for (const again of [
        () => response.status(500).json({ error: 'second' }),
        () => response.appendHeader('x-a', 'b'),
        () => response.removeHeader('content-type'),
        () => response.writeHead(500),
      ]) {
        try {
          again()
        } catch (error) {
          seen.push((error as { code: string }).code)
        }
      }
    })
    expect(seen).toEqual([false, false, true, true, ...Array(4).fill('ERR_HTTP_HEADERS_SENT')])
    expect(answer).toMatchObject({ status: 201, body: 'first' })
    expect(answer.headers['content-type']).toMatch('text/html')
  })

  test('keeps the order of all that is written, calls back, and lets writers go on by `drain`', async () => {
    const big = 'x'.repeat(100_000)
    const answer = await answerOf(async (session, response) => {
      session.seen = true
      app.events.push(`room: ${response.write('1', () => app.events.push('1 is out'))}`)
      response.once('drain', () => {
        app.events.push('drain')
        response.write(Buffer.from(big))
        response.write('Mg==', 'base64')
        response.end('3', () => app.events.push('end is out'))
      })
    })
    expect(app.events.slice(0, 4)).toEqual(['write', 'room: false', 'saved', 'drain'])
    expect(app.events).toEqual(expect.arrayContaining(['1 is out', 'end is out']))
    expect(answer.body).toBe(`1${big}23`)
  })

  test('takes a pipe of many megabytes, bounded by its backpressure', async () => {
    let read = 0
    let readWhileHeld: number | undefined
    const source = new Readable({
      read() {
        read += 1
        this.push(read <= 64 ? Buffer.alloc(65_536, 'x') : null)
      },
    })
    const answer = await answerOf(async (session, response) => {
      session.seen = true
      app.beforeWrite = async () => {
        await new Promise((resolve) => setTimeout(resolve, 30))
        readWhileHeld = read
      }
      source.pipe(response)
    })
    expect(answer.body).toHaveLength(64 * 65_536)
    expect(readWhileHeld).toBeLessThan(8)
  })

  test('throws at the error handler what Node makes of a header that is none', async () => {
    const answer = await answerOf((session, response) => {
      session.seen = true
      response.writeHead(200, { 'X-Bad': 'a\nb' }).end('body')
    })
    expect(answer).toMatchObject({ status: 500, body: '{"code":"ERR_INVALID_CHAR"}' })
  })

  test('lets 1xx answers go at once, and trailers at the end', async () => {
    const answer = await answerOf((session, response) => {
      session.seen = true
      response.writeProcessing()
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      response.setHeader('Trailer', 'X-Sum')
      response.write('body')
      response.addTrailers({ 'X-Sum': '1' })
      response.end()
    })
    expect(answer).toMatchObject({ hints: [102, 103], body: 'body', trailers: { 'x-sum': '1' } })
  })
})
