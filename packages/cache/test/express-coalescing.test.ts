import { AsyncLocalStorage } from 'node:async_hooks'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { ExpressApp } from './express-app.ts'

/** Opens a request by hand, to go away from it; resolves when it is sent. */
async function openRequest(site: ExpressApp, path: string) {
  const socket = connect(await site.port(), '127.0.0.1').on('error', () => {})
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${await site.port()}\r\n\r\n`)
  return socket
}

/** Counts those who have come, and those who have gone. */
function countVisits(site: ExpressApp) {
  const visits = { come: 0, gone: 0 }
  site.app.use((_request, response, next) => {
    visits.come += 1
    response.once('close', () => {
      visits.gone += 1
    })
    next()
  })
  return visits
}

const patient = { timeout: 10_000 }

test('who waits for a client that goes away is answered by another run', async () => {
  await using site = new ExpressApp()
  const visits = countVisits(site)
  let runs = 0
  const gates: (() => void)[] = []
  site.app.get('/', site.cached(), (_request, response) => {
    const run = ++runs
    response.write('from ')
    gates.push(() => response.end(`run ${run}`))
  })
  const first = await openRequest(site, '/')
  await expect.poll(() => runs, patient).toBe(1)
  const waiting = Array.from({ length: 20 }, () => site.ask('/'))
  await expect.poll(() => visits.come, patient).toBe(21)
  expect(runs).toBe(1)

  first.destroy()
  await expect.poll(() => runs, patient).toBe(2)
  gates[1]!()
  const answers = await Promise.all(waiting)
  expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(['200 from run 2']))
  expect(runs).toBe(2)
})

test('an answer that was complete before its client went away is kept', async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached(), (request, response) => {
    runs += 1
    response.send('page')
    request.socket.destroy()
  })
  await openRequest(site, '/')
  await expect.poll(() => runs, patient).toBe(1)
  expect(await site.ask('/')).toMatchObject({ body: 'page', headers: { age: '0' } })
})

test('who goes away while waiting costs no run', async () => {
  await using site = new ExpressApp()
  const visits = countVisits(site)
  let runs = 0
  let answer = () => {}
  site.app.get('/', site.cached(), (_request, response) => {
    runs += 1
    answer = () => response.set('Cache-Control', 'no-store').send('page')
  })
  const first = site.ask('/')
  await expect.poll(() => runs, patient).toBe(1)
  const second = await openRequest(site, '/')
  await expect.poll(() => visits.come, patient).toBe(2)
  second.destroy()
  await expect.poll(() => visits.gone, patient).toBe(1)
  answer()
  await first
  await new Promise((resolve) => setImmediate(resolve))
  expect(runs).toBe(1)
})

test.each([
  ['is shorter than it said', 'Content-Length: 10'],
  ['breaks off', ''],
])('a body that %s is not kept', async (_name, length) => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached(), (request, response) => {
    runs += 1
    if (length) response.setHeader('Content-Length', 10)
    response.write('half')
    // What `pipeline` does when its source fails.
    if (length) response.end(() => request.socket.destroy())
    else setTimeout(() => response.destroy(), 10)
  })
  for (const run of [1, 2]) {
    await site.ask('/').catch(() => {})
    expect(runs).toBe(run)
  }
})

test('a body above the bound is passed on whole, not kept, and nobody waits for its end', async () => {
  await using site = new ExpressApp()
  let runs = 0
  let rest = () => {}
  site.app.get('/', site.cached({ maxBodySize: 1_000 }), (_request, response) => {
    if (++runs > 1) return void response.send('small')
    response.write('x'.repeat(1_001))
    rest = () => response.end('y')
  })
  const first = site.ask('/')
  await expect.poll(() => runs, patient).toBe(1)
  expect((await site.ask('/')).body).toBe('small')
  rest()
  expect((await first).body).toBe(`${'x'.repeat(1_001)}y`)
})

test('a stream of events is passed on as it comes, and nobody waits for its end', async () => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached(), (_request, response) => {
    response.type('text/event-stream').flushHeaders()
    response.write('data: 1\n\n')
  })
  const port = await site.port()
  const clients = await Promise.all([1, 2, 3].map(() => fetch(`http://127.0.0.1:${port}/`)))
  for (const { body } of clients) {
    const reader = body!.getReader()
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('data: 1\n\n')
    await reader.cancel()
  }
})

test("nobody waits longer than half a minute for another's answer", async () => {
  await using site = new ExpressApp()
  const visits = countVisits(site)
  let runs = 0
  site.app.get('/', site.cached(), (_request, response) => {
    if (++runs > 1) response.send('page')
    else response.write('never ending')
  })
  await openRequest(site, '/')
  await expect.poll(() => runs, patient).toBe(1)
  const second = site.ask('/')
  await expect.poll(() => visits.come, patient).toBe(2)
  await site.clock.advance(30_000)
  expect((await second).body).toBe('page')
})

test('a handler runs in the context of its own request', async () => {
  await using site = new ExpressApp()
  const context = new AsyncLocalStorage<string>()
  site.app.use((request, _response, next) => context.run(request.url, next))
  site.app.get('/:id', site.cached(), (_request, response) => void response.send(context.getStore()))
  const paths = Array.from({ length: 20 }, (_, index) => `/${index}`)
  expect((await Promise.all(paths.map((path) => site.ask(path)))).map(({ body }) => body)).toEqual(paths)
})

test('within staleIfError an older answer stands in for a handler that fails, for its first client too', async () => {
  await using site = new ExpressApp()
  let isDown = false
  let runs = 0
  site.app.get('/', site.cached({ staleIfError: '1h' }), (_request, response, next) => {
    runs += 1
    if (!isDown) return void response.set('X-Run', 'good').send('page')
    response.set('X-Run', 'bad')
    next(new Error('down'))
  })
  await site.ask('/')
  isDown = true
  await site.clock.advance(61_000)
  for (const answer of await Promise.all([site.ask('/'), site.ask('/'), site.ask('/', { method: 'HEAD' })])) {
    if (answer.body !== '')
      expect(answer).toMatchObject({ status: 200, body: 'page', headers: { age: '61' } })
    if (answer.body !== '') expect(answer.headers['x-run']).toBe('good')
  }
  expect(runs).toBeLessThanOrEqual(3)
  await site.clock.advance(3_600_000)
  expect(await site.ask('/')).toMatchObject({ status: 500, headers: { 'x-run': 'bad' } })
  expect(site.reports.outcomes('getOrSet')).toContain('stale')
})

test('a handler that fails, and writes after its end, is held back all the same', async () => {
  await using site = new ExpressApp()
  let isDown = false
  site.app.get('/', site.cached({ staleIfError: '1h' }), (_request, response) => {
    if (!isDown) return void response.send('page')
    response.status(500).end('down')
    response.write('and more')
  })
  await site.ask('/')
  isDown = true
  await site.clock.advance(61_000)
  expect(await site.ask('/')).toMatchObject({ status: 200, body: 'page' })
})

test.each([
  ['at once', false],
  ['in pieces', true],
])('a failure written %s, with nothing to stand in for it, goes out as it is', async (_name, inPieces) => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached({ staleIfError: '1h', maxBodySize: 20 }), (_request, response) => {
    response.status(503).set('Retry-After', '5')
    if (inPieces) Readable.from(['so ', 'sorry', ' that we are longer than the bound']).pipe(response)
    else response.send('sorry')
  })
  const answer = await site.ask('/')
  expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
  expect(answer.body).toBe(inPieces ? 'so sorry that we are longer than the bound' : 'sorry')
})

test('what must be revalidated never stands in', async () => {
  await using site = new ExpressApp()
  let isDown = false
  site.app.get('/', site.cached({ staleIfError: '1h' }), (_request, response) => {
    response
      .set('Cache-Control', 'max-age=10, must-revalidate')
      .status(isDown ? 500 : 200)
      .send('page')
  })
  await site.ask('/')
  isDown = true
  await site.clock.advance(11_000)
  expect((await site.ask('/')).status).toBe(500)
  expect((await site.ask('/')).status).toBe(500)
})

test('a cache that refreshes ahead, or is closed, fails no request', async () => {
  await using site = new ExpressApp({ refreshAhead: 0.5 })
  let runs = 0
  site.app.get('/', site.cached(), (_request, response) => void response.send(`run ${++runs}`))
  await site.ask('/')
  await site.clock.advance(40_000)
  for (let ask = 0; ask < 5; ask++) expect((await site.ask('/')).status).toBe(200)
  expect(runs).toBeLessThanOrEqual(2)
  await site.cache.close()
  expect((await site.ask('/')).status).toBe(200)
  expect((await site.ask('/', { method: 'HEAD' })).status).toBe(200)
})
