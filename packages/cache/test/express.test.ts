import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { expect, test } from 'vitest'
import { type Answer, ExpressApp } from './express-app.ts'

/** What a client sees of an answer, without what differs by moment and connection. */
function seen({ status, headers, body }: Answer) {
  const { date, age, connection, 'transfer-encoding': chunked, 'content-length': length, ...kept } = headers
  return { status, body, headers: kept }
}

test('a response is made once, and served until its time is over', async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/flights/:id', site.cached({ ttl: '30s' }), (request, response) => {
    response.status(203).set('X-Run', String(++runs)).json({ id: request.params.id })
  })

  const first = await site.ask('/flights/7')
  await site.clock.advance(12_000)
  const second = await site.ask('/flights/7')
  expect(seen(second)).toEqual(seen(first))
  expect(second).toMatchObject({ status: 203, body: '{"id":"7"}', headers: { age: '12', 'x-run': '1' } })
  expect(first.headers.age).toBeUndefined()
  await site.clock.advance(18_000)
  expect((await site.ask('/flights/7')).headers['x-run']).toBe('2')
  expect((await site.ask('/flights/8')).headers['x-run']).toBe('3')
})

const binary = Buffer.from([0, 255, 128, 10, 13, 195, 40])
const file = join(tmpdir(), `stepladder-${process.pid}.html`)
const ways: [name: string, write: (response: Response) => void][] = [
  ['send of a string', (response) => response.send('<p>text</p>')],
  ['send of a buffer', (response) => response.type('bin').send(binary)],
  ['json', (response) => response.json({ a: 'ü' })],
  ['end in one piece', (response) => response.setHeader('Content-Type', 'text/plain').end('plain')],
  [
    'pieces in several encodings',
    (response) => {
      response.write('ab')
      response.write('Y2Q=', 'base64')
      response.write(new Uint8Array([101]))
      response.end('66', 'hex')
    },
  ],
  ['writeHead with an object', (response) => response.writeHead(200, 'Fine', { 'X-One': '1' }).end('x')],
  ['writeHead with a list', (response) => response.writeHead(200, ['X-One', 'a', 'X-One', 'b']).end('x')],
  ['a stream', (response) => Readable.from(['one ', 'two ', 'three']).pipe(response)],
  ['a file', (response) => response.sendFile(file)],
  ['a file stream', (response) => createReadStream(file).pipe(response)],
  ['no body', (response) => response.status(204).end()],
  ['a redirect', (response) => response.redirect(301, '/elsewhere')],
]

test.each(ways)('what is written as %s comes back the same', async (name, write) => {
  await using site = new ExpressApp()
  await writeFile(file, '<!doctype html><title>x</title>')
  let runs = 0
  const respond: RequestHandler = (_request, response) => {
    runs += 1
    write(response)
  }
  site.app.get('/plain', respond)
  site.app.get('/cached', site.cached({ vary: name === 'a redirect' ? ['accept'] : [] }), respond)

  const plain = await site.ask('/plain')
  const first = await site.ask('/cached')
  const second = await site.ask('/cached')
  expect(runs).toBe(2)
  expect(first.body).toBe(plain.body)
  expect(first.status).toBe(plain.status)
  expect(first.headers).toMatchObject(withoutMoment(plain.headers))
  expect(second).toMatchObject({ status: plain.status, body: plain.body })
  expect(second.headers).toMatchObject(withoutMoment(plain.headers))
  expect(second.headers.etag).toMatch(/^(W\/)?".+"$/)
})

function withoutMoment(headers: Answer['headers']) {
  const { date, 'transfer-encoding': chunked, connection, ...kept } = headers
  return kept
}

test('the first client gets each piece as it is written', async () => {
  await using site = new ExpressApp()
  let writeRest = () => {}
  site.app.get('/slow', site.cached(), (_request, response) => {
    response.write('first ')
    writeRest = () => response.end('second')
  })
  const response = await fetch(`http://127.0.0.1:${await site.port()}/slow`)
  const reader = response.body!.getReader()
  expect(Buffer.from((await reader.read()).value!).toString()).toBe('first ')
  writeRest()
  expect(Buffer.from((await reader.read()).value!).toString()).toBe('second')
  expect((await site.ask('/slow')).body).toBe('first second')
})

test('a hundred clients of a cold page cause one run of its handler', async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached(), async (_request, response) => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    response.send(`run ${++runs}`)
  })
  const answers = await Promise.all(Array.from({ length: 100 }, () => site.ask('/')))
  expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['run 1']))
})

test('HEAD is answered from what GET stored, and stores nothing', async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached(), (_request, response) => {
    response.send(`run ${++runs}`)
  })
  await site.ask('/', { method: 'HEAD' })
  expect((await site.ask('/')).body).toBe('run 2')
  const head = await site.ask('/', { method: 'HEAD' })
  expect(head).toMatchObject({ status: 200, body: '', headers: { age: '0', 'content-length': '5' } })
  expect(runs).toBe(2)
})

test('other methods reach their handlers, and change nothing', async () => {
  await using site = new ExpressApp()
  const route = site.cached()
  site.app.all('/', route, (request, response) => {
    response.send(request.method)
  })
  expect((await site.ask('/')).body).toBe('GET')
  expect((await site.ask('/', { method: 'POST' })).body).toBe('POST')
  expect((await site.ask('/')).body).toBe('GET')
})

test('invalidating a tag drops the responses that carry it', async () => {
  await using site = new ExpressApp()
  let runs = 0
  const tags = (request: Request) => ['flights', `flight:${request.params.id}`]
  site.app.get('/flights/:id', site.cached({ tags }), (_request, response) => {
    response.send(`run ${++runs}`)
  })
  await site.ask('/flights/1')
  await site.ask('/flights/2')
  await site.cache.invalidate({ tags: ['flight:1'] })
  expect((await site.ask('/flights/1')).body).toBe('run 3')
  expect((await site.ask('/flights/2')).body).toBe('run 2')
})

test('the time may depend on the response: a 404 shorter, 0 not at all', async () => {
  await using site = new ExpressApp()
  let runs = 0
  const route = site.cached({
    ttl: ({ status, headers, body }) =>
      status === 404 ? '5s' : body.length > 5 && headers['content-type'] ? 0 : '1m',
  })
  site.app.get('/:length', route, (request, response) => {
    runs += 1
    if (request.params.length === 'none') response.sendStatus(404)
    else response.send('x'.repeat(Number(request.params.length)))
  })
  const runsFor = async (path: string, ms: number) => {
    runs = 0
    await site.ask(path)
    await site.clock.advance(ms)
    await site.ask(path)
    return runs
  }
  expect(await runsFor('/none', 4_000)).toBe(1)
  await site.clock.advance(2_000)
  expect(await runsFor('/none', 6_000)).toBe(2)
  expect(await runsFor('/3', 6_000)).toBe(1)
  expect(await runsFor('/9', 0)).toBe(2)
})

test("the app's own max-age bounds the time, and none at all keeps it out", async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/:control', site.cached({ ttl: '1h' }), (request, response) => {
    response.set('Cache-Control', request.params.control).send(`run ${++runs}`)
  })
  await site.ask('/max-age=10')
  await site.clock.advance(9_000)
  expect(await site.ask('/max-age=10')).toMatchObject({
    body: 'run 1',
    headers: { 'cache-control': 'max-age=10' },
  })
  await site.clock.advance(1_000)
  expect((await site.ask('/max-age=10')).body).toBe('run 2')
  for (const control of ['s-maxage=0', 'max-age=0, must-revalidate', 'max-age=soon']) {
    const path = `/${encodeURIComponent(control)}`
    expect((await site.ask(path)).body).not.toBe((await site.ask(path)).body)
  }
  // Addressed to clients, and written by `sendFile` of its own accord.
  expect((await site.ask('/max-age=0')).body).toBe((await site.ask('/max-age=0')).body)
})

test('what middleware before it gives each client stays with that client', async () => {
  await using site = new ExpressApp()
  let requests = 0
  site.app.use((request, response, next) => {
    response.set('X-Request-Id', String(++requests)).set('Vary', 'Origin')
    if (request.headers.origin) response.set('Access-Control-Allow-Origin', request.headers.origin)
    next()
  })
  site.app.get('/', site.cached(), (_request, response) => {
    response.removeHeader('X-Powered-By')
    response.vary('Host').set('X-Page', 'home').send('page')
  })
  await site.ask('/', { headers: { origin: 'https://a.test' } })
  const second = await site.ask('/', { headers: { origin: 'https://b.test' } })
  expect(second.headers).toMatchObject({
    'x-request-id': '2',
    'access-control-allow-origin': 'https://b.test',
    'x-page': 'home',
    age: '0',
  })
  expect(second.headers['x-powered-by']).toBeUndefined()
  expect(second.headers.vary?.toLowerCase()).toBe('origin, host')
})

test('what others add to the headers of one answer is in no later one', async () => {
  await using site = new ExpressApp()
  site.app.use((_request, response, next) => {
    const { end } = response
    // As middleware does that has the last word.
    response.end = function endWithLink(this: Response, ...args: Parameters<typeof end>) {
      response.appendHeader('Link', '<c>')
      return end.apply(response, args)
    } as typeof end
    next()
  })
  site.app.get('/', site.cached(), (_request, response) => {
    response.setHeader('Link', ['<a>', '<b>'])
    response.end('page')
  })
  for (const _ of [1, 2, 3]) expect((await site.ask('/')).headers.link).toBe('<a>, <b>, <c>')
})

test('a route that passes it twice, by app.use and by itself, does not wait for itself', async () => {
  await using site = new ExpressApp()
  site.app.use(site.cached())
  site.app.get('/', site.cached(), (_request, response) => void response.send('page'))
  expect((await site.ask('/', { headers: { cookie: 'lang=de' } })).body).toBe('page')
  expect((await site.ask('/')).headers.age).toBe('0')
})

test("what the app's own functions throw is the app's to handle", async () => {
  await using site = new ExpressApp()
  const fail = () => {
    throw new Error('mine')
  }
  for (const option of ['key', 'tags', 'skip'] as const) {
    site.app.get(`/${option}`, site.cached({ [option]: fail }), (_request, response) => {
      response.send('page')
    })
  }
  const tell: ErrorRequestHandler = (failure, _request, response, _next) => {
    response.status(500).send(failure.message)
  }
  site.app.use(tell)
  for (const option of ['key', 'tags', 'skip']) {
    expect(await site.ask(`/${option}`)).toMatchObject({ status: 500, body: 'mine' })
  }
})

test.each([undefined, '', 7])('a key that is %o is refused, since it would be one for all', async (key) => {
  await using site = new ExpressApp()
  // What JavaScript may return.
  site.app.get(
    '/:id',
    site.cached({ key: () => key as string }),
    (_request, response) => void response.send('page'),
  )
  expect((await site.ask('/1')).status).toBe(500)
})

test('options are checked where the route is made', () => {
  const site = new ExpressApp()
  const make = (options: object) => () => site.cached(options)
  expect(make({ ttl: 0 })).toThrow('option "ttl"')
  expect(make({ ttl: '10 minutes' })).toThrow('option "ttl"')
  expect(make({ cache: {} })).toThrow('option "cache"')
  expect(make({ statuses: [206] })).toThrow('option "statuses"')
  expect(make({ statuses: 200 })).toThrow('option "statuses"')
  expect(make({ tags: ['flights', ''] })).toThrow('option "tags"')
  expect(make({ vary: null })).toThrow('option "vary"')
  expect(make({ vary: ['*'] })).toThrow('option "vary"')
  expect(make({ vary: ['accept language'] })).toThrow('option "vary"')
  expect(make({ key: 'x' })).toThrow('option "key"')
  expect(make({ tag: [] })).toThrow('tags')
})
