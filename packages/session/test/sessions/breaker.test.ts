import { setTimeout as pause } from 'node:timers/promises'
import { withDeadline } from '@stepladder/core'
import { type Outage, outage, RecordedReports, startRedis } from '@stepladder/core/testing'
import { createSessions, MemorySessionBackend, type SessionBackend } from '@stepladder/session'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cookieOf, type Data } from './set-up.ts'

/** What an answer may take besides the timeout of 200 ms, on a busy machine. */
const slackMs = 300

const secret = 'for tests only'

describe('while a store hangs', () => {
  let faults: Outage<SessionBackend>
  let sessions: ReturnType<typeof createSessions<Data>>
  let cookie: string
  const reports = new RecordedReports()

  beforeEach(async () => {
    faults = outage<SessionBackend>(new MemorySessionBackend())
    sessions = createSessions<Data>({ secret, backend: faults.port, report: reports.report })
    const session = await sessions.load(undefined)
    session.user = 'ada'
    cookie = cookieOf(await sessions.commit(session))
  })
  afterEach(async () => {
    faults.recover()
    await sessions.close()
    reports.clear()
  })

  /** How long the answer took, in milliseconds. */
  async function failing(): Promise<number> {
    const startedAt = performance.now()
    await expect(sessions.load(cookie)).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE', status: 503 })
    return performance.now() - startedAt
  }

  /** Hangs, until nobody waits any more. How long those answers took, in milliseconds. */
  function opened(): Promise<number[]> {
    faults.hang()
    return Promise.all(Array.from({ length: 10 }, failing))
  }

  test('every answer is in time, and after a few that waited, at once', async () => {
    const times = await opened()

    for (let n = 0; n < 500; n++) times.push(await failing())

    expect(Math.max(...times)).toBeLessThan(200 + slackMs)
    expect(times.filter((ms) => ms < 20).length).toBeGreaterThan(450)
    expect(reports.outcomes('closed')).toContain('opened')
  })

  test('each one waits, one after the other, where there is a timeout alone', async () => {
    faults.hang()
    for (let n = 0; n < 4; n++) {
      const startedAt = performance.now()
      await expect(withDeadline('reading', 200, () => faults.port.get('ada'))).rejects.toThrow()
      expect(performance.now() - startedAt).toBeGreaterThan(190)
    }
  })

  test('it is found by itself once it is back, within a second or so', async () => {
    await opened()

    faults.recover()
    const startedAt = performance.now()
    const isBack = () => sessions.load(cookie).then(({ user }) => user === 'ada')

    await expect.poll(() => isBack().catch(() => false), { timeout: 5_000, interval: 10 }).toBe(true)
    expect(performance.now() - startedAt).toBeLessThan(1_500)
    await expect.poll(() => reports.outcomes('half-open'), { timeout: 5_000 }).toContain('closed')
  })

  test('requests without a cookie are answered as ever', async () => {
    await opened()

    expect((await sessions.load(undefined)).info.isNew).toBe(true)
  })
})

describe('nothing is cut short', () => {
  test('where a store refuses at once: the next call that it answers is answered', async () => {
    const faults = outage<SessionBackend>(new MemorySessionBackend())
    const sessions = createSessions<Data>({ secret, backend: faults.port })
    const session = await sessions.load(undefined)
    session.user = 'ada'
    const cookie = cookieOf(await sessions.commit(session))
    faults.refuse()
    for (let n = 0; n < 50; n++) await expect(sessions.load(cookie)).rejects.toThrow()

    faults.recover()

    expect((await sessions.load(cookie)).user).toBe('ada')
    await sessions.close()
  })

  test('where a few calls hang among many that do not', async () => {
    const memory = new MemorySessionBackend()
    let calls = 0
    const get = memory.get.bind(memory)
    memory.get = (id) => (++calls % 4 === 0 ? new Promise(() => {}) : get(id))
    const sessions = createSessions<Data>({ secret, backend: memory })
    const session = await sessions.load(undefined)
    session.user = 'ada'
    const cookie = cookieOf(await sessions.commit(session))

    const load = () => sessions.load(cookie)
    for (let n = 0; n < 3; n++) {
      const ended = await Promise.allSettled(Array.from({ length: 20 }, load))
      expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(15)
    }
    await sessions.close()
  })
})

test('while Redis is frozen, 500 requests are answered in time, most of them at once, and soon after it thaws all is well', async () => {
  const redis = await startRedis()
  const patient = createSessions<Data>({ secret, redis: redis.url, timeout: '10s' })
  const session = await patient.load(undefined)
  session.user = 'ada'
  const cookie = cookieOf(await patient.commit(session))
  const sessions = createSessions<Data>({ secret, redis: redis.url })
  const isBack = () => sessions.load(cookie).then(({ user }) => user === 'ada')
  await expect.poll(() => isBack().catch(() => false), { timeout: 10_000 }).toBe(true)
  await redis.freeze()

  const times: number[] = []
  const isAnswered = async () => {
    const startedAt = performance.now()
    const user = await sessions.load(cookie).then(
      ({ user }) => user,
      () => undefined,
    )
    times.push(performance.now() - startedAt)
    return user === 'ada'
  }
  // Ten come every twenty milliseconds, whether those before are answered or not.
  const requests: Promise<boolean>[] = []
  while (requests.length < 500) {
    for (let n = 0; n < 10; n++) requests.push(isAnswered())
    await pause(20)
  }
  expect(await Promise.all(requests)).not.toContain(true)
  expect(Math.max(...times)).toBeLessThan(200 + slackMs)
  expect(times.filter((ms) => ms < 20).length).toBeGreaterThan(250)

  await redis.thaw()
  const thawedAt = performance.now()
  await expect.poll(isAnswered, { timeout: 5_000, interval: 10 }).toBe(true)
  expect(performance.now() - thawedAt).toBeLessThan(1_500)
  await Promise.all([sessions.close(), patient.close()])
  await redis.stop()
})
