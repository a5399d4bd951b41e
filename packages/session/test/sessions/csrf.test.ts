import { checkCsrf, createSessions, MemorySessionBackend } from '@stepladder/session'
import { type CsrfOptions, csrf, sessions as mount } from '@stepladder/session/express'
import express from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { type RunningServer, serve } from './http.ts'
import { cookieOf, FailingBackend, setUp } from './set-up.ts'

const rejected = (reason: string) => expect.objectContaining({ code: 'CSRF_REJECTED', status: 403, reason })

describe('a token', () => {
  test('is right for its session in every later request, and never the same', async () => {
    const { sessions, begun } = setUp()
    const cookie = await begun({ user: 'ada' })
    const session = await sessions.load(cookie)
    const tokens = Array.from({ length: 50 }, () => session.csrfToken())
    await sessions.commit(session)

    const later = await sessions.load(cookie)
    for (const token of tokens) expect(() => checkCsrf(later, token)).not.toThrow()
    expect(new Set(tokens.map((token) => token.slice(0, 16))).size).toBe(50)
    expect(new Set(tokens.map((token) => token.slice(-16))).size).toBe(50)
  })

  test('begins a session for a visitor who has none, and belongs to it', async () => {
    const { sessions } = setUp()
    const visitor = await sessions.load(undefined)
    const token = visitor.csrfToken()
    const cookie = cookieOf(await sessions.commit(visitor))

    expect(() => checkCsrf(visitor, token)).not.toThrow()
    const later = await sessions.load(cookie)
    expect(() => checkCsrf(later, token)).not.toThrow()
    expect({ ...later }).toEqual({})
  })

  test('is right, whichever of several requests at once was the first to ask for one', async () => {
    const { sessions, begun, stored } = setUp()
    const cookie = await begun({ user: 'ada', views: 1 })
    const [one, two] = [await sessions.load(cookie), await sessions.load(cookie)]
    const tokens = [one.csrfToken(), two.csrfToken()]
    one.views = 2
    await sessions.commit(one)
    await sessions.commit(two)

    const later = await sessions.load(cookie)
    for (const token of tokens) expect(() => checkCsrf(later, token)).not.toThrow()
    expect(await stored(cookie)).toEqual({ user: 'ada', views: 2 })
  })

  test('is wrong for another session, after a login, and for what was begun after a logout', async () => {
    const { sessions, begun } = setUp()
    const session = await sessions.load(await begun({ user: 'ada' }))
    const token = session.csrfToken()
    await sessions.commit(session)
    const other = await sessions.load(await begun({ user: 'bob' }))
    other.csrfToken()

    expect(() => checkCsrf(other, token)).toThrow(rejected('wrong'))
    const after = await session.regenerate({ keep: true })
    expect(() => checkCsrf(after, token)).toThrow(rejected('wrong'))
    const ofAfter = after.csrfToken()
    const next = await sessions.load(cookieOf(await sessions.commit(after)))
    expect(() => checkCsrf(next, token)).toThrow(rejected('wrong'))
    expect(() => checkCsrf(next, ofAfter)).not.toThrow()
  })

  test('is asked for in vain, once the session was destroyed', async () => {
    const { sessions, begun } = setUp()
    const session = await sessions.load(await begun({ user: 'ada' }))
    await session.destroy()
    expect(() => session.csrfToken()).toThrow(expect.objectContaining({ code: 'SESSION_ENDED' }))
  })

  test('that could not be saved is no answer', async () => {
    const { sessions, backend } = setUp({}, (clock) => new FailingBackend({ clock }))
    const session = await sessions.load(undefined)
    session.csrfToken()
    backend.isDown = true
    await expect(sessions.commit(session)).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE' })
  })

  test('of which anything was changed, cut off or added is wrong', async () => {
    const { sessions } = setUp()
    const session = await sessions.load(undefined)
    const token = session.csrfToken()
    const spoilt = Array.from({ length: token.length }, (_, at) => [
      `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`,
      token.slice(0, at),
      token.slice(at + 1),
    ])
    const odd = [`${token}A`, `${token}=`, ` ${token}`, 'é'.repeat(token.length), 'a'.repeat(100_000)]
    for (const wrong of [...spoilt.flat(), ...odd].filter((each) => each !== '')) {
      expect(() => checkCsrf(session, wrong)).toThrow(rejected('wrong'))
    }
    for (const none of [undefined, null, '', 0, {}, [token]]) {
      expect(() => checkCsrf(session, none)).toThrow(rejected('missing'))
    }
  })
})

describe('the middleware', () => {
  const servers: RunningServer[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })

  async function open(options?: CsrfOptions) {
    const app = express()
    app.use(mount(createSessions({ secret: 'for tests only', backend: new MemorySessionBackend() })))
    app.use(express.urlencoded({ extended: false }), express.json())
    app.get('/form', (request, response) => void response.send(tokenOf(request)))
    app.use(csrf(options))
    app.all('/change', (_request, response) => void response.send('changed'))
    app.use(((error, _request, response, _next) => {
      response.status(error.status ?? 500).send(error.reason ?? error.message)
    }) as express.ErrorRequestHandler)
    const server = await serve(app)
    servers.push(server)
    const form = await fetch(`${server.url}/form`)
    const cookie = cookieOf(form.headers.getSetCookie()[0])
    const token = await form.text()
    const send = async (headers: Record<string, string> = {}, body?: string, method = 'POST') => {
      const response = await fetch(`${server.url}/change`, {
        method,
        headers: { cookie, ...headers },
        ...(body === undefined ? {} : { body }),
      })
      return [response.status, await response.text()]
    }
    return { token, send, url: server.url }
  }

  const form = { 'content-type': 'application/x-www-form-urlencoded' }

  test('lets a request with a token through, by header or field, and one that only reads without', async () => {
    const { token, send } = await open()
    expect(await send({ 'x-csrf-token': token })).toEqual([200, 'changed'])
    expect(await send({ 'x-xsrf-token': token })).toEqual([200, 'changed'])
    expect(await send(form, `_csrf=${token}`)).toEqual([200, 'changed'])
    expect(await send({ 'x-csrf-token': token }, undefined, 'DELETE')).toEqual([200, 'changed'])
    expect(await send({}, undefined, 'GET')).toEqual([200, 'changed'])
    expect(await send({}, undefined, 'OPTIONS')).toEqual([200, 'changed'])
  })

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])(
    'refuses a %s without its token',
    async (method) => {
      const { send } = await open()
      expect(await send({}, undefined, method)).toEqual([403, 'missing'])
      expect(await send({ 'x-csrf-token': 'made-up' }, undefined, method)).toEqual([403, 'wrong'])
    },
  )

  test('takes no list and no object for a token', async () => {
    const { token, send } = await open()
    expect(await send(form, `_csrf[]=${token}`)).toEqual([403, 'missing'])
    const json = { 'content-type': 'application/json' }
    expect(await send(json, JSON.stringify({ _csrf: [token] }))).toEqual([403, 'missing'])
    expect(await send(json, '["_csrf"]')).toEqual([403, 'missing'])
    expect(await send({ 'x-csrf-token': `${token}, ${token}` })).toEqual([403, 'wrong'])
  })

  test('refuses a visitor without a session, whatever the token: a login is worth forging too', async () => {
    const { token, send } = await open()
    expect(await send({ cookie: '', 'x-csrf-token': token })).toEqual([403, 'wrong'])
  })

  test('refuses what another site has sent, with a token too, unless that site was named', async () => {
    const { token, send } = await open({ origins: ['https://app.example.com'] })
    const sendWith = (headers: Record<string, string>) => send({ 'x-csrf-token': token, ...headers })
    expect(await sendWith({ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' })).toEqual([
      403,
      'foreign',
    ])
    expect(await sendWith({ origin: 'https://evil.example' })).toEqual([403, 'foreign'])
    expect(await sendWith({ origin: 'no origin' })).toEqual([403, 'foreign'])
    expect(await sendWith({ 'sec-fetch-site': 'cross-site', origin: 'https://app.example.com' })).toEqual([
      200,
      'changed',
    ])
  })

  test.each(['same-origin', 'same-site', 'none'])(
    'asks for the token where the browser says %s',
    async (site) => {
      const { token, send } = await open()
      expect(await send({ 'sec-fetch-site': site })).toEqual([403, 'missing'])
      expect(await send({ 'sec-fetch-site': site, 'x-csrf-token': token })).toEqual([200, 'changed'])
    },
  )

  test('takes an origin of its own host, and one that the browser keeps for itself', async () => {
    const { token, send, url } = await open()
    expect(await send({ origin: url, 'x-csrf-token': token })).toEqual([200, 'changed'])
    expect(await send({ origin: 'null', 'x-csrf-token': token })).toEqual([200, 'changed'])
  })

  test('passes what `ignore` takes on itself, and refuses where that throws', async () => {
    const { send } = await open({
      ignore: ({ headers }) => {
        if (headers['x-hook'] === 'broken') throw new Error('no signature')
        return headers['x-hook'] === 'signed'
      },
    })
    expect(await send({ 'x-hook': 'signed' })).toEqual([200, 'changed'])
    expect(await send({ 'x-hook': 'broken' })).toEqual([500, 'no signature'])
    expect(await send()).toEqual([403, 'missing'])
  })

  test('reads the header and field that it is told, and no others', async () => {
    const { token, send } = await open({ header: 'X-Token', field: 'proof' })
    expect(await send({ 'x-token': token })).toEqual([200, 'changed'])
    expect(await send(form, `proof=${token}`)).toEqual([200, 'changed'])
    expect(await send({ 'x-csrf-token': token })).toEqual([403, 'missing'])
  })

  test('refuses options that it does not know, and origins that are none', () => {
    const unknown: object = { headers: 'x' }
    expect(() => csrf(unknown)).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION' }))
    for (const origin of ['app.example.com', 'https://app.example.com/', '*', '']) {
      expect(() => csrf({ origins: [origin] })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    }
  })
})

function tokenOf(request: express.Request): string {
  // @types/express-session has its own idea of what this is.
  return (request.session as unknown as { csrfToken(): string }).csrfToken()
}
