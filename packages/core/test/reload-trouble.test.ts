import { mkdtempDisposable, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { startCluster } from './running-cluster.ts'

test('a worker that dies while its successor is on trial leaves no third one behind, on whichever build', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'stepladder-build-'))
  const buildFile = join(folder.path, 'build')
  await writeFile(buildFile, 'first')
  await using cluster = await startCluster({
    app: 'broken-build.cjs',
    workers: 1,
    env: { BUILD_FILE: buildFile },
  })
  const [old] = await cluster.workerPids(1)
  cluster.supervisor.kill('SIGHUP')
  // Both serve until the successor has lived for a second.
  await vi.waitFor(async () => expect(await cluster.workerPids(2)).toHaveLength(2), { timeout: 10_000 })
  process.kill(old!, 'SIGKILL')
  await cluster.supervisor.waitForOutput(/was killed by SIGKILL; replacing it now/)
  await cluster.supervisor.waitForOutput(/: reloaded/, 20_000)
  await vi.waitFor(async () => expect(await cluster.workerPids(2)).toHaveLength(1), { timeout: 10_000 })

  await writeFile(buildFile, 'second')
  cluster.supervisor.kill('SIGHUP')
  await cluster.supervisor.waitForOutput(/(: reloaded\n[\s\S]*){2}/, 20_000)
  for (let asked = 0; asked < 10; asked++) {
    expect(await cluster.json('/build')).toMatchObject({ build: 'second' })
  }
})

test.each(['shared', 'dispatch'])(
  '%s: a port stays open when a successor dies while its forerunner drains, and the next one is not up yet',
  async (distribution) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'stepladder-port-'))
    const [loopEnds, mayListen] = [join(folder.path, 'loop-ends'), join(folder.path, 'may-listen')]
    await writeFile(mayListen, '')
    await using cluster = await startCluster({
      app: 'hanging-app.cjs',
      workers: 1,
      flags: ['--distribution', distribution, '--hang', 'off'],
      env: { START_WHEN: mayListen },
    })
    const begun = cluster.json(`/block-until?file=${loopEnds}`)
    begun.catch(() => {})
    cluster.supervisor.kill('SIGHUP')
    const [, successor] = await cluster.supervisor.waitForOutput(/worker (\d+) takes the place/)
    await rm(mayListen)
    process.kill(Number(successor), 'SIGKILL')
    await cluster.supervisor.waitForOutput(/was killed by SIGKILL; replacing it now/)
    await writeFile(loopEnds, '')
    await cluster.supervisor.waitForOutput(/: reloaded\n/)

    const asked = cluster.json('/pid').then(
      () => 'answered',
      (failure: Error) => String(failure.cause ?? failure),
    )
    await writeFile(mayListen, '')
    expect(await asked).toBe('answered')
  },
)
