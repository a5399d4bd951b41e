import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSessions } from '@stepladder/session'
import { type SessionsHandler, sessions } from '@stepladder/session/express'
import express, { type RequestHandler } from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { ask } from './http.ts'
import { watchedMemory } from './watched-memory.ts'

const opened: (() => unknown)[] = []
afterEach(() => {
  for (const close of opened.splice(0).reverse()) close()
})

type Data = Record<string, unknown>

/** Sessions whose writes wait for `goOn`. */
function stalled(): { readonly handle: SessionsHandler<Data>; readonly goOn: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const backend = watchedMemory(() => promise)
  return {
    handle: sessions<Data>(createSessions<Data>({ secret: 'for tests only', backend, timeout: '5s' })),
    goOn: resolve,
  }
}

async function listen(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  opened.push(() => server.closeAllConnections())
  await once(server, 'listening')
  // A server that listens on a port has an address of this kind.
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}

describe('a server that closes', () => {
  test('answers first who waits for a session to be saved', async () => {
    const { handle, goOn } = stalled()
    const ended = Promise.withResolvers<void>()
    const app = express().use(handle, (request, response) => {
      handle.get(request).seen = true
      response.end('saved')
      ended.resolve()
    })
    const { server, url } = await listen(app)
    const answer = ask(url)
    await ended.promise

    server.close()
    goOn()

    expect(await answer).toMatchObject({ status: 200, body: 'saved' })
  })

  test('cuts a connection whose response says that it is finished', async () => {
    const ended = Promise.withResolvers<void>()
    const { server, url } = await listen((_request, response) => {
      Object.assign(response, { finished: true })
      ended.resolve()
    })
    const answer = ask(url)
    await ended.promise

    server.close()

    await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})

describe('middleware around a response that was held', () => {
  test('hears of each header that is set, in a mounted app too, and of none that comes too late', async () => {
    const { handle, goOn } = stalled()
    const seen: string[] = []
    const watching =
      (name: string): RequestHandler =>
      (_request, response, next) => {
        const { setHeader } = response
        response.setHeader = function (...args) {
          seen.push(`${name} ${args[0]}`)
          return Reflect.apply(setHeader, this, args)
        }
        next()
      }
    const mounted = express().disable('x-powered-by')
    mounted.use(async (request, response) => {
      handle.get(request).first = true
      response.setHeader('x-early', '').write('1')
      expect(() => response.setHeader('x-late', '')).toThrow('after they are sent')
      goOn()
      await once(response, 'drain')
      handle.get(request).second = true
      response.end('2')
      expect(() => response.setHeader('x-later', '')).toThrow('after they are sent')
    })
    const app = express().disable('x-powered-by').use(watching('outer'), handle, watching('inner'))
    const { url } = await listen(app.use(mounted))

    expect(await ask(url)).toMatchObject({ status: 200, body: '12' })
    expect(seen).toEqual(['inner x-early', 'outer x-early', 'inner Set-Cookie', 'outer Set-Cookie'])
  })

  test('keeps what it has made of the response for its own', async () => {
    const { handle, goOn } = stalled()
    let ownWord: unknown
    const { url } = await listen((request, response) => {
      Object.defineProperty(response, 'writableEnded', { value: 'mine', configurable: true })
      handle(request, response, () => {
        handle.get(request).seen = true
        response.once('finish', () => {
          ownWord = response.writableEnded
        })
        response.end('saved')
        goOn()
      })
    })

    expect(await ask(url)).toMatchObject({ status: 200, body: 'saved' })
    expect(ownWord).toBe('mine')
  })
})
