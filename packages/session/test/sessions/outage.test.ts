import { RecordedReports, type RedisServer, startRedis } from '@stepladder/core/testing'
import type { SessionsOptions } from '@stepladder/session'
import { type SessionsHandler, sessions } from '@stepladder/session/express'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Browser } from '../browser.ts'
import { type RunningApp, startApp } from '../express-app.ts'
import { peers } from './peers.ts'

/** What an answer may take at the most, and what HTTP and a busy machine may add to it here. */
const promisedMs = 250
const slackMs = 250

let redis: RedisServer
const opened: (() => unknown)[] = []
beforeEach(async () => {
  // Else, where the disk is slow, Redis acknowledges what a kill takes away.
  redis = await startRedis({ appendonly: true, config: { appendfsync: 'always' } })
  opened.push(() => redis.stop())
})
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

interface SetUp {
  readonly app: RunningApp
  readonly handle: SessionsHandler<object>
  readonly reports: RecordedReports
  /** Logged in as ada. */
  readonly browser: Browser
}

async function setUp(options: Partial<SessionsOptions> = {}): Promise<SetUp> {
  const reports = new RecordedReports()
  const { report } = reports
  const handle = sessions<object>({ redis: redis.url, secret: 'for tests only', report, ...options })
  opened.push(() => handle.sessions.close())
  const app = await startApp({ middleware: handle })
  opened.push(app.close)
  const browser = new Browser(app.url)
  expect(await browser.post('/login/ada')).toBe(200)
  return { app, handle, reports, browser }
}

/** The status that a request is answered with, which has to come in the time that is promised. */
async function promptStatus({ url }: RunningApp, path: string, cookie = ''): Promise<number> {
  const startedAt = performance.now()
  const [method = '', route = ''] = path.split(' ')
  const response = await new Browser(url, cookie).ask(method as 'GET' | 'POST', route)
  await response.arrayBuffer()
  expect(performance.now() - startedAt).toBeLessThan(promisedMs + slackMs)
  return response.status
}

const outages = {
  frozen: [() => redis.freeze(), () => redis.thaw()],
  killed: [() => redis.kill(), () => redis.restart()],
} as const

describe.each(['frozen', 'killed'] as const)('while Redis is %s', (kind) => {
  const [begin, end] = outages[kind]

  test('each request with a session is answered 503 in time, and all is well when it is back', async () => {
    const { app, browser } = await setUp()
    await begin()
    for (let n = 0; n < 5; n++) expect(await promptStatus(app, 'GET /session', browser.cookie)).toBe(503)
    expect(app.errors[0]).toMatchObject({ code: 'SESSION_UNAVAILABLE' })

    await end()
    await expect.poll(() => browser.session(), { timeout: 10_000 }).toMatchObject({ user: 'ada' })
  })

  test('nobody is told that a login has worked', async () => {
    const { app, browser } = await setUp()
    await begin()
    expect(await promptStatus(app, 'POST /login/bob')).toBe(503)
    expect(await promptStatus(app, 'POST /login/bob', browser.cookie)).toBe(503)
    expect(await promptStatus(app, 'POST /logout/0', browser.cookie)).toBe(503)

    await end()
    await expect.poll(() => browser.session(), { timeout: 10_000 }).toMatchObject({ user: 'ada' })
  })

  test('visitors without a session are served as ever', async () => {
    const { app } = await setUp()
    await begin()
    expect(await promptStatus(app, 'GET /session')).toBe(200)
    await end()
  })

  test('a hundred requests do not wait for each other', async () => {
    const { app, browser } = await setUp()
    await begin()
    const asked = Array.from({ length: 100 }, async () => {
      const startedAt = performance.now()
      const response = await new Browser(app.url, browser.cookie).ask('GET', '/session')
      expect(response.status).toBe(503)
      return performance.now() - startedAt
    })
    expect(Math.max(...(await Promise.all(asked)))).toBeLessThan(promisedMs + 4 * slackMs)
    await end()
  })

  test('with `anonymous`, readers get an empty session, no cookie, and no change is said to be saved', async () => {
    const { app, browser, handle } = await setUp({ onOutage: 'anonymous' })
    await begin()
    const answer = await browser.ask('GET', '/session')
    expect([answer.status, await answer.text(), answer.headers.getSetCookie()]).toEqual([200, '{}', []])
    expect((await handle.sessions.load(browser.cookie)).info.isReadOnly).toBe(true)
    for (const change of ['POST /fields/a', 'POST /login/bob', 'POST /logout/0', 'POST /increment']) {
      expect(await promptStatus(app, change, browser.cookie)).toBe(503)
    }

    await end()
    await expect.poll(() => browser.session(), { timeout: 10_000 }).toMatchObject({ user: 'ada' })
  })
})

test('a Redis that comes up after the app is found without a restart', async () => {
  await redis.kill()
  const handle = sessions({ redis: redis.url, secret: 'for tests only' })
  opened.push(() => handle.sessions.close())
  const app = await startApp({ middleware: handle })
  opened.push(app.close)
  expect(await promptStatus(app, 'POST /login/ada')).toBe(503)
  expect(await promptStatus(app, 'GET /session')).toBe(200)

  await redis.restart()
  const browser = new Browser(app.url)
  await expect.poll(() => browser.post('/login/ada'), { timeout: 10_000 }).toBe(200)
  expect(await browser.session()).toMatchObject({ user: 'ada' })
})

test('a session that was acknowledged is there after Redis was killed and restarted', async () => {
  const { browser } = await setUp()
  expect(await browser.post('/fields/a')).toBe(200)
  await redis.kill()
  await redis.restart()
  await expect.poll(() => browser.session(), { timeout: 10_000 }).toEqual({ user: 'ada', a: true })
})

describe.each(peers)('under express-session, $name', ({ open }) => {
  test('answers nobody while Redis is frozen', async () => {
    const { store, close } = await open(redis.url, 'sess:')
    opened.push(close)
    const app = await startApp({ store })
    opened.push(app.close)
    const browser = new Browser(app.url)
    expect(await browser.post('/login/ada')).toBe(200)

    await redis.freeze()
    await expect(browser.ask('GET', '/session', 1_500)).rejects.toThrow('timeout')
    await redis.thaw()
  })
})
