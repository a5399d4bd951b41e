import type { OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http'
import type { RequestHandler, Response } from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { HeldApp } from './held-app.ts'
import { ask, sessionCookie } from './http.ts'

let app: HeldApp
afterEach(() => app.close())

const ours = expect.stringMatching(/^__Host-session=s%3A/)

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[]
const explicit: Record<string, [headers: Headers, besides: string[]]> = {
  'an object': [{ 'X-Mine': '1' }, []],
  'an object with a cookie': [{ 'Set-Cookie': 'a=1' }, ['a=1']],
  'an object with several cookies': [{ 'set-cookie': ['a=1', 'b=2'] }, ['a=1', 'b=2']],
  'a list': [['X-Mine', '1'], []],
  'a list with a cookie': [['Set-Cookie', 'a=1'], ['a=1']],
  'a list with the same cookie header twice': [
    ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
    ['a=1', 'b=2'],
  ],
}

describe.each(['Express', 'bare'])('on a response of %s', (kind) => {
  /** Express has set headers before, which changes what Node makes of those of `writeHead`. */
  const bare: RequestHandler = (_request, response, next) => {
    if (kind === 'bare') response.removeHeader('X-Powered-By')
    next()
  }

  test.each(Object.entries(explicit))(
    'the cookie goes with writeHead and %s',
    async (_name, [headers, besides]) => {
      app = await HeldApp.start({ outer: [bare] })
      app.handler = (session, response) => {
        session.user = 'ada'
        response.writeHead(200, headers).end('body')
      }
      const { cookies, body } = await ask(app.url)
      expect(cookies).toEqual([...besides, ours])
      expect(body).toBe('body')
    },
  )

  test('the cookie goes with writeHead, a reason and headers', async () => {
    app = await HeldApp.start({ outer: [bare] })
    app.handler = (session, response) => {
      session.user = 'ada'
      response.writeHead(200, 'Fine', { 'Set-Cookie': ['a=1'] }).end()
    }
    expect((await ask(app.url)).cookies).toEqual(['a=1', ours])
  })
})

test('the cookie goes beside those that the app has set', async () => {
  app = await HeldApp.start()
  app.handler = (session, response) => {
    session.user = 'ada'
    response.cookie('a', '1').appendHeader('Set-Cookie', 'b=2').end()
  }
  expect((await ask(app.url)).cookies).toEqual(['a=1; Path=/', 'b=2', ours])
})

test('the cookie goes once where the app begins an answer that Node refuses, and then another', async () => {
  app = await HeldApp.start()
  app.handler = async (session, response) => {
    session.user = 'ada'
    await session.save()
    response.end({ no: 'text' })
  }
  const { status, cookies } = await ask(app.url)
  expect(status).toBe(500)
  expect(cookies).toEqual([ours])
})

test.each(['destroy', 'null', 'delete'])('a session that ends by %s takes its cookie along', async (way) => {
  app = await HeldApp.start()
  const cookie = sessionCookie(await ask(`${app.url}login/ada`))
  app.handler = async (session, response, request) => {
    const place = request as { session?: unknown }
    if (way === 'destroy') await session.destroy()
    else if (way === 'null') place.session = null
    else delete place.session
    response.end()
  }
  expect((await ask(app.url, { cookie })).cookies).toEqual([
    expect.stringMatching(/^__Host-session=; Max-Age=0;/),
  ])
  app.handler = (session, response) => response.json(session)
  expect((await ask(app.url, { cookie })).body).toBe('{}')
})

describe('middleware that wraps the response as `compression` does', () => {
  test.each(['outer', 'inner'])('keeps cookie, hold and body (%s)', async (side) => {
    app = await HeldApp.start({ [side]: [shouting] })
    app.beforeWrite = () => new Promise((resolve) => setTimeout(resolve, 20))
    app.handler = (session, response) => {
      session.user = 'ada'
      response.write('qui')
      response.end('et')
    }
    const { body, cookies, headers } = await ask(app.url)
    expect({ body, cookies }).toEqual({ body: 'QUIET', cookies: [ours] })
    expect(headers['content-encoding']).toBe('shouted')
  })

  test.each(['outer', 'inner'])('does not keep the error handler from answering (%s)', async (side) => {
    app = await HeldApp.start({ [side]: [shouting] })
    app.refuse()
    // Later than what the wrapper still has of the dropped answer.
    const { onError } = app
    app.onError = (...args) => setTimeout(() => onError(...args), 20)
    app.handler = (session, response) => {
      session.user = 'ada'
      response.write('qui')
      response.end('et')
    }
    const { status, body, headers } = await ask(app.url)
    expect(status).toBe(503)
    // A wrapper inside the sessions has ended with the dropped answer.
    expect(body).toBe(side === 'outer' ? '{"CODE":"SESSION_UNAVAILABLE"}' : '{"code":"SESSION_UNAVAILABLE"}')
    expect(headers['content-encoding']).toBe(side === 'outer' ? 'shouted' : undefined)
  })
})

/** Decides at the head, writes later than it is written to, and takes no second end. */
const shouting: RequestHandler = (_request, response, next) => {
  const { write, end, writeHead } = response
  let isEnded = false
  const begin = (self: Response) => {
    if (!self.headersSent) self.writeHead(self.statusCode)
  }
  response.writeHead = function shoutedHead(this: Response, ...args: unknown[]) {
    if (!this.headersSent) this.removeHeader('Content-Length')
    if (!this.headersSent) this.setHeader('Content-Encoding', 'shouted')
    return writeHead.apply(this, args as never)
  } as typeof writeHead
  response.write = function shoutedWrite(this: Response, chunk: unknown) {
    begin(this)
    setImmediate(() => write.call(this, String(chunk).toUpperCase(), 'utf8'))
    return true
  } as typeof write
  response.end = function shoutedEnd(this: Response, chunk: unknown) {
    if (isEnded) return this
    isEnded = true
    begin(this)
    setImmediate(() => end.call(this, String(chunk ?? '').toUpperCase(), 'utf8'))
    return this
  } as typeof end
  next()
}
