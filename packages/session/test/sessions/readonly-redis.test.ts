import { RecordedReports, type RedisServer, startRedis } from '@stepladder/core/testing'
import { createSessions, type Sessions } from '@stepladder/session'
import { sessions as middleware } from '@stepladder/session/express'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Browser } from '../browser.ts'
import { startApp } from '../express-app.ts'
import { cookieOf, type Data } from './set-up.ts'

describe('with onOutage: readonly, when Redis', () => {
  let redis: RedisServer
  let sessions: Sessions<Data>
  const reports = new RecordedReports()

  beforeEach(async () => {
    redis = await startRedis({ appendonly: true })
    sessions = createSessions<Data>({
      ...{ secret: 'for tests only', redis: redis.url, onOutage: 'readonly', report: reports.report },
    })
    await reports.until('near', 'gap', 10_000)
  })
  afterEach(async () => {
    await sessions.close()
    reports.clear()
    await redis.stop()
  })

  /** Not here: what is written here is read again a moment later. */
  async function begunElsewhere(): Promise<string> {
    const patient = createSessions<Data>({ secret: 'for tests only', redis: redis.url, timeout: '10s' })
    const session = await patient.load(undefined)
    session.user = 'ada'
    const cookie = cookieOf(await patient.commit(session))
    await patient.close()
    return cookie
  }

  test.each([
    ['is frozen', () => redis.freeze(), () => redis.thaw()],
    ['is gone', () => redis.kill(), () => redis.restart()],
  ])('%s, every answer is in time, and it is found again', async (_what, fault, heal) => {
    const cookie = await begunElsewhere()
    const isSeen = async () => (await sessions.load(cookie)).user === 'ada'
    await expect.poll(() => isSeen().catch(() => false), { timeout: 10_000 }).toBe(true)
    await fault()

    for (let n = 0; n < 8; n++) {
      const startedAt = performance.now()
      const session = await sessions.load(cookie)
      expect(session).toMatchObject({ user: 'ada', info: { isStale: true } })
      // The timeout is 200 ms; the rest is a busy machine's.
      expect(performance.now() - startedAt).toBeLessThan(500)
    }
    await heal()

    const isStale = async () => (await sessions.load(cookie)).info.isStale
    await expect.poll(isStale, { timeout: 10_000 }).toBe(false)
  })

  test('is frozen, pages are shown over HTTP, and what would change something is answered 503', async () => {
    const app = await startApp({ middleware: middleware(sessions) })
    const browser = new Browser(app.url, await begunElsewhere())
    const isSeen = async () => (await browser.session()).user === 'ada'
    await expect.poll(() => isSeen().catch(() => false), { timeout: 10_000 }).toBe(true)
    await redis.freeze()

    expect(await browser.session()).toMatchObject({ user: 'ada' })
    for (const path of ['/fields/a', '/increment', '/logout/0']) expect(await browser.post(path)).toBe(503)
    expect(await browser.session()).toMatchObject({ user: 'ada' })
    await redis.thaw()
    await app.close()
  })
})
