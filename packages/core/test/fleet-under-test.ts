import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  keyPrefix,
  type NodeProcess,
  type RedisServer,
  spawnNode,
  startTcpProxy,
  type TcpProxy,
} from '@stepladder/core/testing'
import { expect, onTestFinished, vi } from 'vitest'
import { type JournalEntry, readJournal, turnsOf } from './leader-journal.ts'
import { fixture } from './running-cluster.ts'

/** A process of its own, which reaches Redis over a network of its own. */
interface Machine {
  readonly process: NodeProcess
  readonly network: TcpProxy
}

/** What the processes of a test say they do. */
export function makeJournal() {
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

/** Machines that come one by one, each a process with its own way to Redis. */
export async function startFleet({
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

type Fleet = Awaited<ReturnType<typeof startFleet>>

/** One of the things that befall fleets. */
export async function strike(
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

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Repeats `task` until it succeeds. */
export function within<T>(ms: number, task: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(task, { timeout: ms, interval: 20 })
}
