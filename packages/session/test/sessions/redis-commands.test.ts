import { keyPrefix, type RedisServer, sharedRedis, startRedis, startTcpProxy } from '@stepladder/core/testing'
import { createSessions, type Sessions, type SessionsOptions } from '@stepladder/session'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, test } from 'vitest'
import { cookieOf } from './set-up.ts'

type Data = Record<string, number>

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function ownRedis(config: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const redis = await startRedis({ config })
  opened.push(() => redis.stop())
  return redis
}

function open(options: Partial<SessionsOptions>): Sessions<Data> {
  const sessions = createSessions<Data>({ secret: 'for tests only', timeout: '5s', ...options })
  opened.push(() => sessions.close())
  return sessions
}

function clientOf(url: string, options: object = {}): Redis {
  const client = new Redis(url, options)
  opened.push(() => client.disconnect())
  return client
}

/** Cookies of so many sessions, each with its number. */
async function begun(sessions: Sessions<Data>, count: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const session = await sessions.load(undefined)
      session.number = number
      return cookieOf(await sessions.commit(session))
    }),
  )
}

/** Reads all of the sessions at once, and writes what was read into them, at once too. */
async function doubled(sessions: Sessions<Data>, cookies: readonly string[]): Promise<unknown[]> {
  const all = await Promise.all(cookies.map((cookie) => sessions.load(cookie)))
  for (const session of all) session.twice = (session.number ?? Number.NaN) * 2
  await Promise.all(all.map((session) => sessions.commit(session)))
  return Promise.all(cookies.map(async (cookie) => (await sessions.load(cookie)).twice))
}

describe('many requests at once are served', () => {
  test('by a server of a cluster whose client knows of none: it refuses commands for many keys', async () => {
    const redis = await ownRedis({ 'cluster-enabled': 'yes' })
    const admin = clientOf(redis.url)
    await admin.call('cluster', 'addslotsrange', 0, 16383)
    const isWell = async () => String(await admin.cluster('INFO')).includes('cluster_state:ok')
    await expect.poll(isWell, { timeout: 15_000 }).toBe(true)
    const sessions = open({ redis: redis.url })
    const cookies = await begun(sessions, 4)

    expect(await doubled(sessions, cookies)).toEqual([0, 2, 4, 6])
    await expect(admin.mget('sess:a', 'sess:b')).rejects.toThrow('CROSSSLOT')
  })

  test('as a user who may use no more commands than before reads went together', async () => {
    const prefix = keyPrefix('acl')
    const { url } = await sharedRedis()
    const admin = clientOf(url)
    const [username, password] = [`app-${prefix}`, 'for-tests']
    const commands = ['+get', '+set', '+getdel', '+evalsha', '+eval', '+info']
    await admin.call('acl', 'setuser', username, 'on', `>${password}`, `~${prefix}*`, ...commands)
    opened.push(() => admin.call('acl', 'deluser', username))
    const client = clientOf(url, { username, password })
    const sessions = open({ redis: client, prefix })
    const cookies = await begun(sessions, 3)

    expect(await doubled(sessions, cookies)).toEqual([0, 2, 4])
    await expect(client.mget(`${prefix}a`)).rejects.toThrow('NOPERM')
  })

  test('each with its own session, though some have ended and Redis has forgotten its scripts', async () => {
    const { url } = await sharedRedis()
    const sessions = open({ redis: url, prefix: keyPrefix('own') })
    const cookies = await begun(sessions, 100)
    const ending = await Promise.all(cookies.slice(30, 60).map((cookie) => sessions.load(cookie)))
    await Promise.all(ending.map((session) => session.destroy()))
    await clientOf(url).script('FLUSH')

    const all = await doubled(sessions, cookies.slice(0, 30).concat(cookies.slice(60)))
    expect(all).toEqual(cookies.map((_, number) => number * 2).filter((twice) => twice < 60 || twice >= 120))
    const numbers = await Promise.all(cookies.map(async (cookie) => (await sessions.load(cookie)).number))
    expect(numbers).toEqual(cookies.map((_, number) => (number < 30 || number >= 60 ? number : undefined)))
  })

  test('in the database of the Redis that the client of the app is in', async () => {
    const { url } = await sharedRedis()
    const prefix = keyPrefix('database')
    const theirs = clientOf(url, { db: 3 })
    const sessions = open({ redis: theirs, prefix })

    expect(await doubled(sessions, await begun(sessions, 2))).toEqual([0, 2])
    expect(await theirs.keys(`${prefix}*`)).toHaveLength(2)
    expect(await clientOf(url).keys(`${prefix}*`)).toEqual([])
  })

  test('through a client of an app that wants numbers as text', async () => {
    const { url } = await sharedRedis()
    const sessions = open({ redis: clientOf(url, { stringNumbers: true }), prefix: keyPrefix('text') })
    const cookies = await begun(sessions, 2)

    expect(await doubled(sessions, cookies)).toEqual([0, 2])
  })
})

test('a timeout of any length is one', async () => {
  const { url } = await sharedRedis()
  const sessions = open({ redis: url, prefix: keyPrefix('patient'), timeout: '60d' })
  expect(await doubled(sessions, await begun(sessions, 2))).toEqual([0, 2])
})

test('one record that is none of ours fails for its own request, whoever asks at the same time', async () => {
  const { url } = await sharedRedis()
  const prefix = keyPrefix('list')
  const sessions = open({ redis: url, prefix })
  const cookies = await begun(sessions, 3)
  const all = await Promise.all(cookies.map((cookie) => sessions.load(cookie)))
  for (const session of all) session.seen = 1
  const admin = clientOf(url)
  const [spoilt = ''] = await admin.keys(`${prefix}*`)
  await admin.del(spoilt)
  await admin.lpush(spoilt, 'a list')

  const ends = await Promise.allSettled(all.map((session) => sessions.commit(session)))

  const failures = ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []))
  expect(failures).toEqual([expect.stringContaining('WRONGTYPE')])
  const seen = await Promise.all(cookies.map(async (cookie) => (await sessions.load(cookie)).seen))
  expect(seen.sort()).toEqual([1, 1, undefined])
})

test('a record with bytes that are no text is written like any other', async () => {
  const { url } = await sharedRedis()
  const prefix = keyPrefix('bytes')
  const sessions = open({ redis: url, prefix })
  const [cookie = ''] = await begun(sessions, 1)
  const admin = clientOf(url)
  const [key = ''] = await admin.keys(`${prefix}*`)
  const bytes = [Buffer.from(`${(await admin.get(key))?.slice(0, -1)},"old":"`), Buffer.of(0xff, 0xfe)]
  await admin.set(key, Buffer.concat([...bytes, Buffer.from('"}')]))

  const session = await sessions.load(cookie)
  session.seen = 1
  await sessions.commit(session)

  expect(await sessions.load(cookie)).toMatchObject({ number: 0, seen: 1, old: '\ufffd\ufffd' })
})

test('an app whose client looks for the master when a replica refuses, finds it for its sessions too', async () => {
  const former = await ownRedis()
  const toFormer = await startTcpProxy({ port: former.port })
  opened.push(() => toFormer.close())
  let isRefused = false
  const client = clientOf(toFormer.url('redis'), {
    reconnectOnError: ({ message }: Error) => {
      isRefused ||= message.includes('READONLY')
      return message.includes('READONLY')
    },
  })
  const sessions = open({ redis: client })
  const [cookie = ''] = await begun(sessions, 1)
  const before = toFormer.accepted
  // Its data stays, since that master is not there.
  await clientOf(former.url).call('replicaof', former.host, 1)

  const session = await sessions.load(cookie)
  session.seen = 1
  await expect(sessions.commit(session)).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE' })

  expect(isRefused).toBe(true)
  await expect.poll(() => toFormer.accepted, { timeout: 5_000 }).toBeGreaterThan(before)
})

test('sessions let go of a frozen Redis within their timeout', async () => {
  const redis = await ownRedis()
  const sessions = open({ redis: redis.url, timeout: 300 })
  await begun(sessions, 1)
  await redis.freeze()

  const startedAt = performance.now()
  await sessions.close()

  // Commands are let go of after four times that.
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  await redis.thaw()
})
