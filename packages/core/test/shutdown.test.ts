import { mkdtempDisposable, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '@stepladder/core'
import { expect, test, vi } from 'vitest'
import { balanceUntilOut } from './late-balancer.ts'
import { startProbedCluster } from './probed-cluster.ts'
import { fixture, startCluster } from './running-cluster.ts'

/** A cluster that is told to stop just after its balancer has seen it ready. */
async function stopBehindBalancer(shutdownDelay: string, app = 'plain-app.cjs') {
  await using cluster = await startProbedCluster({ app, flags: ['--shutdown-delay', shutdownDelay] })
  const seen = await balanceUntilOut(`http://127.0.0.1:${cluster.port}/pid`, {
    probe: `${cluster.probes}/readyz`,
    everyMs: 400,
    onReady: (probes) => probes === 2 && cluster.supervisor.kill('SIGTERM'),
  })
  return { ...seen, code: (await cluster.supervisor.exited).code }
}

test('behind a balancer that hears late, no request is lost: not ready first, then the end', async () => {
  const { answered, lost, code } = await stopBehindBalancer('3s')
  expect({ lost, code }).toEqual({ lost: [], code: 0 })
  expect(answered).toBeGreaterThan(20)
})

test('control: without the delay the same balancer loses requests', async () => {
  // Where the signal is taken late, the balancer may look just after it, so a single stop may be lucky.
  let lost: readonly string[] = []
  for (let stop = 0; stop < 5 && lost.length === 0; stop++) ({ lost } = await stopBehindBalancer('0s'))
  expect(lost).not.toEqual([])
})

test('told to stop, it is not ready at once, alive, and accepts for the whole delay; a second signal changes nothing', async () => {
  await using cluster = await startProbedCluster({ flags: ['--shutdown-delay', '4s'] })
  expect(await cluster.probe('/readyz')).toMatchObject({
    status: 200,
    body: { status: 'ready', workers: { ready: 2, of: 2 } },
  })
  let answered = 0
  let isOver = false
  const refused: unknown[] = []
  const client = async () => {
    while (!isOver)
      await cluster.json('/pid').then(
        () => answered++,
        (failure) => refused.push(failure),
      )
  }

  cluster.supervisor.kill('SIGTERM')
  const toldAt = performance.now()
  await cluster.supervisor.waitForOutput(/not ready any more, but accepting for another 4 s/)
  const clients = Promise.all([client(), client()])
  expect(await cluster.probe('/readyz')).toMatchObject({ status: 503, body: { status: 'stopping' } })
  expect(await cluster.probe('/livez')).toMatchObject({ status: 200 })
  // The word travels to the workers, some milliseconds.
  await vi.waitFor(async () => expect(await cluster.probe('/readyz', 'app')).toMatchObject({ status: 503 }), {
    timeout: 3_000,
  })
  expect(await cluster.probe('/livez', 'app')).toMatchObject({ status: 200 })
  cluster.supervisor.kill('SIGTERM')
  await cluster.supervisor.waitForOutput(/stopping already/)
  await sleep(1_500 - (performance.now() - toldAt))
  isOver = true
  await clients

  expect(refused).toEqual([])
  expect(answered).toBeGreaterThan(10)
  expect((await cluster.supervisor.exited).code).toBe(0)
  expect(performance.now() - toldAt).toBeGreaterThan(3_990)
})

test('a worker that dies during the delay is replaced, and the new one is not ready either', async () => {
  await using cluster = await startProbedCluster({ workers: 1, flags: ['--shutdown-delay', '30s'] })
  const { pid } = await cluster.json<{ pid: number }>('/pid')
  cluster.supervisor.kill('SIGTERM')
  await cluster.supervisor.waitForOutput(/not ready any more/)
  process.kill(pid, 'SIGKILL')
  await vi.waitFor(
    async () => {
      const answer = await cluster.json<{ pid: number }>('/pid')
      expect(answer.pid).not.toBe(pid)
    },
    { timeout: 40_000 },
  )
  expect(await cluster.probe('/readyz', 'app')).toMatchObject({ status: 503 })
  expect(await cluster.probe('/readyz')).toMatchObject({ status: 503 })
  cluster.supervisor.kill()
}, 60_000)

test.skipIf(process.platform === 'win32')(
  'however many signals come after the first, it ends with its own code',
  async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'stepladder-signals-'))
    // What hangs holds up the end, when no worker is left.
    await symlink(fixture('hanging-notify.sh'), join(folder.path, 'systemd-notify'))
    const env = {
      PATH: `${folder.path}:${process.env.PATH}`,
      NOTIFY_SOCKET: '/nowhere',
      CALLS_FILE: join(folder.path, 'calls'),
    }
    await using cluster = await startCluster({ app: 'plain-app.cjs', workers: 1, env })
    const toldAt = performance.now()
    // It waits for two seconds for the program that is to say that it stops.
    while (performance.now() - toldAt < 1_500) {
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) cluster.supervisor.kill(signal)
      await sleep(100)
    }
    expect(await cluster.supervisor.exited).toEqual({ code: 0, signal: null })
  },
)

test('no reload begins during the delay', async () => {
  await using cluster = await startProbedCluster({ workers: 1, flags: ['--shutdown-delay', '300ms'] })
  cluster.supervisor.kill('SIGTERM')
  await cluster.supervisor.waitForOutput(/not ready any more/)
  cluster.supervisor.kill('SIGHUP')
  expect((await cluster.supervisor.exited).code).toBe(0)
  expect(cluster.supervisor.output).not.toMatch(/takes the place|reloaded\n/)
})
