import type { IncomingHttpHeaders } from 'node:http'
import type { Request } from 'express'
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
