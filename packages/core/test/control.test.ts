import { mkdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { controlAddresses } from '../src/control/control-address.ts'
import { openCommandLine } from './command-line.ts'
import { fixture } from './running-cluster.ts'

// Each starts several processes, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const app = fixture('plain-app.cjs')

interface Status {
  readonly pid: number
  readonly generation: number
  readonly workers: { instance: number; pid: number; state: string; restarts: number; generation: number }[]
}

test('reload waits until all workers run the new build, and tells how it goes', async () => {
  await using shell = await openCommandLine()
  const cluster = await shell.run(['--workers', '2', app])
  const { code, output } = await shell.stepladder(['reload'])
  expect(output).toMatch(/(worker \d+ takes the place of \d+\n){2}reloaded\n$/)
  expect(code).toBe(0)
  const status: Status = JSON.parse((await shell.stepladder(['status', '--json'])).output)
  expect(status).toMatchObject({ pid: cluster.pid, generation: 2 })
  const serving = status.workers.filter(({ state }) => state === 'serving')
  expect(serving.map(({ generation }) => generation)).toEqual([2, 2])
})

test('a reload that a broken build ends has exit code 1 and the reason, and the old build serves', async () => {
  await using shell = await openCommandLine()
  const build = await shell.write('build', 'first')
  const broken = fixture('broken-build.cjs')
  const { port } = await shell.run(['--workers', '1', broken], { env: { BUILD_FILE: build } })
  await shell.write('build', 'broken')
  const { code, output } = await shell.stepladder(['reload'])
  expect(output).toMatch(/The new build did not come up.*the old workers go on serving/)
  expect(code).toBe(1)
  expect(await (await fetch(`http://127.0.0.1:${port}/build`)).json()).toMatchObject({ build: 'first' })
})

test('status shows each worker, and how many have died in its place', async () => {
  await using shell = await openCommandLine()
  await shell.run(['--workers', '2', app])
  const before: Status = JSON.parse((await shell.stepladder(['status', '--json'])).output)
  process.kill(before.workers[1]!.pid, 'SIGKILL')
  await vi.waitFor(
    async () => {
      const { workers }: Status = JSON.parse((await shell.stepladder(['status', '--json'])).output)
      expect(workers.map(({ state }) => state)).toEqual(['serving', 'serving'])
      expect(workers.find(({ instance }) => instance === 0)).toMatchObject({ restarts: 0 })
      expect(workers.find(({ instance }) => instance === 1)).toMatchObject({ restarts: 1 })
    },
    { timeout: 10_000 },
  )
  const { code, output } = await shell.stepladder(['status'])
  expect(output).toMatch(/^supervisor \d+ runs .*plain-app\.cjs in .*, generation 1\n/)
  expect(output).toMatch(/\n0 +\d+ +serving +\d+ s +(\d+ MB|-) +0 +1\n/)
  expect(code).toBe(0)
})

test('stop waits until the cluster has ended, which ends with code 0', async () => {
  await using shell = await openCommandLine()
  const cluster = await shell.run(['--workers', '1', app])
  const { code, output } = await shell.stepladder(['stop'])
  expect(output).toMatch(/stopping: [\s\S]*\nstopped\n$/)
  expect(code).toBe(0)
  expect((await cluster.exited).code).toBe(0)
  expect(await shell.stepladder(['stop'])).toMatchObject({
    code: 3,
    output: expect.stringContaining('no cluster'),
  })
})

test('a cluster that code has started is steered in the same way', async () => {
  await using shell = await openCommandLine()
  await shell.run([], { program: fixture('run-cluster-app.mjs') })
  expect(await shell.stepladder(['reload'])).toMatchObject({ code: 0 })
  expect(await shell.stepladder(['stop'])).toMatchObject({ code: 0 })
})

test('of several clusters, the one is meant that was started here, or that --pid names', async () => {
  await using shell = await openCommandLine()
  const other = join(shell.folder, 'other')
  await mkdir(other)
  const here = await shell.run(['--workers', '1', app])
  const there = await shell.run(['--workers', '1', app], { cwd: other })
  const pidFrom = async (args: string[], cwd?: string) =>
    JSON.parse((await shell.stepladder(['status', '--json', ...args], cwd)).output).pid
  expect(await pidFrom([])).toBe(here.pid)
  expect(await pidFrom([], other)).toBe(there.pid)
  expect(await pidFrom(['--pid', String(there.pid)])).toBe(there.pid)

  const elsewhere = await shell.stepladder(['status'], shell.temp)
  expect(elsewhere.output).toMatch(/several clusters .* say --pid N for one of these:/)
  expect(elsewhere.output).toContain(`${there.pid}  plain-app.cjs in ${other}\n`)
  expect(elsewhere.code).toBe(2)
  expect(await shell.stepladder(['stop', '--pid', '1'])).toMatchObject({ code: 3 })
  expect(await shell.stepladder(['stop', '--pid', 'one'])).toMatchObject({ code: 2 })
})

test('a supervisor that stands still is named within seconds, and not waited for', async () => {
  await using shell = await openCommandLine()
  const cluster = await shell.run(['--workers', '1', app])
  cluster.kill('SIGSTOP')
  const { code, output } = await shell.stepladder(['reload'])
  cluster.kill('SIGCONT')
  expect(output).toContain(`supervisor ${cluster.pid} does not answer`)
  expect(code).toBe(1)
})

test('the socket of a supervisor that was killed is passed over, and the next one removes it', async () => {
  await using shell = await openCommandLine()
  const killed = await shell.run(['--workers', '1', app])
  killed.kill('SIGKILL')
  await killed.exited
  const [socket] = controlAddresses([shell.temp])
  expect(socket).toMatchObject({ pid: killed.pid })
  expect(await shell.stepladder(['status'])).toMatchObject({ code: 3 })

  await utimes(socket!.path, 1, 1)
  const next = await shell.run(['--workers', '1', app])
  expect(controlAddresses([shell.temp]).map(({ pid }) => pid)).toEqual([next.pid])
})
