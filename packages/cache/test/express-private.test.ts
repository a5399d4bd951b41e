import type { Request, RequestHandler } from 'express'
import session from 'express-session'
import { expect, test } from 'vitest'
import { ExpressApp } from './express-app.ts'

/** How many of so many clients, all at once, were given what was made for another. */
async function strangers(site: ExpressApp, clients: number): Promise<number> {
  const asked = Array.from({ length: clients }, async (_, client) => {
    const { body } = await site.ask('/', { headers: { cookie: `id=${client}` } })
    return body === `for ${client}` ? 0 : 1
  })
  return (await Promise.all(asked)).reduce<number>((sum, one) => sum + one, 0)
}

/** Answers each client with what is its own, and says so only by setting its cookie. */
const withCookie: RequestHandler = async (request, response) => {
  const client = request.rawHeaders.find((text) => text.startsWith('id='))!.slice('id='.length)
  await new Promise((resolve) => setTimeout(resolve, 20))
  response.cookie('id', client).send(`for ${client}`)
}

test('an answer that sets a cookie reaches its own client only, with a hundred waiting for it', async () => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached(), withCookie)
  expect(await strangers(site, 100)).toBe(0)
  await site.clock.advance(1_500)
  expect(await strangers(site, 100)).toBe(0)
})

test('the control arm: told that such an answer is for all, it gives it to all', async () => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached({ stripSetCookie: true }), withCookie)
  expect(await strangers(site, 100)).toBe(99)
  const later = await site.ask('/', { headers: { cookie: 'id=late' } })
  expect(later.headers['set-cookie']).toBeUndefined()
})

/** Answers each client with what is its own, and says so nowhere. */
const looks: [name: string, look: RequestHandler][] = [
  ['session', (request, response) => void response.send(`for ${Reflect.get(request, 'session').id}`)],
  [
    'user',
    (request, response) => void response.send(`for ${(request as { user?: { id?: string } }).user?.id}`),
  ],
  ['cookies', (request, response) => void response.send(`for ${request.cookies.id}`)],
  ['headers.cookie', (request, response) => void response.send(`for ${request.get('cookie')!.slice(3)}`)],
  [
    'session, half way through',
    async (request, response) => {
      response.write('for ')
      await new Promise((resolve) => setTimeout(resolve, 20))
      response.end(Reflect.get(request, 'session').id)
    },
  ],
]

/** As session, passport and cookie-parser leave a request. */
const identify: RequestHandler = (request, _response, next) => {
  const id = request.rawHeaders.find((text) => text.startsWith('id='))?.slice('id='.length)
  Object.assign(request, { session: { id }, cookies: { id }, user: undefined })
  next()
}

test.each(looks.filter(([name]) => name !== 'user'))(
  'the answer of a handler that looked at %s reaches its own client only',
  async (_name, look) => {
    await using site = new ExpressApp()
    site.app.get('/', identify, site.cached(), look)
    expect(await strangers(site, 20)).toBe(0)
    await site.clock.advance(1_500)
    expect(await strangers(site, 20)).toBe(0)
  },
)

test.each(looks.filter(([name]) => name !== 'user'))(
  'the control arm: with shareAcrossUsers, what was read of %s goes to strangers',
  async (_name, look) => {
    await using site = new ExpressApp()
    site.app.get('/', identify, site.cached({ shareAcrossUsers: true }), look)
    expect(await strangers(site, 20)).toBe(19)
  },
)

test('what the session looked like to a handler is what it looks like after it', async () => {
  await using site = new ExpressApp()
  const seen: unknown[] = []
  const look: RequestHandler = (request, response) => {
    Object.assign(request, { user: { id: 1 } })
    Reflect.deleteProperty(request, 'cookies')
    Object.assign(Reflect.get(request, 'session'), { visits: 1 })
    response.send('page')
    seen.push(Reflect.get(request, 'user'), Reflect.get(request, 'session'), Object.keys(request))
  }
  site.app.get('/', identify, site.cached(), look)
  await site.ask('/', { headers: { cookie: 'id=7' } })
  expect(seen).toEqual([{ id: 1 }, { id: '7', visits: 1 }, expect.not.arrayContaining(['cookies'])])
})

test('a guard after it is not passed by: its look at the session is the look of the answer', async () => {
  await using site = new ExpressApp()
  const guard: RequestHandler = (request, response, next) => {
    if (Reflect.get(request, 'session').id === 'admin') next()
    else response.status(403).send('no')
  }
  site.app.get('/', identify, site.cached({ statuses: [200, 403] }), guard, (_request, response) => {
    response.send('secret')
  })
  expect((await site.ask('/', { headers: { cookie: 'id=admin' } })).body).toBe('secret')
  expect((await site.ask('/', { headers: { cookie: 'id=eve' } })).body).toBe('no')
  expect((await site.ask('/', { headers: { cookie: 'id=admin' } })).body).toBe('secret')
})

test.each([
  ['Authorization', { authorization: 'Bearer one' }],
  ['a user whom a middleware has found', { 'x-user': 'ada' }],
])("a request with %s is its handler's alone, and gets nothing that others left", async (_name, headers) => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.use((request, _response, next) => {
    if (request.headers['x-user']) Object.assign(request, { user: { name: 'ada' } })
    next()
  })
  site.app.get('/', site.cached(), (_request, response) => void response.send(`run ${++runs}`))
  await site.ask('/')
  expect((await site.ask('/', { headers })).body).toBe('run 2')
  expect((await site.ask('/')).body).toBe('run 1')
  expect((await site.ask('/', { headers, method: 'HEAD' })).headers.age).toBeUndefined()
})

test('told to vary by Authorization, each credential has its own answer', async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached({ vary: ['Authorization'], sharedMaxAge: '1m' }), (_request, response) => {
    response.send(`run ${++runs}`)
  })
  const ask = (authorization: string) => site.ask('/', { headers: { authorization } })
  expect((await ask('Bearer one')).body).toBe('run 1')
  expect((await ask('Bearer two')).body).toBe('run 2')
  const again = await ask('Bearer one')
  expect(again.body).toBe('run 1')
  expect(again.headers).toMatchObject({ vary: 'authorization', 'cache-control': 'private, max-age=0' })
})

test('a key with the credentials of a request lets its handler look at them, and at nothing else', async () => {
  await using site = new ExpressApp()
  let runs = 0
  const page: RequestHandler = (request, response) => {
    runs += 1
    const looked =
      request.query.at === 'session' ? Reflect.get(request, 'session').id : request.headers.authorization
    response.send(`for ${looked}`)
  }
  site.app.get('/', identify, site.cached({ vary: ['authorization'] }), page)
  const runsFor = async (at: string, headers: object) => {
    runs = 0
    const asked = [1, 2].map((id) => site.ask(`/?at=${at}`, { headers: { cookie: `id=${id}`, ...headers } }))
    const bodies = (await Promise.all(asked)).map(({ body }) => body)
    return { runs, bodies }
  }
  const authorization = 'Basic shared'
  expect(await runsFor('token', { authorization })).toEqual({
    runs: 1,
    bodies: [`for ${authorization}`, `for ${authorization}`],
  })
  expect(await runsFor('session', { authorization })).toEqual({ runs: 2, bodies: ['for 1', 'for 2'] })
  expect((await runsFor('token', {})).runs).toBe(1)
})

test('a user known by a cookie is nobody to a key that varies by Authorization', async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.use((request, _response, next) => {
    Object.assign(request, { user: { id: request.headers.cookie } })
    next()
  })
  site.app.get(
    '/',
    site.cached({ vary: ['authorization'] }),
    (_request, response) => void response.send(`run ${++runs}`),
  )
  site.app.get(
    '/mine',
    site.cached({ vary: ['cookie'] }),
    (_request, response) => void response.send(`run ${++runs}`),
  )
  const ask = async (path: string, cookie: string) => (await site.ask(path, { headers: { cookie } })).body
  expect(await ask('/', 'id=1')).toBe('run 1')
  expect(await ask('/', 'id=2')).toBe('run 2')
  expect(await ask('/mine', 'id=1')).toBe('run 3')
  expect(await ask('/mine', 'id=1')).toBe('run 3')
  expect(await ask('/mine', 'id=2')).toBe('run 4')
})

test.each([
  ['Cache-Control', 'private'],
  ['Cache-Control', 'max-age=60, PRIVATE="Set-Cookie"'],
  ['Cache-Control', 'no-store'],
  ['Cache-Control', 'public, no-cache'],
  ['Set-Cookie', 'a=1'],
  ['Vary', '*'],
  ['Vary', 'Accept-Language'],
  ['Content-Range', 'bytes 0-1/4'],
  ['Content-Type', 'text/event-stream'],
  ['Trailer', 'Expires'],
  ['Expires', '0'],
])('a response that says %s: %s is not kept', async (name, value) => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached(), (_request, response) => {
    response.setHeader(name, value)
    response.end(`run ${++runs}`)
  })
  const first = await site.ask('/')
  await site.ask('/')
  await site.clock.advance(1_500)
  expect((await site.ask('/')).body).toBe('run 3')
  // Nor is anybody else told to.
  if (name !== 'Cache-Control') expect(first.headers['cache-control']).toBeUndefined()
})

test.each([201, 302, 400, 401, 403, 500, 503])('a response with status %i is not kept', async (status) => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached(), (_request, response) => void response.status(status).send(`run ${++runs}`))
  await site.ask('/')
  expect((await site.ask('/')).body).toBe('run 2')
})

test('a session that middleware before it begins while the answer is sent keeps that answer out', async () => {
  await using site = new ExpressApp()
  let runs = 0
  const middleware = session({ secret: 'x', resave: false, saveUninitialized: true })
  site.app.get('/', middleware, site.cached(), (_request, response) => void response.send(`run ${++runs}`))
  const first = await site.ask('/')
  expect(first.headers['set-cookie']).toHaveLength(1)
  const second = await site.ask('/')
  expect(second.body).toBe('run 2')
  expect(second.headers['set-cookie']).not.toEqual(first.headers['set-cookie'])
})

test('a session that nobody looks at does not keep a page out', async () => {
  await using site = new ExpressApp()
  let runs = 0
  const middleware = session({ secret: 'x', resave: false, saveUninitialized: false })
  site.app.get('/', middleware, site.cached(), (_request, response) => void response.send(`run ${++runs}`))
  await site.ask('/')
  expect((await site.ask('/')).body).toBe('run 1')
})

test('skip keeps requests out: those of users who are logged in', async () => {
  await using site = new ExpressApp()
  let runs = 0
  const skip = (request: Request) => request.headers.cookie !== undefined
  site.app.get('/', site.cached({ skip }), (_request, response) => void response.send(`run ${++runs}`))
  await site.ask('/')
  expect((await site.ask('/', { headers: { cookie: 'id=1' } })).body).toBe('run 2')
  expect((await site.ask('/')).body).toBe('run 1')
})
