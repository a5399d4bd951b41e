import { join } from 'node:path'
import { keyPrefix, sharedRedis, spawnNode, startRedisCluster } from '@stepladder/core/testing'
import { createSessions, RedisSessionBackend, type Sessions } from '@stepladder/session'
import { Cluster, Redis } from 'ioredis'
import { afterEach, describe, expect, test } from 'vitest'
import { cookieOf } from './set-up.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

interface Data {
  user: string
}

function open(redis: string | Cluster, prefix: string): Sessions<Data> {
  const sessions = createSessions<Data>({
    ...{ redis, prefix, secret: 'for tests only', timeout: '5s' },
    userOf: ({ user }) => user,
    maxPerUser: 2,
  })
  opened.push(() => sessions.close())
  return sessions
}

async function login(sessions: Sessions<Data>): Promise<string> {
  const session = await sessions.load(undefined)
  session.user = 'ada'
  return cookieOf(await sessions.commit(session))
}

test('a login with a user sends three commands, five where one session must go; a read sends one', async () => {
  const { url } = await sharedRedis()
  const prefix = keyPrefix()
  const sessions = open(url, prefix)
  const cookie = await login(sessions) // Redis knows the scripts from here on
  const monitor = await new Redis(url).monitor()
  opened.push(() => monitor.disconnect())
  const commands: string[] = []
  // What a script does is not sent by anybody.
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (source !== 'lua' && args.some((arg) => arg.startsWith(prefix))) commands.push(args[0]!.toUpperCase())
  })
  const sent = async (work: () => Promise<unknown>) => {
    commands.length = 0
    await work()
    const last = Promise.withResolvers<void>()
    monitor.on('monitor', (_time: string, args: string[]) => args[1] === `end of ${prefix}` && last.resolve())
    const client = new Redis(url)
    await client.get(`end of ${prefix}`)
    client.disconnect()
    await last.promise
    return [...commands]
  }

  expect(await sent(() => login(sessions))).toEqual(['SET', 'EVALSHA', 'PEXPIRE'])
  expect(await sent(() => login(sessions))).toEqual(['SET', 'EVALSHA', 'GETDEL', 'ZREM', 'PEXPIRE'])
  expect(await sent(async () => sessions.commit(await sessions.load(cookie)))).toEqual(['MGET'])
})

test('nothing is left in Redis without an end', async () => {
  const { url } = await sharedRedis()
  const prefix = keyPrefix()
  const sessions = createSessions<Data>({
    ...{ redis: url, prefix, secret: 'for tests only', timeout: '5s' },
    userOf: ({ user }) => user,
    on: { expired: () => {} },
  })
  opened.push(() => sessions.close())
  await login(sessions)
  await (await sessions.load(await login(sessions))).regenerate({ keep: true })

  const client = new Redis(url)
  opened.push(() => client.disconnect())
  const keys = await client.keys(`${prefix}*`)
  expect(keys.length).toBeGreaterThan(4)
  for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(0)
})

test('a process that is killed in the midst of a login leaves no session for longer than some seconds', async () => {
  const { url } = await sharedRedis()
  const client = new Redis(url)
  opened.push(() => client.disconnect())
  // With one session that must go: put, admit, destroy, remove, touch.
  const kills = [1, 2, 4].map(async (at) => {
    const prefix = keyPrefix()
    const sessions = open(url, prefix)
    await login(sessions)
    await login(sessions)
    const file = join(__dirname, 'killed-login.fixture.ts')
    const args = [url, prefix, String(at)]
    const child = spawnNode(file, { args, execArgv: ['--conditions=@stepladder/source'] })
    opened.push(() => child.stop())
    await child.exited
    expect(child.output).not.toContain('logged in')

    const backend = new RedisSessionBackend({ redis: url, prefix })
    opened.push(() => backend.close())
    const keys = [...(await backend.all()).keys()]
    const restMs = await Promise.all(keys.map((key) => client.pttl(prefix + key)))
    const lasting = keys.filter((_key, place) => restMs[place]! > 60_000)
    const listed = await backend.users.list('ada')
    expect(lasting.filter((key) => !listed.includes(key))).toEqual([])
    expect(lasting.length).toBeLessThanOrEqual(2)
    // The one that was being begun.
    expect(keys.length - lasting.length).toBe(1)
  })
  await Promise.all(kills)
})

describe('on a Redis Cluster', () => {
  test('the sessions of users are listed, limited and ended, whatever slots they are in', async () => {
    const servers = await startRedisCluster()
    const cluster = new Cluster([...servers.urls])
    opened.push(
      () => servers.stop(),
      () => cluster.disconnect(),
    )
    const sessions = open(cluster, keyPrefix())
    const cookies = [await login(sessions), await login(sessions), await login(sessions)]

    expect(await sessions.of('ada').list()).toHaveLength(2)
    const current = await sessions.load(cookies[2])
    expect(await sessions.of('ada').revokeOthers(current)).toBe(1)
    await current.regenerate({ keep: true })
    expect(await sessions.of('ada').list()).toHaveLength(1)
    await sessions.clear()
    expect(await sessions.of('ada').list()).toEqual([])
  })
})
