import { sleep } from '@stepladder/core'
import { freePort, spawnNode } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { startProbedCluster } from './probed-cluster.ts'
import { fixture } from './running-cluster.ts'

/** A machine with other work on it may take so long for what takes it a second, in milliseconds. */
const patienceMs = 40_000

test('an unmodified app has probes for its whole fleet on a port of their own', async () => {
  await using cluster = await startProbedCluster({ app: 'plain-app.cjs' })
  expect(await cluster.probe('/livez')).toEqual({ status: 200, body: { status: 'alive' } })
  expect(await cluster.probe('/readyz?verbose')).toEqual({
    status: 200,
    body: {
      status: 'ready',
      workers: { ready: 2, of: 2 },
      details: [0, 1].map((instance) => ({ instance, state: 'serving', isReady: true, failing: [] })),
    },
  })
  expect((await fetch(`${cluster.probes}/`)).status).toBe(404)
  // The app itself has no such route.
  expect((await fetch(`http://127.0.0.1:${cluster.port}/livez`)).status).toBe(404)
})

test('the fleet is ready while one worker is, and the checks of its workers decide', async () => {
  await using cluster = await startProbedCluster()
  await cluster.setState('down')
  await cluster.supervisor.waitForOutput(
    /worker \d+ is not ready: its check "database" fails: connect ECONNREFUSED postgres:\/\/\*\*\*@db\n/,
    patienceMs,
  )
  await vi.waitFor(
    async () => {
      const { status, body } = await cluster.probe('/readyz?verbose')
      expect({ status, body }).toMatchObject({
        status: 503,
        body: { status: 'not ready', details: [{ failing: ['database'] }, { failing: ['database'] }] },
      })
    },
    { timeout: patienceMs, interval: 100 },
  )
  // Not ready is no reason not to answer who asks nevertheless.
  expect(await cluster.json('/pid')).toMatchObject({ build: 'up' })

  await cluster.setState('up')
  await cluster.supervisor.waitForOutput(/is ready again/, patienceMs)
  await vi.waitFor(async () => expect(await cluster.probe('/readyz')).toMatchObject({ status: 200 }), {
    timeout: patienceMs,
  })
  expect(cluster.supervisor.output).not.toContain('secret')
}, 60_000)

test('a build whose checks do not pass does not replace the old one, and the reason names the check', async () => {
  await using cluster = await startProbedCluster({ workers: 1, flags: ['--start', '10s'] })
  await cluster.setState('not ready')
  cluster.supervisor.kill('SIGHUP')
  await cluster.supervisor.waitForOutput(
    /The new build did not come up: worker \d+ is not ready: its check "database" fails: .*; the old workers go on serving/,
    patienceMs,
  )
  expect(await cluster.json('/pid')).toMatchObject({ build: 'up' })
}, 60_000)

test.for(['shared', 'dispatch'])(
  '%s: a build whose checks do not pass yet gets no request; when they do, it takes over',
  { timeout: 60_000 },
  async (kind) => {
    await using cluster = await startProbedCluster({ workers: 1, flags: ['--distribution', kind] })
    await cluster.setState('down')
    cluster.supervisor.kill('SIGHUP')
    // The old one, and the new one.
    await cluster.supervisor.waitForOutput(/(is not ready: its check[\s\S]*){2}/, patienceMs)
    for (let asked = 0; asked < 20; asked++) {
      expect(await cluster.json('/pid')).toMatchObject({ build: 'up' })
    }
    await cluster.setState('up again')
    await cluster.supervisor.waitForOutput(/: reloaded\n/, patienceMs)
    expect(await cluster.json('/pid')).toMatchObject({ build: 'down' })
  },
)

test('a reload is no reason for a probe to fail: somebody else serves behind the same port', async () => {
  await using cluster = await startProbedCluster()
  const statuses = new Set<number>()
  let isOver = false
  const probing = async () => {
    while (!isOver) {
      statuses.add((await cluster.probe('/readyz')).status)
      statuses.add((await fetch(`http://127.0.0.1:${cluster.port}/readyz`)).status)
      await sleep(10)
    }
  }
  const probed = probing()
  cluster.supervisor.kill('SIGHUP')
  const reloaded = cluster.supervisor.waitForOutput(/: reloaded\n/, patienceMs).finally(() => {
    isOver = true
  })
  await Promise.all([reloaded, probed])
  expect([...statuses]).toEqual([200])
}, 60_000)

test('before the first worker listens the fleet is alive and not ready', async () => {
  const port = await freePort()
  await using supervisor = spawnNode(fixture('../../bin/stepladder.js'), {
    args: ['run', '--workers', '1', '--health-port', '127.0.0.1:0', fixture('idle.mjs')],
    env: { PORT: String(port) },
    execArgv: ['--conditions=@stepladder/source'],
  })
  const [, probes] = await supervisor.waitForOutput(/probes are answered at (\S+)\/livez/)
  expect((await fetch(`${probes}/livez`)).status).toBe(200)
  const ready = await fetch(`${probes}/readyz`)
  expect({ status: ready.status, body: await ready.json() }).toEqual({
    status: 503,
    body: { status: 'not ready', workers: { ready: 0, of: 1 } },
  })
})

test.for([
  ['65536', 'option --health-port must be a port', 2],
  ['localhost', 'option --health-port must be a port', 2],
  ['::1:9000', 'option --health-port must be a port', 2],
  ['192.0.2.1:9000', 'The health port 192.0.2.1:9000 cannot be used', 1],
] as const)('--health-port %s: %s', async ([address, reason, exitCode]) => {
  await using supervisor = spawnNode(fixture('../../bin/stepladder.js'), {
    args: ['run', '--workers', '1', '--health-port', address, fixture('idle.mjs')],
    execArgv: ['--conditions=@stepladder/source'],
  })
  expect((await supervisor.exited).code).toBe(exitCode)
  expect(supervisor.output).toContain(reason)
})
