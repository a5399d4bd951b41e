import type { RequestHandler } from 'express'
import { expect, test } from 'vitest'
import { ExpressApp } from './express-app.ts'

const modified = 'Mon, 01 Jan 2024 00:00:00 GMT'
const later = 'Mon, 01 Jan 2024 00:00:01 GMT'
const earlier = 'Sun, 31 Dec 2023 23:59:59 GMT'
const page: RequestHandler = (_request, response) => {
  response
    .set({ ETag: '"v1"', 'Last-Modified': modified, 'Content-Language': 'en', 'X-Page': 'a' })
    .send('page')
}

test.each([
  [{ 'if-none-match': '"v1"' }, 304],
  [{ 'if-none-match': 'W/"v1"' }, 304],
  [{ 'if-none-match': '"v0", "v1"' }, 304],
  [{ 'if-none-match': '*' }, 304],
  [{ 'if-none-match': '"v0"' }, 200],
  [{ 'if-none-match': 'v1' }, 200],
  [{ 'if-modified-since': modified }, 304],
  [{ 'if-modified-since': later }, 304],
  [{ 'if-modified-since': earlier }, 200],
  [{ 'if-modified-since': 'yesterday' }, 200],
  [{ 'if-none-match': '"v0"', 'if-modified-since': later }, 200],
])('asked with %o, first and later, the answer is %i', async (headers, status) => {
  await using site = new ExpressApp()
  site.app.get('/cold', site.cached(), page)
  site.app.get('/warm', site.cached(), page)
  await site.ask('/warm')

  for (const path of ['/cold', '/warm']) {
    const answer = await site.ask(path, { headers })
    expect(answer).toMatchObject({ status, body: status === 304 ? '' : 'page' })
    expect(answer.headers).toMatchObject({ etag: '"v1"', 'cache-control': 'max-age=0' })
    expect(answer.headers.date).toBeDefined()
    // Of the body that is not there.
    if (status === 304) {
      for (const name of ['content-type', 'content-length', 'content-language']) {
        expect(answer.headers[name]).toBeUndefined()
      }
    }
  }
  // What the first client asked is no matter to the next.
  expect(await site.ask('/cold')).toMatchObject({ status: 200, body: 'page', headers: { age: '0' } })
})

test('a response without a date of its own is as old as it is stored', async () => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached(), (_request, response) => void response.send('page'))
  const { headers } = await site.ask('/')
  await site.clock.advance(5_000)
  const date = (await site.ask('/')).headers.date!
  expect(Math.abs(Date.parse(date) - site.clock.now())).toBeLessThan(10_000)
  expect((await site.ask('/', { headers: { 'if-modified-since': date } })).status).toBe(304)
  expect((await site.ask('/', { headers: { 'if-none-match': headers.etag } })).status).toBe(304)
})

test('conditions count for successes only', async () => {
  await using site = new ExpressApp()
  site.app.get(
    '/',
    site.cached(),
    (_request, response) => void response.status(404).set('ETag', '"v1"').send('no'),
  )
  const headers = { 'if-none-match': '"v1"' }
  expect((await site.ask('/', { headers })).status).toBe(404)
  expect((await site.ask('/', { headers })).status).toBe(404)
})

test('the handler sees no conditions, and middleware before it sees them again', async () => {
  await using site = new ExpressApp()
  const seen: (string | undefined)[] = []
  site.app.use((request, response, next) => {
    response.on('finish', () => void seen.push(request.get('if-none-match')))
    next()
  })
  site.app.get('/', site.cached(), (request, response) => {
    seen.push(request.get('if-none-match'))
    response.send('page')
  })
  await site.ask('/', { headers: { 'if-none-match': '"x"' } })
  await expect.poll(() => seen, { timeout: 10_000 }).toEqual([undefined, '"x"'])
})

test('conditions on writing are for the handler', async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached(), (_request, response) => void response.send(`run ${++runs}`))
  await site.ask('/')
  expect((await site.ask('/', { headers: { 'if-match': '"x"' } })).body).toBe('run 2')
})

test('a part is served by the handler, or all of it where it is stored', async () => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached(), (request, response) => {
    if (request.headers.range) response.status(206).set('Content-Range', 'bytes 0-1/4').send('pa')
    else response.send('page')
  })
  const headers = { range: 'bytes=0-1' }
  expect(await site.ask('/', { headers })).toMatchObject({ status: 206, body: 'pa' })
  expect(await site.ask('/')).toMatchObject({ status: 200, body: 'page' })
  expect(await site.ask('/', { headers })).toMatchObject({ status: 200, body: 'page', headers: { age: '0' } })
})

test('a body gets a strong tag where the app made none, and the same one from then on', async () => {
  await using site = new ExpressApp()
  site.app.get('/:text', site.cached(), (request, response) => void response.end(request.params.text))
  const first = await site.ask('/a')
  expect(first.headers.etag).toMatch(/^"[\w-]{27}"$/)
  expect((await site.ask('/a')).headers.etag).toBe(first.headers.etag)
  expect((await site.ask('/b')).headers.etag).not.toBe(first.headers.etag)
})

test.each([
  [{}, 'max-age=0'],
  [{ maxAge: '10s' }, 'max-age=10'],
  [{ maxAge: 1_999, sharedMaxAge: '1m' }, 'max-age=1, s-maxage=60'],
  [
    { staleWhileRevalidate: '30s', staleIfError: '1h' },
    'max-age=0, stale-while-revalidate=30, stale-if-error=3600',
  ],
] as const)('with %o, browsers and CDNs are told %s', async (options, told) => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached(options), (_request, response) => void response.send('page'))
  expect((await site.ask('/')).headers['cache-control']).toBe(told)
  expect((await site.ask('/')).headers['cache-control']).toBe(told)
})

test("the app's own Cache-Control stands", async () => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached({ maxAge: '1m' }), (_request, response) => {
    response.set('Cache-Control', 'public, max-age=5').send('page')
  })
  expect((await site.ask('/')).headers['cache-control']).toBe('public, max-age=5')
})

test('no CDN is told to keep what sets a cookie, also where it is kept here without', async () => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached({ stripSetCookie: true, sharedMaxAge: '1m' }), (_request, response) => {
    response.cookie('a', '1').send('page')
  })
  const first = await site.ask('/')
  expect(first.headers).toMatchObject({ 'set-cookie': ['a=1; Path=/'], 'cache-control': 'private, no-store' })
  const second = await site.ask('/')
  expect(second.headers['set-cookie']).toBeUndefined()
  expect(second.headers).toMatchObject({ 'cache-control': 'max-age=0, s-maxage=60', age: '0' })
})

test('nor where a middleware before it sets one while the answer comes from here', async () => {
  await using site = new ExpressApp()
  let requests = 0
  site.app.use((_request, response, next) => {
    if (++requests > 1) response.cookie('visit', String(requests))
    next()
  })
  site.app.get('/', site.cached({ sharedMaxAge: '1m' }), (_request, response) => void response.send('page'))
  expect((await site.ask('/')).headers['cache-control']).toBe('max-age=0, s-maxage=60')
  const second = await site.ask('/')
  expect(second.headers).toMatchObject({ age: '0', 'set-cookie': ['visit=2; Path=/'] })
  expect(second.headers['cache-control']).toBe('private, no-store')
})

test('a response that comes from another cache goes on ageing', async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached({ ttl: '1h' }), (_request, response) => {
    response.set({ 'Cache-Control': 'max-age=60', Age: '50' }).send(`run ${++runs}`)
  })
  await site.ask('/')
  await site.clock.advance(9_000)
  expect(await site.ask('/')).toMatchObject({ body: 'run 1', headers: { age: '59' } })
  await site.clock.advance(1_000)
  expect((await site.ask('/')).body).toBe('run 2')
})
