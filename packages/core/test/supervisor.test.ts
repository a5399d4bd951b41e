import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '@stepladder/core'
import { freePort, isRunning, spawnNode } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { canLimitFiles, limitFiles } from './limit-files.ts'
import { fixture, startCluster } from './running-cluster.ts'

test('an unchanged app runs in each worker as it ran alone', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs' })
  expect(await cluster.workerPids(2)).toHaveLength(2)
  expect(await cluster.json('/process')).toEqual({ isMain: true, args: [] })
  const { instance } = await cluster.json<{ instance: string }>('/pid')
  expect(['0', '1']).toContain(instance)
})

test('a killed worker is replaced, and the others serve meanwhile', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs' })
  const [victim, survivor] = await cluster.workerPids(2)
  process.kill(victim!, 'SIGKILL')
  await cluster.supervisor.waitForOutput(/was killed by SIGKILL; replacing it now/)
  expect(await cluster.json('/pid')).toBeTruthy()
  await vi.waitFor(async () => {
    const pids = await cluster.workerPids(2)
    expect(pids).toHaveLength(2)
    expect(pids).toContain(survivor)
    expect(pids).not.toContain(victim)
  }, 10_000)
})

test('a build that does not start stops the reload, and the old workers go on serving', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stepladder-build-'))
  const buildFile = join(folder, 'build')
  await writeFile(buildFile, 'first')
  try {
    await using cluster = await startCluster({ app: 'broken-build.cjs', env: { BUILD_FILE: buildFile } })
    await writeFile(buildFile, 'broken')
    cluster.supervisor.kill('SIGHUP')
    await cluster.supervisor.waitForOutput(/the old workers go on serving/)
    expect(await cluster.json<{ build: string }>('/build')).toMatchObject({ build: 'first' })

    await writeFile(buildFile, 'dies')
    cluster.supervisor.kill('SIGHUP')
    await cluster.supervisor.waitForOutput(/(the old workers go on serving[\s\S]*){2}/)
    expect(await cluster.json<{ build: string }>('/build')).toMatchObject({ build: 'first' })

    // Asked again while it reloads, it reloads again: nobody is left on the build between.
    await writeFile(buildFile, 'second')
    cluster.supervisor.kill('SIGHUP')
    await cluster.supervisor.waitForOutput(/takes the place/)
    await writeFile(buildFile, 'third')
    cluster.supervisor.kill('SIGHUP')
    await cluster.supervisor.waitForOutput(/(: reloaded\n[\s\S]*){2}/)
    for (let asked = 0; asked < 4; asked++) {
      expect(await cluster.json<{ build: string }>('/build')).toMatchObject({ build: 'third' })
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('no worker outlives a supervisor that was killed', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs' })
  const pids = await cluster.workerPids(2)
  cluster.supervisor.kill('SIGKILL')
  await cluster.supervisor.exited
  await vi.waitFor(async () => expect(await Promise.all(pids.map(isRunning))).not.toContain(true), {
    timeout: 10_000,
  })
})

test('a successor takes over only when it listens wherever its forerunner does', async () => {
  const adminPort = await freePort()
  await using cluster = await startCluster({ app: 'two-ports.cjs', env: { ADMIN_PORT: String(adminPort) } })
  await vi.waitFor(() => cluster.json('/pid'), { timeout: 10_000 })
  await sleep(500)
  cluster.supervisor.kill('SIGHUP')
  const reloaded = cluster.supervisor.waitForOutput(/: reloaded/)
  let isOver = false
  const over = () => {
    isOver = true
  }
  reloaded.then(over, over)
  while (!isOver) {
    await cluster.json('/pid')
    await sleep(20)
  }
  await reloaded
})

test('a start that fails everywhere for a while is not given up, however many workers there are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stepladder-build-'))
  const buildFile = join(folder, 'build')
  await writeFile(buildFile, 'broken')
  const port = await freePort()
  try {
    await using supervisor = spawnNode(fixture('../../bin/stepladder.js'), {
      args: ['run', '--workers', '6', fixture('broken-build.cjs')],
      env: { PORT: String(port), BUILD_FILE: buildFile },
      execArgv: ['--conditions=@stepladder/source'],
    })
    await supervisor.waitForOutput(/(exited with code 1[\s\S]*){8}/)
    await writeFile(buildFile, 'mended')
    await vi.waitFor(() => fetch(`http://127.0.0.1:${port}/build`), { timeout: 20_000 })
    expect(supervisor.output).not.toContain('giving up')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test.skipIf(process.platform !== 'linux')(
  'workers with listening sockets of their own are reloaded too',
  async () => {
    await using cluster = await startCluster({ app: 'reuse-port.cjs' })
    const before = await cluster.workerPids(2)
    cluster.supervisor.kill('SIGHUP')
    await cluster.supervisor.waitForOutput(/: reloaded/)
    expect((await cluster.workerPids(2)).filter((pid) => before.includes(pid))).toEqual([])
  },
)

test.each([
  ['their program is gone', {}, 'ENOENT'],
  ['the system refuses them at once, as it does without memory', { REFUSED: '1' }, 'E2BIG'],
])('workers that cannot be started because %s are tried again until they can', async (_, env, code) => {
  const port = await freePort()
  await using primary = spawnNode(fixture('vanishing-node.mjs'), {
    env: { PORT: String(port), ...env },
    execArgv: ['--conditions=@stepladder/source'],
  })
  await primary.waitForOutput(/2 of 2 workers serve/)
  const { pid } = (await (await fetch(`http://127.0.0.1:${port}/pid`)).json()) as { pid: number }
  primary.kill('SIGUSR2')
  await primary.waitForOutput(/^gone$/m)
  primary.kill('SIGHUP')
  await primary.waitForOutput(new RegExp(`did not come up: worker 0 could not be started .*${code}`))
  process.kill(pid, 'SIGKILL')
  await primary.waitForOutput(new RegExp(`(could not be started .*${code}[^]*){2}`))
  primary.kill('SIGUSR2')
  const pids = new Set<number>()
  await vi.waitFor(
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/pid`, { headers: { connection: 'close' } })
      pids.add(((await answer.json()) as { pid: number }).pid)
      expect(pids.size).toBe(2)
    },
    { timeout: 10_000 },
  )
  expect(pids).not.toContain(pid)
})

test.skipIf(!canLimitFiles)(
  'a supervisor that has no file descriptor left does not end with the worker that it cannot replace',
  async () => {
    await using cluster = await startCluster({ app: 'plain-app.cjs' })
    const [victim, survivor] = await cluster.workerPids(2)
    limitFiles(cluster.supervisor.pid, 10)
    process.kill(victim!, 'SIGKILL')
    await cluster.supervisor.waitForOutput(/could not be started .*EMFILE/)
    limitFiles(cluster.supervisor.pid, 1_000)
    await vi.waitFor(async () => expect(await cluster.workerPids(2)).toHaveLength(2), { timeout: 10_000 })
    expect(await cluster.workerPids(2)).toContain(survivor)
  },
)

test('runCluster from code does the same as the command line', async () => {
  const port = await freePort()
  await using primary = spawnNode(fixture('run-cluster-app.mjs'), {
    env: { PORT: String(port) },
    execArgv: ['--conditions=@stepladder/source'],
  })
  await primary.waitForOutput(/2 of 2 workers serve/)
  const answer = await fetch(`http://127.0.0.1:${port}/pid`)
  expect(await answer.json()).toMatchObject({ instance: expect.stringMatching(/[01]/) })
  primary.kill('SIGTERM')
  expect((await primary.exited).code).toBe(0)
})

test('a worker that dies again and again is replaced ever more slowly, and at last not at all', async () => {
  const port = await freePort()
  await using supervisor = spawnNode(fixture('../../bin/stepladder.js'), {
    args: ['run', '--workers', '1', fixture('broken-build.cjs')],
    env: { PORT: String(port), BUILD_FILE: '/nowhere' },
    execArgv: ['--conditions=@stepladder/source'],
  })
  expect((await supervisor.exited).code).toBe(1)
  expect(supervisor.output).toMatch(/giving up: 5 workers in a row died/)
})
