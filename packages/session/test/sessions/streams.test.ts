import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { SessionTooLateError, SessionUnavailableError } from '@stepladder/session'
import type { Response } from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { ended, type Handler, HeldApp } from './held-app.ts'
import { type Answer, ask, sessionCookie } from './http.ts'

let app: HeldApp
let cookie: string
afterEach(() => app.close())

/** Asks as somebody who is logged in; the store has been slow, or broken, since then. */
async function answerOf(handler: Handler, options: { onSaveFailure?: 'report' } = {}): Promise<Answer> {
  app = await HeldApp.start(options)
  cookie = sessionCookie(await ask(`${app.url}login/ada`))
  app.events.length = 0
  app.handler = handler
  return ask(app.url, { cookie })
}

/** Resolves when the client can have it. */
function sent(response: Response, text: string): Promise<unknown> {
  return new Promise((resolve) => response.write(text, resolve))
}

async function stored(): Promise<unknown> {
  return { ...(await app.handle.sessions.load(cookie)) }
}

describe('what a stream changes after its headers', () => {
  test('is saved before its end', async () => {
    const { body, isCut } = await answerOf((session, response) => {
      response.write('one ')
      app.beforeWrite = () => new Promise((resolve) => setTimeout(resolve, 20))
      session.read = 1
      response.end('two', () => app.events.push('end is out'))
    })
    expect({ body, isCut }).toEqual({ body: 'one two', isCut: false })
    expect(app.events).toEqual(['write', 'saved', 'end is out'])
    expect(await stored()).toEqual({ user: 'ada', read: 1 })
  })

  test('cuts the answer short where it could not be saved, and is reported', async () => {
    const { body, isCut } = await answerOf(async (session, response) => {
      await sent(response, 'one ')
      app.refuse()
      session.read = 1
      response.end('two')
    })
    expect({ body, isCut }).toEqual({ body: 'one ', isCut: true })
    const { cause } = await app.reports.until('respond', 'unsaved')
    expect(cause).toBeInstanceOf(SessionUnavailableError)
    expect(app.errors).toEqual([])
  })

  test('leaves the answer whole where the app would have it so', async () => {
    const { body, isCut } = await answerOf(
      (session, response) => {
        response.write('one ')
        app.refuse()
        session.read = 1
        response.end('two')
      },
      { onSaveFailure: 'report' },
    )
    expect({ body, isCut }).toEqual({ body: 'one two', isCut: false })
    expect(app.reports.outcomes('respond')).toEqual(['unsaved'])
  })

  test('cannot be the begin of a session, whose cookie would come too late', async () => {
    app = await HeldApp.start()
    app.handler = async (session, response) => {
      await sent(response, 'one ')
      session.user = 'ada'
      response.end('two')
    }
    expect((await ask(app.url)).isCut).toBe(true)
    const { cause } = await app.reports.until('respond', 'unsaved')
    expect(cause).toBeInstanceOf(SessionTooLateError)
    expect(app.events).toEqual([])
  })

  test('cannot be a new id, not even one that was saved by hand', async () => {
    const { isCut } = await answerOf(async (session, response) => {
      await sent(response, 'one ')
      const fresh = await session.regenerate()
      fresh.user = 'bob'
      await fresh.save()
      response.end('two')
    })
    expect(isCut).toBe(true)
  })

  test('may be the end of the session', async () => {
    const { body, isCut } = await answerOf(async (session, response) => {
      response.write('bye')
      await session.destroy()
      response.end()
    })
    expect({ body, isCut }).toEqual({ body: 'bye', isCut: false })
    expect(await stored()).toEqual({})
  })
})

test('an event stream that saves nothing flows as it is written', async () => {
  const goOn = Promise.withResolvers<void>()
  app = await HeldApp.start()
  app.handler = async (_session, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.flushHeaders()
    response.write('data: 1\n\n')
    await goOn.promise
    response.end('data: 2\n\n')
  }
  const [response] = (await once(get(app.url), 'response')) as [IncomingMessage]
  response.setEncoding('utf8')
  expect(await once(response, 'data')).toEqual(['data: 1\n\n'])
  goOn.resolve()
  expect(await once(response, 'data')).toEqual(['data: 2\n\n'])
})

describe('a client that goes away', () => {
  test('has its change saved, once the handler has ended the response', async () => {
    app = await HeldApp.start()
    cookie = sessionCookie(await ask(`${app.url}login/ada`))
    app.handler = async (session, response) => {
      client.destroy()
      await ended(response)
      session.read = 1
      response.end('nobody hears this')
    }
    const client = connect(app.port, '127.0.0.1')
    client.write(`GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`)
    await expect.poll(stored).toEqual({ user: 'ada', read: 1 })
  })

  test('while its response is held has its change saved, and no one else is disturbed', async () => {
    app = await HeldApp.start({ timeout: '5s' })
    cookie = sessionCookie(await ask(`${app.url}login/ada`))
    const goOn = app.stall()
    const closed = Promise.withResolvers<void>()
    app.handler = async (session, response) => {
      session.read = 1
      response.send('nobody hears this')
      client.destroy()
      await ended(response)
      closed.resolve()
    }
    const client = connect(app.port, '127.0.0.1')
    client.write(`GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`)
    await closed.promise
    goOn()
    await expect.poll(stored).toEqual({ user: 'ada', read: 1 })
    expect(app.errors).toEqual([])
    app.handler = (_session, response) => response.send('still here')
    expect((await ask(app.url)).body).toBe('still here')
  })
})
