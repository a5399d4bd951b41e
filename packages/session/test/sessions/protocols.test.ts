import { once } from 'node:events'
import { connect as connectHttp2, createServer, type Http2ServerResponse } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { createSessions } from '@stepladder/session'
import { sessions } from '@stepladder/session/express'
import { afterEach, describe, expect, test } from 'vitest'
import { HeldApp } from './held-app.ts'
import { watchedMemory } from './watched-memory.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Sends text to the app, and resolves to all that comes until `isAll`, or the end. */
async function exchange(port: number, text: string, isAll: (text: string) => boolean): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  opened.push(() => socket.destroy())
  let received = ''
  const all = new Promise<void>((resolve) => {
    socket.on('close', resolve).on('data', (part) => {
      received += part
      if (isAll(received)) resolve()
    })
  })
  socket.write(text)
  await all
  return received
}

async function writingApp(): Promise<HeldApp> {
  const app = await HeldApp.start({ timeout: '5s' })
  opened.push(() => app.close())
  app.handler = (session, response, request) => {
    if (request.path.startsWith('/save')) session.seen = true
    response.send(`answer ${request.path}.`)
  }
  return app
}

describe('over HTTP/1', () => {
  test('pipelined requests are answered in their order, though the first one has to wait', async () => {
    const app = await writingApp()
    const goOn = app.stall()
    const asked = ['/save', '/read', '/save2', '/read2']
    const text = asked.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join('')
    const received = exchange(app.port, text, (all) => all.includes('answer /read2.'))
    await expect.poll(() => app.events.filter((event) => event === 'write')).toHaveLength(2)
    goOn()
    expect((await received).match(/answer \/\w+\./g)).toEqual(asked.map((path) => `answer ${path}.`))
  })

  test('a connection of HTTP/1.0 is kept where it is asked for', async () => {
    const app = await writingApp()
    const text = 'GET /save HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'
    const received = await exchange(app.port, text + text, (all) => all.split('answer /save.').length > 2)
    expect(received.match(/^Connection: keep-alive/gm)).toHaveLength(2)
    expect(received.match(/^Set-Cookie/gm)).toHaveLength(2)
  })
})

describe('over HTTP/2', () => {
  async function start(before: () => Promise<void> | void, handler: Http2Handler) {
    const errors: unknown[] = []
    const handle = sessions<{ user?: string }>(
      createSessions<{ user?: string }>({ secret: 'for tests only', backend: watchedMemory(before) }),
    )
    const server = createServer((request, response) => {
      handle(request, response, (failure) => {
        if (failure === undefined) return handler(handle.get(request), response)
        errors.push(failure)
        response.writeHead(503).end('not saved')
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    // A server that listens on a port has an address of this kind.
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    opened.push(
      () => new Promise((resolve) => server.close(resolve)),
      () => client.close(),
    )
    const asked = client.request({ ':path': '/' }).setEncoding('utf8')
    let body = ''
    let failure: unknown
    asked.on('data', (text) => {
      body += text
    })
    asked.on('error', (error) => {
      failure = error
    })
    const [headers] = await once(asked, 'response')
    await new Promise((resolve) => asked.on('close', resolve))
    return { status: headers[':status'], cookies: headers['set-cookie'], body, failure, errors }
  }

  test('a response waits for its session', async () => {
    let isSaved = false
    let seen: unknown
    const answer = await start(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        isSaved = true
      },
      (session, response) => {
        session.user = 'ada'
        response.writeHead(200, { 'set-cookie': 'a=1' })
        response.write('one ')
        response.end(`two, ${isSaved}`)
        seen = [response.headersSent, response.writableEnded]
      },
    )
    expect(seen).toEqual([true, true])
    expect(answer).toMatchObject({ status: 200, body: 'one two, false' })
    expect(answer.cookies).toEqual(['a=1', expect.stringMatching(/^__Host-session=s%3A/)])
    expect(isSaved).toBe(true)
  })

  test('a response that was held has no methods that those of its kind have not', async () => {
    const seen: boolean[] = []
    const answer = await start(
      () => {},
      (session, response) => {
        session.user = 'ada'
        seen.push('setHeaders' in response)
        response.once('drain', () => {
          seen.push('setHeaders' in response)
          response.end()
        })
        response.write('one ')
      },
    )
    expect(answer).toMatchObject({ status: 200, body: 'one ' })
    expect(seen).toHaveLength(2)
    expect(seen[1]).toBe(seen[0])
  })

  test('a response is dropped whose session could not be saved', async () => {
    const answer = await start(refuse, (session, response) => {
      session.user = 'ada'
      response.setHeader('x-token', 'secret')
      response.end('saved')
    })
    expect(answer).toMatchObject({ status: 503, body: 'not saved', cookies: undefined })
    expect(answer.errors).toHaveLength(1)
  })

  test('a stream is cut short whose last change could not be saved', async () => {
    const answer = await start(refuse, async (session, response) => {
      await new Promise<void>((resolve) => response.write('one ', () => resolve()))
      session.user = 'ada'
      response.end('two')
    })
    expect(answer).toMatchObject({ status: 200, body: 'one ' })
    expect(answer.failure).toMatchObject({ code: 'ERR_HTTP2_STREAM_ERROR' })
  })
})

type Http2Handler = (session: { user?: string }, response: Http2ServerResponse) => unknown

function refuse(): Promise<void> {
  return Promise.reject(new Error('refused'))
}
