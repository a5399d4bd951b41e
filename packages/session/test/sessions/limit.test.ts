import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyPrefix, seeds, sharedPostgres, sharedRedis, spawnNode } from '@stepladder/core/testing'
import {
  KyselySessionBackend,
  RedisSessionBackend,
  type SessionBackend,
  type SessionsOptions,
} from '@stepladder/session'
import { afterEach, describe, expect, test } from 'vitest'
import { postgresDatabase } from '../postgres-database.ts'
import { sqliteDatabase } from '../sqlite-database.ts'
import { aroundCalls, dyingAfter } from './around-calls.ts'
import { type Data, setUp } from './set-up.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

function limited(options: Partial<SessionsOptions<Data>>) {
  const all = { maxPerUser: 2, userOf: ({ user }: Partial<Data>) => user, ...options }
  const up = setUp(all)
  return {
    ...up,
    /** The same in a process that dies after so many calls. */
    crashing(calls: number) {
      const backend = aroundCalls(up.backend, dyingAfter(calls))
      return setUp({ ...all, clock: up.clock }, () => backend).sessions
    },
  }
}

describe('a user who has as many sessions as are allowed', () => {
  test('loses the one that rested longest by one more', async () => {
    const { begun, stored, clock, sessions } = limited({})
    const cookies = [await begun({ user: 'ada' }), await begun({ user: 'ada' })]
    await begun({ user: 'bob' })
    await clock.advance(120_000)
    await sessions.commit(await sessions.load(cookies[0]))

    cookies.push(await begun({ user: 'ada' }))

    expect(await Promise.all(cookies.map(stored))).toEqual([{ user: 'ada' }, {}, { user: 'ada' }])
    expect(await sessions.of('ada').list()).toHaveLength(2)
    expect(await sessions.of('bob').list()).toHaveLength(1)
  })

  test('may begin none, where that is refused, until one has ended', async () => {
    const { begun, stored, sessions, backend } = limited({ onLimit: 'refuse' })
    const cookies = [await begun({ user: 'ada' }), await begun({ user: 'ada' })]

    await expect(begun({ user: 'ada' })).rejects.toMatchObject({
      code: 'SESSION_LIMIT',
      status: 409,
      most: 2,
    })
    expect(await backend.length()).toBe(2)
    expect(await Promise.all(cookies.map(stored))).toEqual([{ user: 'ada' }, { user: 'ada' }])

    await (await sessions.load(cookies[0])).destroy()
    await expect(begun({ user: 'ada' })).resolves.toBeDefined()
  })

  test('keeps the session that was there when a login into it is refused', async () => {
    const { begun, stored, sessions } = limited({ onLimit: 'refuse' })
    await begun({ user: 'ada' })
    await begun({ user: 'ada' })
    const anonymous = await begun({ views: 1 })
    const session = await sessions.load(anonymous)
    session.user = 'ada'

    await expect(sessions.commit(session)).rejects.toMatchObject({ code: 'SESSION_LIMIT' })
    expect(await stored(anonymous)).toEqual({ views: 1 })
  })

  test('may regenerate a session: that is not one more', async () => {
    for (const onLimit of ['end-oldest', 'refuse'] as const) {
      const { begun, stored, sessions } = limited({ onLimit })
      const other = await begun({ user: 'ada' })
      const session = await sessions.load(await begun({ user: 'ada' }))
      await session.regenerate({ keep: true })

      expect(await sessions.of('ada').list()).toHaveLength(2)
      expect(await stored(other)).toEqual({ user: 'ada' })
    }
  })

  test('is not refused because of sessions that a killed process has left in the list', async () => {
    const { begun, crashing, backend, sessions, clock } = limited({ onLimit: 'refuse' })
    const cookie = await begun({ user: 'ada' })
    // Destroyed, and dead before it was taken from the list.
    await (await crashing(2).load(cookie)).destroy()
    await begun({ user: 'ada' })
    await clock.advance(10)
    expect(await backend.users.list('ada')).toHaveLength(2)

    await expect(begun({ user: 'ada' })).resolves.toBeDefined()
    expect(await sessions.of('ada').list()).toHaveLength(2)
  })
})

describe('logins at the same time', () => {
  const [logins, most] = [8, 3]

  async function alive(
    kind: string,
    place: string,
    open: (prefix: string) => SessionBackend,
    arm = '',
    processes = 2,
  ) {
    const prefix = keyPrefix()
    const file = join(__dirname, 'logins.fixture.ts')
    const args = [kind, place, prefix, most, logins, Date.now() + 1_500, arm].map(String)
    const children = Array.from({ length: processes }, () =>
      spawnNode(file, { args, execArgv: ['--conditions=@stepladder/source'] }),
    )
    opened.push(() => Promise.all(children.map((child) => child.stop())))
    const lines = await Promise.all(children.map((child) => child.waitForOutput(/ended (.*)\./)))
    const ends = lines.map(([, json]): { cookies: string[]; failures: string[] } => JSON.parse(json!))

    const { sessions } = setUp({ userOf: ({ user }: Partial<Data>) => user, timeout: '10s' }, () =>
      open(prefix),
    )
    opened.push(() => sessions.close())
    const found = await Promise.all(
      ends.flatMap(({ cookies }) => cookies.map((cookie) => sessions.load(cookie))),
    )
    const listed = (await sessions.of('ada').list()).length
    const failures = new Set(ends.flatMap(({ failures }) => failures))
    return { alive: found.filter(({ user }) => user === 'ada').length, listed, failures: [...failures] }
  }

  const redis = async (arm: string, processes: number) => {
    const { url } = await sharedRedis()
    return alive('redis', url, (prefix) => new RedisSessionBackend({ redis: url, prefix }), arm, processes)
  }

  test.each(seeds(1))('in four processes leave three on Redis (%i)', async () => {
    const { failures, ...left } = await redis('', 4)
    expect(left).toEqual({ alive: most, listed: most })
    // Who was over the limit before the login had ended hears so.
    expect(failures.filter((code) => code !== 'SESSION_ENDED')).toEqual([])
  })

  test('in two processes leave three on Postgres', async () => {
    const server = await sharedPostgres()
    const url = await server.createDatabase()
    const database = postgresDatabase(url)
    opened.push(
      () => server.dropDatabase(url),
      () => database.destroy(),
    )
    const left = await alive('postgres', url, (prefix) => new KyselySessionBackend({ database, prefix }))
    expect(left).toMatchObject({ alive: most, listed: most })
  })

  test('in two processes leave three at most on a SQLite file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stepladder-session-'))
    opened.push(() => rm(folder, { recursive: true }))
    const file = join(folder, 'app.db')
    const database = sqliteDatabase(file)
    opened.push(() => database.destroy())
    const left = await alive('sqlite', file, (prefix) => new KyselySessionBackend({ database, prefix }))
    // A file that is busy for too long refuses logins; none of those counts.
    expect(left.alive).toBeGreaterThan(0)
    expect(left.alive).toBeLessThanOrEqual(most)
  })

  test('in two processes leave too many where the list is looked at first and added to later', async () => {
    expect((await redis('check-then-act', 2)).alive).toBeGreaterThan(most)
  })
})
