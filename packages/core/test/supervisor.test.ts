import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, spawnNode } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { fixture, startCluster } from './running-cluster.ts'

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

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
  })
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

    await writeFile(buildFile, 'second')
    cluster.supervisor.kill('SIGHUP')
    await cluster.supervisor.waitForOutput(/: reloaded/)
    expect(await cluster.json<{ build: string }>('/build')).toMatchObject({ build: 'second' })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('no worker outlives a supervisor that was killed', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs' })
  const pids = await cluster.workerPids(2)
  cluster.supervisor.kill('SIGKILL')
  await cluster.supervisor.exited
  await vi.waitFor(async () => expect(pids.filter(isAlive)).toEqual([]), { timeout: 5_000 })
})

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
