import { fileURLToPath } from 'node:url'
import {
  type NodeProcess,
  type RedisServer,
  spawnNode,
  startRedis,
  startTcpProxy,
  type TcpProxy,
} from '@stepladder/core/testing'
import { createSessions, type Sessions } from '@stepladder/session'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cookieOf } from './set-up.ts'

const fenceMs = 500

interface Told {
  readonly lastHitAt: number
  readonly lastFoundAt: readonly number[]
}

describe('while four processes read sessions from memory', () => {
  let redis: RedisServer
  let proxy: TcpProxy
  let sessions: Sessions
  const cookies: string[] = []
  const processes: NodeProcess[] = []
  let readers: string[]
  let unfenced: string

  beforeAll(async () => {
    redis = await startRedis()
    proxy = await startTcpProxy({ port: redis.port })
    // Not by the proxy: its faults are the readers' alone.
    sessions = createSessions({ secret: 'for tests only', redis: redis.url, timeout: '10s' })
    for (let n = 0; n < 5; n++) {
      const session = await sessions.load(undefined)
      Object.assign(session, { user: 'ada' })
      cookies.push(cookieOf(await sessions.commit(session)))
    }
    const all = await Promise.all([...Array(4).fill('near'), 'unfenced'].map(start))
    readers = all.slice(0, 4)
    unfenced = all[4]!
  })
  afterAll(async () => {
    await Promise.all(processes.map((each) => each.stop()))
    await sessions.close()
    await proxy.close()
    await redis.stop()
  })

  async function start(kind: string): Promise<string> {
    const file = fileURLToPath(new URL('near-reader.fixture.ts', import.meta.url))
    const args = [proxy.url('redis'), String(fenceMs), kind, ...cookies]
    processes.push(spawnNode(file, { args }))
    const [, url = ''] = await processes.at(-1)!.waitForOutput(/listening at (\S+)\./)
    return url
  }

  async function ask(reader: string): Promise<Told> {
    // Its own answer.
    return (await (await fetch(reader)).json()) as Told
  }

  async function untilAllReadFromMemory(): Promise<void> {
    for (const reader of readers) {
      const since = Date.now()
      await expect.poll(async () => (await ask(reader)).lastHitAt, { timeout: 10_000 }).toBeGreaterThan(since)
    }
  }

  /** When it was acknowledged. */
  async function logout(index: number): Promise<number> {
    const session = await sessions.load(cookies[index])
    await session.destroy()
    return Date.now()
  }

  /** How long after that moment the last read began that found the session. */
  async function lastFound(index: number, after: number, by = readers): Promise<number> {
    const silent = async (reader: string) => {
      await expect
        .poll(async () => Date.now() - (await ask(reader)).lastFoundAt[index]!, { timeout: 10_000 })
        .toBeGreaterThan(1.5 * fenceMs)
      return (await ask(reader)).lastFoundAt[index]!
    }
    return Math.max(...(await Promise.all(by.map(silent)))) - after
  }

  test('a logout elsewhere is obeyed by all of them within the fence', async () => {
    await untilAllReadFromMemory()

    const loggedOutAt = await logout(0)

    expect(await lastFound(0, loggedOutAt)).toBeLessThan(fenceMs)
  })

  test('also where their connections break at that moment, and cannot be made anew', async () => {
    await untilAllReadFromMemory()
    proxy.refuse()
    proxy.cut()

    const loggedOutAt = await logout(1)

    expect(await lastFound(1, loggedOutAt)).toBeLessThan(fenceMs)
    await proxy.accept()
  })

  test('also where the network brings nothing any more, which one that trusts without a fence does not notice', async () => {
    await untilAllReadFromMemory()
    proxy.blackhole()

    const loggedOutAt = await logout(2)

    expect(await lastFound(2, loggedOutAt)).toBeLessThan(fenceMs)
    await expect
      .poll(async () => (await ask(unfenced)).lastFoundAt[2]! - loggedOutAt, { timeout: 10_000 })
      .toBeGreaterThan(1.5 * fenceMs)
    await proxy.heal()
  })

  test('also after their connections broke again and again while they read', async () => {
    for (let n = 0; n < 3; n++) {
      await untilAllReadFromMemory()
      proxy.cut()
    }
    await untilAllReadFromMemory()

    const loggedOutAt = await logout(3)

    expect(await lastFound(3, loggedOutAt)).toBeLessThan(fenceMs)
  })

  test('and while Redis stands still, none reads from memory beyond the fence', async () => {
    await untilAllReadFromMemory()
    await redis.freeze()

    expect(await lastFound(4, Date.now())).toBeLessThan(fenceMs)
    await redis.thaw()
    await untilAllReadFromMemory()
  })
})
