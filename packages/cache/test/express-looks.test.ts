import type { IncomingHttpHeaders } from 'node:http'
import express, { type Request } from 'express'
import { describe, expect, test } from 'vitest'
import { ExpressApp } from './express-app.ts'

type Find = (request: Request) => string | undefined

/** As libraries for sessions make them of Node's: of all that were sent. */
function webHeaders(headers: IncomingHttpHeaders): Headers {
  return new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** Ways to find out who asks, of which a client without a cookie shows nothing. */
const ways: [way: string, find: Find][] = [
  ['headers.cookie', (request) => request.headers.cookie],
  ['get()', (request) => request.get('cookie')],
  ['in', (request) => ('cookie' in request.headers ? request.headers.cookie : undefined)],
  ['a copy of all headers', (request) => ({ ...request.headers }).cookie],
  ['all of them, one by one', (request) => webHeaders(request.headers).get('cookie') ?? undefined],
]

describe('what a handler makes for a client without a cookie is not for one who has a cookie:', () => {
  test.each(ways)('%s', async (_way, find) => {
    await using site = new ExpressApp()
    site.app.get('/', site.cached(), (request, response) => {
      const who = find(request)
      response.send(who === undefined ? 'please log in' : `welcome, ${who}`)
    })
    expect((await site.ask('/')).body).toBe('please log in')
    expect((await site.ask('/', { headers: { cookie: 'id=7' } })).body).toBe('welcome, id=7')
    await site.clock.advance(1_500)
    const both = [site.ask('/'), site.ask('/', { headers: { cookie: 'id=7' } })]
    expect((await Promise.all(both)).map(({ body }) => body)).toEqual(['please log in', 'welcome, id=7'])
  })

  test.each(ways)('the control arm: with shareAcrossUsers it is, by %s', async (_way, find) => {
    await using site = new ExpressApp()
    site.app.get('/', site.cached({ shareAcrossUsers: true }), (request, response) => {
      response.send(find(request) ?? 'please log in')
    })
    await site.ask('/')
    expect((await site.ask('/', { headers: { cookie: 'id=7' } })).body).toBe('please log in')
  })
})

test('a handler that looks at other headers is kept, and finds its request as it was', async () => {
  await using site = new ExpressApp()
  const after: unknown[] = []
  site.app.use((request, response, next) => {
    const { headers } = request
    response.on('finish', () => {
      after.push(request.headers === headers, Object.hasOwn(request, 'headers'))
    })
    next()
  })
  let runs = 0
  site.app.get('/', site.cached(), (request, response) => {
    runs += 1
    response.send(request.get('accept') ?? String(request.headers.host?.length))
  })
  const first = await site.ask('/', { headers: { cookie: 'id=7' } })
  expect((await site.ask('/')).body).toBe(first.body)
  expect(runs).toBe(1)
  expect(after).toEqual([true, false, true, false])
})

describe('a URL that middleware before it has rewritten is part of the key:', () => {
  test.each([
    ['on the app', ''],
    ['on a router', '/shop'],
  ])('%s', async (_where, mount) => {
    await using site = new ExpressApp()
    const router = express.Router()
    router.use((request, _response, next) => {
      const id = request.get('cookie')?.slice('id='.length)
      if (request.path === '/me') request.url = request.url.replace('/me', `/users/${id}`)
      next()
    })
    let runs = 0
    router.get('/users/:id', site.cached(), (request, response) => {
      response.send(`run ${++runs} for ${request.params.id}`)
    })
    router.get('/', site.cached(), (_request, response) => void response.send(`run ${++runs}`))
    site.app.use(mount === '' ? '/' : mount, router)

    const ask = async (path: string, id: number) =>
      (await site.ask(`${mount}${path}`, { headers: { cookie: `id=${id}` } })).body
    expect([await ask('/me', 1), await ask('/me', 2), await ask('/me', 1)]).toEqual([
      ...['run 1 for 1', 'run 2 for 2', 'run 1 for 1'],
    ])
    expect([await ask('/me?b=1&a=2', 1), await ask('/me?a=2&b=1', 1)]).toEqual(['run 3 for 1', 'run 3 for 1'])
    // What a router takes off the URL is no rewriting.
    const root = mount === '' ? '/' : ''
    expect([await ask(`${root}?b=1&a=2`, 1), await ask(`${root}?a=2&b=1`, 2)]).toEqual(['run 4', 'run 4'])
  })
})
