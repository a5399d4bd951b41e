import { readFile } from 'node:fs/promises'
import { openWorkerChannel } from '@stepladder/core'
import { spawnNode } from '@stepladder/core/testing'
import { describe, expect, test, vi } from 'vitest'
import { fixture, type RunningCluster, startCluster } from './running-cluster.ts'

interface Broadcast {
  readonly pid: number
  readonly ms: number
  readonly refused?: string | number
  readonly codes?: readonly string[]
}

/** What each worker has heard by the time that so many have heard something. */
async function heardBy(cluster: RunningCluster, workers: number): Promise<Map<number, unknown[]>> {
  const heard = new Map<number, unknown[]>()
  await within(10_000, async () => {
    const answer = await cluster.json<{ pid: number; heard: unknown[] }>('/heard')
    heard.set(answer.pid, answer.heard)
    expect(heard.size).toBe(workers)
  })
  return heard
}

test('a broadcast reaches every other worker before it resolves', async () => {
  await using cluster = await startCluster({ app: 'channel-app.cjs', workers: 3 })
  await cluster.workerPids(3)
  const { pid: sender, ms } = await cluster.json<Broadcast>('/broadcast/hello')
  // A second is what one that does not answer is waited for.
  expect(ms).toBeLessThan(1_000)
  for (const [pid, messages] of await heardBy(cluster, 3)) {
    expect(messages).toEqual(pid === sender ? [] : ['hello'])
  }
})

test('the order of a sender is kept, long messages arrive whole, and slow handlers are waited for', async () => {
  await using cluster = await startCluster({ app: 'channel-app.cjs' })
  await cluster.workerPids(2)
  const { pid: sender, refused } = await cluster.json<Broadcast>('/broadcast-many/2000')
  expect(refused).toBe(0)
  for (const [pid, messages] of await heardBy(cluster, 2)) {
    expect(messages).toEqual(pid === sender ? [] : Array.from({ length: 2_000 }, (_, n) => n))
  }

  const long = await cluster.json<Broadcast>('/broadcast-long/1048576')
  const receiver = [...(await heardBy(cluster, 2))].filter(([pid]) => pid !== long.pid)
  expect(receiver.map(([, messages]) => messages.at(-1))).toEqual([1_048_576])

  expect((await cluster.json<Broadcast>('/broadcast-slow/200')).ms).toBeGreaterThanOrEqual(198)
  expect((await cluster.json<Broadcast>('/broadcast-slow/60000')).ms).toBeLessThan(5_000)
  // Its handler still runs, but it is no hang: what comes next is waited for as ever.
  expect((await cluster.json<Broadcast>('/broadcast-slow/200')).ms).toBeGreaterThanOrEqual(198)
})

test('what JSON cannot carry, and what is too much at once, is refused; a handler that fails is not hidden', async () => {
  await using cluster = await startCluster({ app: 'channel-app.cjs' })
  const { refused } = await cluster.json<Broadcast>('/broadcast-bigint')
  expect(refused).toMatch(/INVALID_MESSAGE.*"news".*BigInt/)
  // 64 on their way and 10,000 that wait.
  const many = await cluster.json<Broadcast>('/broadcast-many/10100')
  expect(many).toMatchObject({ refused: 36, codes: [null, 'CHANNEL_FULL'] })
  expect(await cluster.workerPids(2)).toHaveLength(2)

  // Its worker ends as with any uncaught exception, which is no reason for the sender to fail.
  expect((await cluster.json<Broadcast>('/broadcast/throw')).refused).toBeUndefined()
  await cluster.supervisor.waitForOutput(/Error: a handler that fails[\s\S]*exited with code 1; replacing it/)
})

// How much memory a process has, Linux tells in a file.
describe.skipIf(process.platform !== 'linux')('a frozen worker', { timeout: 60_000 }, () => {
  test('costs the others a second, the supervisor no memory to speak of, and hears that it missed something', async () => {
    await using cluster = await startCluster({ app: 'channel-app.cjs', flags: ['--hang', 'off'] })
    const pids = await cluster.workerPids(2)
    const before = await residentMB(cluster.supervisor.pid)
    const flood = await fetch(`http://127.0.0.1:${cluster.port}/flood/10000`)
    const frozen = pids.find((pid) => pid !== Number(flood.headers.get('x-pid')))!
    process.kill(frozen, 'SIGSTOP')
    const slowestMs = Number(await flood.text())
    const after = await residentMB(cluster.supervisor.pid)
    process.kill(frozen, 'SIGCONT')
    // The second, and what the machine takes for a hundred messages; 10,000 of them are 164 MB.
    expect(slowestMs).toBeLessThan(3_000)
    expect(after - before).toBeLessThan(100)

    await within(10_000, async () => {
      expect(await cluster.json('/heard')).toMatchObject({ pid: frozen, missed: 1 })
    })
    await within(10_000, async () => {
      const { pid } = await cluster.json<Broadcast>('/broadcast/welcome-back')
      expect(pid).not.toBe(frozen)
    })
    const heard = await heardBy(cluster, 2)
    expect(heard.get(frozen)?.at(-1)).toBe('welcome-back')
  })

  test('(control) makes the primary of a plain cluster hold all that was sent to it', async () => {
    await using cluster = spawnNode(fixture('relaying-cluster.cjs'))
    const [, frozen] = await cluster.waitForOutput(/frozen (\d+)/)
    process.kill(Number(frozen), 'SIGSTOP')
    const before = await residentMB(cluster.pid)
    cluster.kill('SIGUSR2')
    await within(15_000, async () => {
      expect((await residentMB(cluster.pid)) - before).toBeGreaterThan(120)
    })
    process.kill(Number(frozen), 'SIGKILL')
  })
})

test('a process without a supervisor is alone: a broadcast resolves at once, and refuses what it would among others', async () => {
  const channel = openWorkerChannel('news', () => expect.fail('nobody can have spoken'))
  await channel.broadcast('hello')
  await expect(channel.broadcast(1n)).rejects.toMatchObject({ code: 'INVALID_MESSAGE', channel: 'news' })
  await expect(channel.broadcast(() => {})).rejects.toThrow(/JSON has no function/)
  await channel.close()
  await channel.close()
  await expect(channel.broadcast('late')).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' })
})

async function residentMB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024
}

/** Repeats `task` until it succeeds. */
function within<T>(ms: number, task: () => Promise<T>): Promise<T> {
  return vi.waitFor(task, { timeout: ms, interval: 20 })
}
