import { once } from 'node:events'
import { createServer } from 'node:net'
import { freePort, keyPrefix, seededRandom, seeds, sharedRedis, startRedis } from '@stepladder/core/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openRedisLease } from '../src/adapters/redis-lease.ts'
import { makeJournal, pause, startFleet, strike, within } from './fleet-under-test.ts'
import { type JournalEntry, overlapsOf, turnsOf } from './leader-journal.ts'
import { startCluster } from './running-cluster.ts'

describe('in a fleet', { timeout: 60_000 }, () => {
  test('one process leads; another follows soon when it resigns, and when its lease is over when it is killed', async () => {
    const { port } = await sharedRedis()
    const { journal, join, leader } = await startFleet({ redisPort: port, lease: '3s' })
    await join()
    const first = await journal.turn(1)
    await join()
    leader().process.kill('SIGTERM')
    const second = await journal.turn(2)
    await join()
    leader().process.kill('SIGKILL')
    const third = await journal.turn(3)
    expect(overlapsOf(journal.read())).toEqual([])
    expect(third.token).toBeGreaterThan(second.token)
    expect(second.token).toBeGreaterThan(first.token)
  })

  test('a machine whose leader is killed keeps the lease: its next one need not wait until it is over', async () => {
    const { url } = await sharedRedis()
    const name = keyPrefix('fleet')
    const journal = makeJournal()
    await using cluster = await startCluster({
      app: 'leader-app.cjs',
      env: { JOURNAL: journal.file, REDIS_URL: url, NAME: name },
    })
    const first = await journal.turn(1)
    process.kill(first.pid, 'SIGKILL')
    const second = await journal.turn(2)
    expect(second.token).toBeGreaterThan(first.token)
    cluster.supervisor.kill('SIGTERM')
    await cluster.supervisor.exited
    expect(overlapsOf(journal.read())).toEqual([])
    expect(journal.read().filter(({ what }) => what === 'end')).toHaveLength(1)

    // Nor need another machine wait a minute, since this one has drained.
    const other = await openRedisLease({ redis: url, name, machine: 'other', commandTimeoutMs: 1_000 })
    expect(await other.take(1_000)).toBeGreaterThan(second.token)
    await other.close()
  })

  test('a leader that Redis does not answer stops before another begins, and may lead again later', async () => {
    await using redis = await startRedis()
    const { journal, join, leader } = await startFleet({ redisPort: redis.port, lease: '2s' })
    await join()
    await journal.turn(1)
    await join()
    const cutOff = leader()
    cutOff.network.blackhole()
    const second = await journal.turn(2)
    expect(second.pid).not.toBe(cutOff.process.pid)
    expect(staleBeyondOneBeat(journal.read())).toEqual([])

    await cutOff.network.heal()
    await redis.kill()
    await within(15_000, () => expect(journal.read().filter(({ what }) => what === 'told')).toHaveLength(2))
    await redis.restart()
    await journal.turn(3)
    expect(staleBeyondOneBeat(journal.read())).toEqual([])
  })

  test.each(seeds(1))(
    'whatever befalls machines, networks and Redis, never two are at it (seed %i)',
    { timeout: 120_000 },
    async (seed) => {
      const random = seededRandom(seed)
      await using redis = await startRedis({ appendonly: true })
      const fleet = await startFleet({ redisPort: redis.port, lease: '2s' })
      await Promise.all([fleet.join(), fleet.join(), fleet.join()])
      await fleet.journal.turn(1)
      for (let blow = 0; blow < 6; blow++) {
        await pause(random() * 1_000)
        await strike(fleet, redis, random)
      }
      const journal = fleet.journal.read()
      expect(staleBeyondOneBeat(journal)).toEqual([])
      const tokens = turnsOf(journal).map(({ token }) => token)
      expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b))
      // In the end somebody leads.
      await within(30_000, () => {
        const before = fleet.journal.read().length
        return within(500, () => expect(fleet.journal.read().length).toBeGreaterThan(before))
      })
    },
  )

  test('a leader that was stopped for longer than its lease does not know it: a resource that looks at the token does', async () => {
    const { port } = await sharedRedis()
    const arrived: number[] = []
    const resource = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => arrived.push(...String(data).trim().split('\n').map(Number)))
    })
    const resourcePort = await freePort()
    await once(resource.listen(resourcePort, '127.0.0.1'), 'listening')
    onTestFinished(() => void resource.close())
    const fleet = await startFleet({
      redisPort: port,
      lease: '1s',
      env: { RESOURCE_PORT: String(resourcePort) },
    })
    await fleet.join()
    const first = await fleet.journal.turn(1)
    await within(5_000, () => expect(arrived).toContain(first.token))
    await fleet.join()

    process.kill(first.pid, 'SIGSTOP')
    const second = await fleet.journal.turn(2)
    await within(5_000, () => expect(arrived).toContain(second.token))
    process.kill(first.pid, 'SIGCONT')
    await within(5_000, () =>
      expect(fleet.journal.read()).toContainEqual({ pid: first.pid, what: 'told', token: first.token }),
    )
    await within(5_000, () =>
      expect(arrived.lastIndexOf(first.token)).toBeGreaterThan(arrived.indexOf(second.token)),
    )

    // Control: a resource that takes all takes from two writers, in turn.
    expect(isOrdered(arrived)).toBe(false)
    expect(isOrdered(acceptedByToken(arrived))).toBe(true)
    expect(acceptedByToken(arrived)).toContain(second.token)
  })
})

/** What a resource does with the token of each write: what comes with a smaller one than the greatest so far, it refuses. */
function acceptedByToken(tokens: readonly number[]): number[] {
  let greatest = 0
  return tokens.filter((token) => {
    if (token < greatest) return false
    greatest = token
    return true
  })
}

function isOrdered(tokens: readonly number[]): boolean {
  return tokens.every((token, at) => at === 0 || tokens[at - 1]! <= token)
}

/**
 * Overlaps, without the one beat of a process that the machine did not let run for a while: its timers ring in
 * the order in which they fell due, and the beat's comes before that of the lease's end.
 */
function staleBeyondOneBeat(journal: readonly JournalEntry[]): JournalEntry[] {
  const forgiven = new Set<number>()
  return overlapsOf(journal).filter(({ what, token }) => {
    if (what === 'told') return false
    if (forgiven.has(token)) return true
    forgiven.add(token)
    return false
  })
}
