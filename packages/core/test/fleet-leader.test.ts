import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  freePort,
  keyPrefix,
  type NodeProcess,
  type RedisServer,
  seededRandom,
  seeds,
  sharedRedis,
  spawnNode,
  startRedis,
  startTcpProxy,
  type TcpProxy,
} from '@stepladder/core/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openRedisLease } from '../src/adapters/redis-lease.ts'
import { type JournalEntry, overlapsOf, readJournal, turnsOf } from './leader-journal.ts'
import { fixture, startCluster } from './running-cluster.ts'

/** A process of its own, which reaches Redis over a network of its own. */
interface Machine {
  readonly process: NodeProcess
  readonly network: TcpProxy
}

function makeJournal() {
  const folder = mkdtempSync(join(tmpdir(), 'stepladder-fleet-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'journal')
  writeFileSync(file, '')
  const read = () => readJournal(file)
  /** The turn with this number, counted from 1. */
  const turn = (number: number, withinMs = 15_000): Promise<JournalEntry> =>
    within(withinMs, () => {
      const turn = turnsOf(read())[number - 1]
      expect(turn, `turn ${number}`).toBeDefined()
      return turn!
    })
  return { file, read, turn }
}

async function startFleet({
  redisPort,
  lease,
  env = {},
}: {
  redisPort: number
  lease: string
  env?: object
}) {
  const journal = makeJournal()
  const name = keyPrefix('fleet')
  const machines: Machine[] = []
  const join = async (): Promise<Machine> => {
    const network = await startTcpProxy({ port: redisPort })
    const process = spawnNode(fixture('fleet-process.mjs'), {
      execArgv: ['--conditions=@stepladder/source'],
      env: { JOURNAL: journal.file, REDIS_URL: network.url('redis'), NAME: name, LEASE: lease, ...env },
    })
    const machine = { process, network }
    machines.push(machine)
    return machine
  }
  const leader = () => machines.find(({ process }) => process.pid === turnsOf(journal.read()).at(-1)?.pid)!
  onTestFinished(async () => {
    await Promise.all(
      machines.map(async ({ process, network }) => {
        process.kill()
        await process.exited
        await network.close()
      }),
    )
  })
  return { journal, machines, join, leader }
}

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

type Fleet = Awaited<ReturnType<typeof startFleet>>

async function strike(
  { machines, leader, join }: Fleet,
  redis: RedisServer,
  random: () => number,
): Promise<void> {
  const blows = [
    async () => {
      leader().process.kill('SIGKILL')
      await join()
    },
    async () => {
      leader().process.kill('SIGTERM')
      await join()
    },
    async () => leader().network.cut(),
    async () => {
      const { network } = leader()
      network.blackhole()
      await pause(random() * 3_000)
      await network.heal()
    },
    async () => {
      for (const { network } of machines) network.delay(random() * 300)
      await pause(1_000)
      await Promise.all(machines.map(({ network }) => network.heal()))
    },
    async () => {
      await redis.freeze()
      await pause(random() * 3_000)
      await redis.thaw()
    },
    async () => {
      await redis.kill()
      await pause(random() * 1_000)
      await redis.restart()
    },
  ]
  await blows[Math.floor(random() * blows.length)]!()
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Repeats `task` until it succeeds. */
function within<T>(ms: number, task: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(task, { timeout: ms, interval: 20 })
}
