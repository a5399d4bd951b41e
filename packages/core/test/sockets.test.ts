import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, isRunning } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { startCluster } from './running-cluster.ts'

async function gone(pid: number): Promise<void> {
  await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false), { timeout: 10_000 })
}

/** Over a connection of its own, from that loopback address. */
function ask<T>(port: number, path: string, localAddress = '127.0.0.1'): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path, localAddress, agent: false }, async (response) => {
      // The caller says what its fixture answers.
      resolve(JSON.parse((await response.toArray()).join('')) as T)
    })
    asked.once('error', reject)
  })
}

test.each(['shared', 'dispatch'])(
  '%s: who connects while all workers are dead is answered by the first new one',
  async (distribution) => {
    await using cluster = await startCluster({
      app: 'sockets-app.cjs',
      flags: ['--distribution', distribution],
    })
    const pids = await cluster.workerPids(distribution === 'shared' ? 1 : 2)
    const all = (await ask<{ pid: number }>(cluster.port, '/pid')).pid
    for (const pid of new Set([...pids, all])) process.kill(pid, 'SIGKILL')
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask<{ pid: number }>(cluster.port, '/pid')),
    )
    for (const { pid } of answers) expect(await isRunning(pid)).toBe(true)
  },
)

test.skipIf(process.platform !== 'linux')(
  'control: where each worker has a socket of its own, the port closes with the last of them',
  async () => {
    await using cluster = await startCluster({
      app: 'sockets-app.cjs',
      workers: 1,
      flags: ['--distribution', 'reuseport'],
    })
    expect(cluster.supervisor.output).toMatch(/tcp_migrate_req=1|workers serve/)
    const { pid } = await ask<{ pid: number }>(cluster.port, '/pid')
    // Nobody is to take its place before this has looked.
    cluster.supervisor.kill('SIGSTOP')
    process.kill(pid, 'SIGKILL')
    await vi.waitFor(
      () => expect(ask(cluster.port, '/pid')).rejects.toMatchObject({ code: 'ECONNREFUSED' }),
      { timeout: 10_000 },
    )
    cluster.supervisor.kill('SIGCONT')
  },
)

test("what an app has started ends with its worker, however that one ends, and with the supervisor's", async () => {
  await using cluster = await startCluster({ app: 'sockets-app.cjs', workers: 1 })
  const start = async () => {
    const child = (await ask<{ pid: number }>(cluster.port, '/child')).pid
    expect(await isRunning(child)).toBe(true)
    return child
  }
  const killed = await start()
  process.kill((await ask<{ pid: number }>(cluster.port, '/pid')).pid, 'SIGKILL')
  await gone(killed)

  const reloaded = await start()
  cluster.supervisor.kill('SIGHUP')
  await cluster.supervisor.waitForOutput(/: reloaded/)
  await gone(reloaded)

  const stopped = await start()
  cluster.supervisor.kill('SIGTERM')
  expect((await cluster.supervisor.exited).code).toBe(0)
  await gone(stopped)
})

/** How many of thirty connections, opened one after the other and kept, each worker has that has any. */
async function heldByWorkers(flags: readonly string[]): Promise<number[]> {
  await using cluster = await startCluster({
    app: 'sockets-app.cjs',
    workers: 3,
    flags: ['--distribution', 'dispatch', ...flags],
  })
  const held = Array.from({ length: 30 }, () => connect(cluster.port, '127.0.0.1'))
  const owners = new Map<number, number>()
  for (const socket of held) {
    socket.write('GET /pid HTTP/1.1\r\nHost: x\r\n\r\n')
    const [answer] = await new Promise<string[]>((resolve) =>
      socket.once('data', (data) => resolve([String(data)])),
    )
    const { pid } = JSON.parse(answer!.slice(answer!.indexOf('{'), answer!.lastIndexOf('}') + 1)) as {
      pid: number
    }
    owners.set(pid, (owners.get(pid) ?? 0) + 1)
  }
  for (const socket of held) socket.destroy()
  return [...owners.values()]
}

test('dispatch hands each connection to the worker with the fewest', async () => {
  const counts = await heldByWorkers([])
  expect(counts).toHaveLength(3)
  // A connection of somebody else, such as one that measures, may be among those counted.
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2)
})

test('control: told to go by the address of the client, it hands all of one to one worker', async () => {
  expect(await heldByWorkers(['--balance', 'ip-hash'])).toEqual([30])
})

test('ip-hash: a client finds the same worker each time, and the same place after a reload', async () => {
  await using cluster = await startCluster({
    app: 'sockets-app.cjs',
    workers: 3,
    flags: ['--distribution', 'dispatch', '--balance', 'ip-hash'],
  })
  const clients = Array.from({ length: 24 }, (_, index) => `127.0.0.${index + 2}`)
  const places = () =>
    Promise.all(
      clients.map(async (client) => (await ask<{ instance: string }>(cluster.port, '/pid', client)).instance),
    )
  const before = await places()
  expect(new Set(before).size).toBe(3)
  expect(await places()).toEqual(before)
  cluster.supervisor.kill('SIGHUP')
  await cluster.supervisor.waitForOutput(/: reloaded/, 15_000)
  expect(await places()).toEqual(before)
})

test('dispatch: connections on their way to a worker that dies are answered by another', async () => {
  await using cluster = await startCluster({
    app: 'sockets-app.cjs',
    flags: ['--distribution', 'dispatch', '--balance', 'ip-hash'],
  })
  const { pid } = await ask<{ pid: number }>(cluster.port, '/pid')
  process.kill(pid, 'SIGSTOP')
  // The first ones are offered to the frozen worker, the later ones pass it by.
  const answers = Array.from({ length: 10 }, () => ask<{ pid: number }>(cluster.port, '/pid'))
  await new Promise((resolve) => setTimeout(resolve, 400))
  const passing = await ask<{ pid: number }>(cluster.port, '/pid')
  expect(passing.pid).not.toBe(pid)
  process.kill(pid, 'SIGKILL')
  for (const answer of await Promise.all(answers)) expect(answer.pid).not.toBe(pid)
})

test.each(['shared', 'dispatch'])(
  '%s: ports, paths and errors are what they are for a process alone',
  async (distribution) => {
    const folder = await mkdtemp(join(tmpdir(), 'stepladder-path-'))
    const stranger = createServer()
    const takenPort = await freePort()
    await new Promise<void>((resolve) => stranger.listen(takenPort, resolve))
    const extraPort = await freePort()
    const path = join(folder, 'socket')
    try {
      await using cluster = await startCluster({
        app: 'sockets-app.cjs',
        workers: 1,
        flags: ['--distribution', distribution],
        env: { EXTRA_PORT: String(extraPort), TAKEN_PORT: String(takenPort), SOCKET_PATH: path },
      })
      const answerOf = (route: string) => ask<Record<string, unknown>>(cluster.port, route)
      expect(await answerOf('/open')).toMatchObject({ address: { port: extraPort } })
      expect(
        (await fetch(`http://127.0.0.1:${extraPort}`, { headers: { connection: 'close' } })).status,
      ).toBe(200)
      await answerOf('/close')
      await vi.waitFor(() => expect(fetch(`http://127.0.0.1:${extraPort}`)).rejects.toThrow(), {
        timeout: 10_000,
      })
      expect(await answerOf('/path')).toEqual({ address: path })
      expect(await answerOf('/taken')).toEqual({ code: 'EADDRINUSE' })
      expect(await answerOf('/zero')).toMatchObject({ address: { port: expect.any(Number) } })
      expect(await answerOf('/udp')).toEqual({ code: 'ENOTSUP' })
    } finally {
      stranger.close()
      await rm(folder, { recursive: true })
    }
  },
)

test('an app that leaves its cluster by itself drains, and is replaced', async () => {
  await using cluster = await startCluster({ app: 'sockets-app.cjs', workers: 1 })
  const { pid } = await ask<{ pid: number }>(cluster.port, '/pid')
  expect(await ask(cluster.port, '/leave')).toEqual({})
  await vi.waitFor(async () => expect(await ask(cluster.port, '/pid')).not.toMatchObject({ pid }), {
    timeout: 5_000,
  })
})
