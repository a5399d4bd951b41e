import { RecordedReports, type RedisServer, startRedis } from '@stepladder/core/testing'
import { createSessions, type Sessions, type SessionsOptions } from '@stepladder/session'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cookieOf, type Data } from './set-up.ts'

const fenceMs = 500

describe('with a near cache on Redis', () => {
  let redis: RedisServer
  const opened: Sessions<Data>[] = []
  const reports = new RecordedReports()

  beforeEach(async () => {
    redis = await startRedis()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((sessions) => sessions.close()))
    reports.clear()
    await redis.stop()
  })

  function open(options: Partial<SessionsOptions> = {}): Sessions<Data> {
    const nearCache = { fence: fenceMs }
    const { report } = reports
    const sessions = createSessions<Data>({
      ...{ secret: 'for tests only', redis: redis.url, nearCache, report, timeout: '10s' },
      ...options,
    })
    opened.push(sessions)
    return sessions
  }

  async function begun(sessions: Sessions<Data>, fields: Partial<Data> = { user: 'ada' }): Promise<string> {
    const session = await sessions.load(undefined)
    Object.assign(session, fields)
    return cookieOf(await sessions.commit(session))
  }

  /** Until memory answers: then it is told of changes. */
  async function warm(sessions: Sessions<Data>, cookie: string): Promise<void> {
    await expect.poll(() => isFromMemory(sessions, cookie), { timeout: 5_000, interval: 5 }).toBe(true)
  }

  async function isFromMemory(sessions: Sessions<Data>, cookie: string): Promise<boolean> {
    reports.clear()
    await sessions.load(cookie)
    return reports.outcomes('near').includes('hit')
  }

  test('a thousand reads by two processes send less than a hundred commands, heartbeats included', async () => {
    const [one, two] = [open({ nearCache: true }), open({ nearCache: true })]
    const cookie = await begun(one)
    await warm(one, cookie)
    await warm(two, cookie)

    const sent = await commandsSent(redis, async () => {
      for (let n = 0; n < 500; n++) {
        expect((await one.load(cookie)).user).toBe('ada')
        expect((await two.load(cookie)).user).toBe('ada')
      }
    })

    expect(sent).toBeLessThan(100)
  })

  test('each request has fields of its own', async () => {
    const sessions = open()
    const cookie = await begun(sessions, { cart: { pen: 1 } })
    await warm(sessions, cookie)

    const [one, two] = [await sessions.load(cookie), await sessions.load(cookie)]
    one.cart!.pen = 2

    expect(two.cart).toEqual({ pen: 1 })
    expect((await sessions.load(cookie)).cart).toEqual({ pen: 1 })
  })

  test('what a process wrote or ended itself, it sees at once', async () => {
    const sessions = open()
    const cookie = await begun(sessions, { views: 0 })
    for (let views = 1; views <= 20; views++) {
      await warm(sessions, cookie)
      const session = await sessions.load(cookie)
      session.views = views
      await sessions.commit(session)
      expect((await sessions.load(cookie)).views).toBe(views)
    }
    await warm(sessions, cookie)

    const session = await sessions.load(cookie)
    await session.destroy()

    expect((await sessions.load(cookie)).info.isNew).toBe(true)
  })

  test('what another process wrote, ended, or another program removed, is seen a moment later', async () => {
    const [one, two] = [open(), open()]
    const cookies = await Promise.all([begun(one), begun(one), begun(one)])
    for (const cookie of cookies) await warm(two, cookie)
    const [changed, ended, removed] = cookies as [string, string, string]

    const session = await one.load(changed)
    session.user = 'bob'
    await one.commit(session)
    await expect.poll(async () => (await two.load(changed)).user, { interval: 2 }).toBe('bob')

    await (await one.load(ended)).destroy()
    await expect.poll(async () => (await two.load(ended)).info.isNew, { interval: 2 }).toBe(true)

    const admin = new Redis(redis.url)
    await admin.flushall()
    await expect.poll(async () => (await two.load(removed)).info.isNew, { interval: 2 }).toBe(true)
    admin.disconnect()
  })

  test('load(header, { fresh: true }) and reload() ask Redis', async () => {
    const sessions = open()
    const cookie = await begun(sessions)
    await warm(sessions, cookie)
    const session = await sessions.load(cookie)

    const reads = async () => {
      for (let n = 0; n < 5; n++) await sessions.load(cookie, { fresh: true })
      for (let n = 0; n < 5; n++) await session.reload()
    }

    expect(await commandsSent(redis, reads, /^mget /i)).toBe(10)
  })

  test('a session that is only read from memory is touched all the same, and does not run out', async () => {
    const sessions = open({ idleTimeout: 600, touchAfter: 100 })
    const cookie = await begun(sessions)

    for (const until = Date.now() + 1_500; Date.now() < until; ) {
      const session = await sessions.load(cookie)
      expect(session.user).toBe('ada')
      await sessions.commit(session)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }

    expect(reports.outcomes('near')).toContain('hit')
  })

  test('one that rests longer than it may is over, though memory knows it', async () => {
    const sessions = open({ idleTimeout: 300, touchAfter: 150 })
    const cookie = await begun(sessions)
    await warm(sessions, cookie)

    await expect.poll(async () => (await sessions.load(cookie)).info.isNew, { timeout: 5_000 }).toBe(true)
  })

  test('a listener whose connection breaks listens again', async () => {
    const [one, two] = [open(), open()]
    const cookie = await begun(one)
    await warm(two, cookie)
    const admin = new Redis(redis.url)

    for (let n = 0; n < 3; n++) {
      await admin.call('client', 'kill', 'type', 'pubsub')
      await expect.poll(() => isFromMemory(two, cookie), { timeout: 5_000, interval: 2 }).toBe(false)
      await warm(two, cookie)
    }
    await (await one.load(cookie)).destroy()

    await expect.poll(async () => (await two.load(cookie)).info.isNew, { interval: 2 }).toBe(true)
    admin.disconnect()
  })

  test('a client of the app that puts a prefix before each key is told of the same keys', async () => {
    const client = new Redis(redis.url, { keyPrefix: 'app:' })
    const [one, two] = [open({ redis: client }), open({ redis: client, prefix: 'sess:' })]
    const cookie = await begun(one)
    await warm(two, cookie)

    await (await one.load(cookie)).destroy()

    await expect.poll(async () => (await two.load(cookie)).info.isNew, { interval: 2 }).toBe(true)
    client.disconnect()
  })

  test('nothing that a restarted Redis has lost is remembered', async () => {
    const sessions = open()
    const cookie = await begun(sessions)
    await warm(sessions, cookie)

    await redis.restart({ empty: true })
    const isNew = async () => (await sessions.load(cookie)).info.isNew

    await expect.poll(() => isNew().catch(() => false), { timeout: 10_000 }).toBe(true)
    await warm(sessions, await begun(sessions))
  })

  test('a Redis that may not tell of changes is asked each time, and that is reported once', async () => {
    const admin = new Redis(redis.url)
    await admin.call(
      'acl',
      'setuser',
      'app',
      'on',
      '>pw',
      'allkeys',
      'allchannels',
      '+@all',
      '-client|tracking',
    )
    const sessions = open({ redis: `redis://app:pw@${redis.host}:${redis.port}` })
    const cookie = await begun(sessions)

    expect(await reports.until('follow', 'refused')).toMatchObject({ cause: { name: 'ReplyError' } })
    const reads = async () => {
      for (let n = 0; n < 10; n++) expect((await sessions.load(cookie)).user).toBe('ada')
    }
    expect(await commandsSent(redis, reads, /^mget /i)).toBe(10)
    expect(reports.outcomes('follow')).toEqual(['refused'])
    admin.disconnect()
  })
})

/** Sent by clients while `task` runs; what scripts do inside is no command of its own. */
async function commandsSent(redis: RedisServer, task: () => Promise<void>, which = /^/): Promise<number> {
  const admin = new Redis(redis.url)
  const monitor = await admin.monitor()
  const sent: string[] = []
  monitor.on('monitor', (_time, args: string[], source) => {
    if (source !== 'lua') sent.push(args.join(' '))
  })
  await task()
  // Redis shows commands in their order.
  await admin.echo('that was all')
  await expect.poll(() => sent).toContain('echo that was all')
  monitor.disconnect()
  admin.disconnect()
  return sent.filter((command) => which.test(command) && !command.startsWith('echo ')).length
}
