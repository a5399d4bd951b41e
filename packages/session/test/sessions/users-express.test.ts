import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createSessions, MemorySessionBackend, type SessionsOptions } from '@stepladder/session'
import { sessions } from '@stepladder/session/express'
import express from 'express'
import { afterEach, expect, test } from 'vitest'

interface Data {
  user: string
  step: number
}

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function startApp(options: Partial<SessionsOptions<Data>>) {
  const all = createSessions<Data>({
    ...{ backend: new MemorySessionBackend(), secret: 'for tests only', cookie: { secure: false } },
    userOf: ({ user }) => user,
    ...options,
  })
  const app = express()
  const handler = sessions(all)
  app.use(handler)
  app.post('/visit', (request, response) => {
    handler.get(request).step = 1
    response.send('visited')
  })
  app.post('/login', (request, response) => {
    handler.get(request).user = 'ada'
    response.send('welcome')
  })
  app.get('/devices', async (request, response) => {
    response.json(await all.of('ada').list(handler.get(request)))
  })
  const server = app.listen(0, '127.0.0.1')
  opened.push(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const send = async (method: string, path: string, cookie = '') => {
    const headers = { cookie, 'user-agent': 'a test' }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers })
    const [shown] = response.headers.getSetCookie()
    return { status: response.status, cookie: shown?.split(';')[0] ?? cookie, text: await response.text() }
  }
  return { all, send }
}

test('a login over HTTP brings a new cookie with the answer, and the page of devices knows this one', async () => {
  const { send } = await startApp({ device: true })
  const before = await send('POST', '/visit')
  const after = await send('POST', '/login', before.cookie)

  expect(after.cookie).not.toBe(before.cookie)
  expect(JSON.parse((await send('GET', '/devices', before.cookie)).text)).toMatchObject([
    { isCurrent: false },
  ])
  const devices = JSON.parse((await send('GET', '/devices', after.cookie)).text)
  expect(devices).toMatchObject([{ isCurrent: true, ip: '127.0.0.1', userAgent: 'a test' }])
})

test('a login that is one too many is answered with 409 and no cookie, not with a welcome', async () => {
  const { send } = await startApp({ maxPerUser: 1, onLimit: 'refuse' })
  await send('POST', '/login')

  const refused = await send('POST', '/login')

  expect(refused).toMatchObject({ status: 409, cookie: '' })
  expect(refused.text).not.toContain('welcome')
})

test('a change that meets the end of all sessions is answered with 401', async () => {
  const { all, send } = await startApp({})
  const { cookie } = await send('POST', '/login')
  await all.of('ada').revokeAll()
  expect(await send('GET', '/devices', cookie)).toMatchObject({ status: 200, text: '[]' })

  const late = await all.load((await send('POST', '/login')).cookie)
  await all.of('ada').revokeAll()
  late.step = 2
  await expect(all.commit(late)).rejects.toMatchObject({ code: 'SESSION_ENDED', status: 401 })
})
