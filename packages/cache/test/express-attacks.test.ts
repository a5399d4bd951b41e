import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { CacheResponseOptions } from '@stepladder/cache/express'
import type { RequestHandler } from 'express'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ExpressApp } from './express-app.ts'

/** As a session middleware and its own handler agree on. */
const nameOf = (request: object): unknown => Reflect.get(request, 'session').name

const warnings: Error[] = []
const note = (warning: Error) => void warnings.push(warning)
beforeEach(() => {
  warnings.length = 0
  process.on('warning', note)
})
afterEach(() => void process.off('warning', note))

/** What a careless handler does: it repeats what it was sent. */
const echo: RequestHandler = (request, response) => {
  // One by one: who copies all of them has the cookie, too.
  const { host, 'x-forwarded-host': forwarded = host, 'x-original-url': url } = request.headers
  response.send(`${request.originalUrl} at ${forwarded} ${JSON.stringify(request.query)} ${url}`)
}

test.each([
  ['Host', { host: 'evil.test' }],
  ['X-Forwarded-Host', { 'x-forwarded-host': 'evil.test' }],
  ['X-Original-URL', { 'x-original-url': '/evil.test' }],
])('what an attacker says by %s reaches no other client', async (_name, headers) => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached(), echo)
  expect((await site.ask('/', { headers })).body).toContain('evil.test')
  expect((await site.ask('/', { headers: { host: 'shop.test' } })).body).not.toContain('evil.test')
  // Nor the other way round: the attacker has an entry of its own.
  expect((await site.ask('/', { headers })).headers.age).toBe('0')
})

test("also where the app's own key leaves them out", async () => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached({ key: () => 'home' }), echo)
  await site.ask('/', { headers: { host: 'evil.test' } })
  expect((await site.ask('/', { headers: { host: 'shop.test' } })).body).not.toContain('evil.test')
})

test('behind a proxy, https and http are two', async () => {
  await using site = new ExpressApp()
  site.app.set('trust proxy', true)
  site.app.get('/', site.cached(), (request, response) => void response.send(request.protocol))
  await site.ask('/', { headers: { 'x-forwarded-proto': 'http' } })
  expect((await site.ask('/', { headers: { 'x-forwarded-proto': 'https' } })).body).toBe('https')
})

test('clients behind one proxy share answers, whatever it says of them', async () => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached(), echo)
  await site.ask('/', {
    headers: { host: 'a.test', 'x-forwarded-for': '1.1.1.1', forwarded: 'for=1.1.1.1;proto=https' },
  })
  const headers = { host: 'a.test', 'x-forwarded-for': '2.2.2.2', forwarded: 'for=2.2.2.2;proto=https' }
  expect((await site.ask('/', { headers })).headers.age).toBe('0')
})

test.each([
  ['/p?b=2&a=1', '/p?a=1&b=2'],
  ['/p?a=1&b=2&a=3', '/p?b=2&a=1&a=3'],
  ['/p?q[x]=1&z=0', '/p?z=0&q[x]=1'],
])('%s and %s are one page', async (one, other) => {
  await using site = new ExpressApp()
  site.app.set('query parser', 'extended')
  site.app.get('/p', site.cached(), (request, response) => void response.json(request.query))
  const first = await site.ask(one)
  expect(await site.ask(other)).toMatchObject({ body: first.body, headers: { age: '0' } })
})

test.each([
  ['/p?a=1&a=2', '/p?a=2&a=1'],
  ['/p?a=1&a[]=2', '/p?a[]=2&a=1'],
  ['/p?a=1&%61=2', '/p?%61=2&a=1'],
  ['/p?b=1&%zz=2&a=3', '/p?a=3&%zz=2&b=1'],
  ['/p?a=1&b', '/p?b=&a=1'],
  ['/p?q=%3Cscript%3E', '/p?q=<script>'],
  ['/p/x%2Fy', '/p/x/y'],
  ['/p/X', '/p/x'],
  ['/p/x', '/p/x/'],
  ['/p//x', '/p/x'],
  ['/p?a=1', '/p?a=1&a'],
])('%s and %s are two, however alike they look', async (one, other) => {
  await using site = new ExpressApp()
  site.app.set('query parser', 'extended')
  site.app.get(['/p', '/p/*rest'], site.cached(), echo)
  await site.ask(one)
  const second = await site.ask(other)
  expect(second.headers.age).toBeUndefined()
  expect(second.body).toContain(other)
})

test('a fragment and a whole URL on the request line make entries of their own', async () => {
  await using site = new ExpressApp()
  site.app.get(/.*/, site.cached(), echo)
  const raw = async (target: string) => {
    const socket = connect(await site.port(), '127.0.0.1')
    socket.end(`GET ${target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`)
    return text(socket)
  }
  await raw('/p?a=1#&b=2')
  expect(await raw('/p?b=2&a=1#')).not.toContain('Age:')
  await raw('http://evil.test/p')
  expect(await raw('/p')).not.toContain('Age:')
})

test.each(['a', 'b'])(
  'a thousand parameters are not sorted: parsers drop the last ones (%s)',
  async (last) => {
    await using site = new ExpressApp()
    site.app.get(
      '/p',
      site.cached(),
      (request, response) => void response.json(Object.keys(request.query).length),
    )
    const many = Array.from({ length: 1_000 }, (_, index) => `x${index}=1`).join('&')
    await site.ask(`/p?${many}&${last}=1`)
    expect((await site.ask(`/p?${last}=1&${many}`)).headers.age).toBeUndefined()
  },
)

test.each([
  ['a method override', { 'x-http-method-override': 'DELETE' }, undefined],
  ['a body', { 'content-type': 'application/json', 'content-length': '2' }, '{}'],
  ['a body in chunks', { 'transfer-encoding': 'chunked' }, '{}'],
])('a GET with %s goes to the handler alone', async (_name, headers, body) => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached(), (_request, response) => void response.send(`run ${++runs}`))
  await site.ask('/', { headers, ...(body ? { body } : {}) })
  expect((await site.ask('/')).body).toBe('run 2')
  expect((await site.ask('/', { headers, ...(body ? { body } : {}) })).body).toBe('run 3')
})

test('a page under an account is no style sheet, whatever its path ends with', async () => {
  await using site = new ExpressApp()
  const account: RequestHandler = (request, response) => {
    response.type('css').send(`the account of ${nameOf(request)}`)
  }
  site.app.use((request, _response, next) => {
    Object.assign(request, { session: { name: request.headers['x-name'] } })
    next()
  })
  site.app.use(site.cached())
  site.app.get('/account/*rest', account)
  expect((await site.ask('/account/x.css', { headers: { 'x-name': 'victim' } })).body).toContain('victim')
  expect((await site.ask('/account/x.css', { headers: { 'x-name': 'eve' } })).body).not.toContain('victim')
})

test('an answer that varies by a header which is not in the key is not kept, and that is said once', async () => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached(), (request, response) => {
    response.vary('Accept-Language').send(`in ${request.headers['accept-language']}`)
  })
  const ask = (language: string) => site.ask('/', { headers: { 'accept-language': language } })
  expect((await ask('de')).body).toBe('in de')
  await site.clock.advance(1_500)
  expect((await ask('en')).body).toBe('in en')
  await expect.poll(() => warnings, { timeout: 10_000 }).toHaveLength(1)
  expect(warnings[0]).toMatchObject({ code: 'RESPONSE_NOT_KEPT', message: expect.stringContaining('`vary`') })
})

test('vary makes an entry of each value, or of what few values it is normalised to', async () => {
  await using site = new ExpressApp()
  const language = (value = '') => (value.startsWith('de') ? 'de' : 'en')
  const vary: CacheResponseOptions['vary'] = { 'Accept-Language': language }
  let runs = 0
  site.app.get('/', site.cached({ vary }), (request, response) => {
    response.vary('Accept-Language').send(`run ${++runs} in ${language(request.headers['accept-language'])}`)
  })
  const ask = async (value: string) => (await site.ask('/', { headers: { 'accept-language': value } })).body
  expect(await ask('de-DE,de;q=0.9')).toBe('run 1 in de')
  expect(await ask('de')).toBe('run 1 in de')
  expect(await ask('fr')).toBe('run 2 in en')
  expect((await site.ask('/')).headers.vary).toBe('Accept-Language')
})

test('a header as long as a request may have is no trouble in a key', async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get(
    '/',
    site.cached({ vary: ['x-long'] }),
    (_request, response) => void response.send(`run ${++runs}`),
  )
  const ask = async (value: string) => (await site.ask('/', { headers: { 'x-long': value } })).body
  expect(await ask('x'.repeat(8_000))).toBe('run 1')
  expect(await ask('x'.repeat(8_001))).toBe('run 2')
  expect(await ask('x'.repeat(8_000))).toBe('run 1')
  expect(await ask('\u00e4'.repeat(300))).toBe('run 3')
})

test('an answer that varies by hundreds of headers is not kept', async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached({ vary: ['x-1'] }), (_request, response) => {
    response
      .set('Vary', Array.from({ length: 500 }, (_, index) => `x-${index}`).join(','))
      .send(`run ${++runs}`)
  })
  await site.ask('/')
  expect((await site.ask('/')).body).toBe('run 2')
})

test('a tag that a client made up breaks out of no header, and is one tag', async () => {
  await using site = new ExpressApp()
  const tags = (request: { params: Record<string, unknown> }) => [`flight:${request.params.id}`, 'a/b']
  site.app.get(
    '/:id',
    site.cached({ tags, surrogateKeys: true }),
    (_request, response) => void response.send('x'),
  )
  const path = `/${encodeURIComponent('7 admin,all\r\nSet-Cookie: a=1 ü')}`
  for (const answer of [await site.ask(path), await site.ask(path)]) {
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(answer.headers['surrogate-key']).toBe(
      'flight:7%20admin%2Call%0D%0ASet-Cookie:%20a%3D1%20%C3%BC a/b',
    )
    expect(String(answer.headers['cache-tag']).split(',')).toHaveLength(2)
  }
})

test('a tag longer than a tag may be costs its client the cache, and nobody the answer', async () => {
  await using site = new ExpressApp()
  const tags = (request: { params: Record<string, unknown> }) => [String(request.params.id)]
  site.app.get('/:id', site.cached({ tags }), (_request, response) => void response.send('page'))
  expect(await site.ask(`/${'x'.repeat(3_000)}`)).toMatchObject({ status: 200, body: 'page' })
})

const good = {
  ...{ kind: 'stored', status: 200, reason: '', headers: [['X-Page', 'a']], removed: [], vary: [] },
  ...{ etag: '"1"', lastModified: null, createdAt: 0, ageMs: 0, ttlMs: 1_000, mustRevalidate: false },
  body: Buffer.from('from the cache'),
}

test.each([
  ['a header with a line break', { headers: [['X-Page', 'a\r\nSet-Cookie: a=1']] }],
  ['a header name with a line break', { headers: [['X:\r\nSet-Cookie', 'a=1']] }],
  ['a cookie', { headers: [['set-cookie', 'a=1']] }],
  ['words after the status with a line break', { reason: 'Fine\r\nSet-Cookie: a=1' }],
  ['a status that is none', { status: 99 }],
  ['a status that is no number', { status: '200' }],
  ['a body that is no bytes', { body: 'text' }],
  ['no headers', { headers: undefined }],
  ['times that are none', { createdAt: Number.NaN }],
  ['another kind', { kind: 'other' }],
])('a stored response with %s is not sent: the handler answers', async (_name, damage) => {
  await using site = new ExpressApp()
  const cacheOf = (value: unknown): CacheResponseOptions['cache'] => ({
    // What a cache types by its loader, Redis may hold in any form.
    getOrSet: async () => value as never,
    get: async () => value,
    delete: async () => 'done',
  })
  const page: RequestHandler = (_request, response) => void response.send('from the handler')
  site.app.get('/good', site.cached({ cache: cacheOf(good) }), page)
  site.app.get('/bad', site.cached({ cache: cacheOf({ ...good, ...damage }) }), page)
  expect((await site.ask('/good')).body).toBe('from the cache')
  expect(await site.ask('/bad')).toMatchObject({ status: 200, body: 'from the handler' })
  expect((await site.ask('/bad', { method: 'HEAD' })).headers.age).toBeUndefined()
})

test.each(['no-cache', 'no-store', 'max-age=0'])(
  'clients cannot force a run by %s, unless told',
  async (control) => {
    await using site = new ExpressApp()
    let runs = 0
    const page: RequestHandler = (_request, response) => void response.send(`run ${++runs}`)
    site.app.get('/deaf', site.cached(), page)
    site.app.get('/told', site.cached({ obeyClients: true }), page)
    const headers = { 'cache-control': control }
    await site.ask('/deaf')
    expect((await site.ask('/deaf', { headers })).body).toBe('run 1')

    await site.ask('/told')
    expect((await site.ask('/told', { headers })).body).toBe('run 3')
    expect((await site.ask('/told')).body).toBe(control === 'no-store' ? 'run 2' : 'run 3')
  },
)
