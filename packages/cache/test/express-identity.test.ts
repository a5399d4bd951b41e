import { MemoryStore } from '@stepladder/cache/testing'
import { describe, expect, test } from 'vitest'
import { ExpressApp } from './express-app.ts'

/** Credentials that are no `Authorization`, and what proxies in front of an app say of who has logged in there. */
const headers = [
  'X-API-Key',
  'X-Forwarded-User',
  'X-Auth-Request-Email',
  'X-Amzn-Oidc-Data',
  'X-SSL-Client-Cert',
]

async function bodiesFor(site: ExpressApp, header: string, more: object = {}): Promise<string[]> {
  const bodies: string[] = []
  for (const client of ['ada', 'bob', 'ada']) {
    bodies.push((await site.ask('/', { headers: { [header]: client, ...more } })).body)
  }
  return bodies
}

describe.each(headers)('%s says who asks:', (header) => {
  test('the answer of a handler that looked at it reaches its own client only', async () => {
    await using site = new ExpressApp()
    let runs = 0
    site.app.get('/', site.cached(), (request, response) => {
      response.send(`${++runs} for ${request.get(header)}`)
    })
    expect(await bodiesFor(site, header)).toEqual(['1 for ada', '2 for bob', '3 for ada'])
    expect((await site.ask('/')).body).toBe('4 for undefined')
  })

  test('in the key, each client has its own answer, and no CDN is to keep it', async () => {
    await using site = new ExpressApp()
    let runs = 0
    site.app.get('/', site.cached({ vary: [header], sharedMaxAge: '1m' }), (request, response) => {
      response.send(`${++runs} for ${request.get(header)}`)
    })
    expect(await bodiesFor(site, header)).toEqual(['1 for ada', '2 for bob', '1 for ada'])
    const { headers } = await site.ask('/', { headers: { [header]: 'ada' } })
    expect(headers['cache-control']).toBe('private, max-age=0')
  })

  test('a user found by it is nobody to a key that varies by Cookie', async () => {
    await using site = new ExpressApp()
    site.app.use((request, _response, next) => {
      Object.assign(request, { user: request.get(header) })
      next()
    })
    site.app.get('/', site.cached({ vary: ['cookie'] }), (request, response) => {
      response.send(`for ${Reflect.get(request, 'user')}`)
    })
    const cookie = 'theme=dark'
    expect(await bodiesFor(site, header, { cookie })).toEqual(['for ada', 'for bob', 'for ada'])
  })
})

test('the control arm: with shareAcrossUsers the first answer is for all', async () => {
  await using site = new ExpressApp()
  site.app.get('/', site.cached({ shareAcrossUsers: true }), (request, response) => {
    response.send(`for ${request.get('x-api-key')}`)
  })
  expect(await bodiesFor(site, 'X-API-Key')).toEqual(['for ada', 'for ada', 'for ada'])
})

test('a handler that does not look at it is kept for all', async () => {
  await using site = new ExpressApp()
  let runs = 0
  site.app.get('/', site.cached(), (_request, response) => void response.send(`run ${++runs}`))
  expect(await bodiesFor(site, 'X-API-Key')).toEqual(['run 1', 'run 1', 'run 1'])
})

/** Remembers under which keys it was asked. */
class NotingStore extends MemoryStore {
  readonly keys: string[] = []

  override claim(...args: Parameters<MemoryStore['claim']>) {
    this.keys.push(...args[0].map(({ key }) => key))
    return super.claim(...args)
  }
}

test('what stands in a key is not the secret itself', async () => {
  const store = new NotingStore()
  await using site = new ExpressApp({ store })
  site.app.get('/', site.cached({ vary: ['x-api-key'] }), (_request, response) => void response.send('page'))
  await site.ask('/', { headers: { 'x-api-key': 'secret-of-ada' } })
  expect(store.keys.join()).toContain('x-api-key')
  expect(store.keys.join()).not.toContain('secret-of-ada')
})
