import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type NodeProcess, spawnNode } from '@stepladder/core/testing'
import { expect, onTestFinished, test } from 'vitest'
import { exampleFolder } from '../demo/rung.ts'

const longest = { timeout: 90_000 }

test('a worker that is killed is replaced: the demo says so, and every promise holds', longest, async () => {
  const demo = await climb(['--rungs', '4', '--seconds', '3'])
  await demo.waitForOutput(/4-queue: under load/, 60_000)
  await sleep(1_500)
  const workers = (await descendants(demo.pid)).filter(({ command }) => command.includes('4-queue/server.ts'))
  process.kill(workers.at(-1)!.pid, 'SIGKILL')

  expect(await demo.exited, demo.output).toEqual({ code: 0, signal: null })
  expect(demo.output).toContain(`worker ${workers.at(-1)!.pid} was killed by SIGKILL`)
  expect(demo.output).not.toContain('Broken promises')
})

test('a monolith that is killed ends the demo, which says so', longest, async () => {
  const demo = await climb(['--rungs', '0', '--seconds', '3'])
  await demo.waitForOutput(/0-monolith: under load/, 60_000)
  const [monolith] = (await descendants(demo.pid)).filter(({ command }) => command.includes('0-monolith'))
  process.kill(monolith!.pid, 'SIGKILL')

  expect(await demo.exited, demo.output).toEqual({ code: 1, signal: null })
  expect(demo.output).toContain('The airline was killed by SIGKILL at rung 0')
})

test('a Redis that is killed ends the demo, which says so', longest, async () => {
  const demo = await climb(['--real', '--rungs', '3', '--seconds', '3'])
  await demo.waitForOutput(/3-cache: under load/, 60_000)
  await sleep(1_000)
  const [redis] = (await descendants(demo.pid)).filter(({ command }) => command.includes('redis-server'))
  process.kill(redis!.pid, 'SIGKILL')

  expect(await demo.exited, demo.output).toEqual({ code: 1, signal: null })
  expect(demo.output).toContain('Redis does not answer')
})

test('a demo that is killed leaves no process behind', longest, async () => {
  const demo = await climb(['--real', '--rungs', '4', '--seconds', '20'])
  await demo.waitForOutput(/4-queue: under load/, 60_000)
  await sleep(1_000)
  const family = (await descendants(demo.pid)).map(({ pid }) => pid)
  // The airline with its workers, Redis, and Postgres with all of its processes.
  expect(family.length).toBeGreaterThan(5)

  demo.kill('SIGKILL')
  await demo.exited
  await expect.poll(async () => alive(family), { timeout: 10_000 }).toEqual([])
})

test('a demo that is interrupted closes everything and says so', longest, async () => {
  const demo = await climb(['--rungs', '1', '--seconds', '20'])
  await demo.waitForOutput(/1-cluster: under load/, 60_000)
  const family = (await descendants(demo.pid)).map(({ pid }) => pid)

  demo.kill('SIGINT')
  expect(await demo.exited).toEqual({ code: 1, signal: null })
  expect(demo.output).toContain('ended by SIGINT')
  await expect.poll(async () => alive(family), { timeout: 5_000 }).toEqual([])
})

async function climb(args: readonly string[]): Promise<NodeProcess> {
  const cwd = await mkdtemp(join(tmpdir(), 'airline-test-'))
  const demo = spawnNode(join(exampleFolder, 'demo', 'climb.ts'), {
    args: [...args, '--rate', '300'],
    cwd,
    execArgv: ['--conditions=@stepladder/source'],
    env: { REDIS_URL: undefined, DATABASE_URL: undefined, VITEST: undefined, NODE_ENV: undefined },
  })
  onTestFinished(async () => {
    await demo.stop()
    await rm(cwd, { recursive: true, force: true })
  })
  return demo
}

interface Process {
  readonly pid: number
  readonly command: string
}

async function descendants(root: number): Promise<Process[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args='])
  const all = Array.from(stdout.matchAll(/^ *(\d+) +(\d+) (.*)$/gm), ([, pid, parent, command]) => ({
    pid: Number(pid),
    parent: Number(parent),
    command: command!,
  }))
  const under = (parent: number): Process[] =>
    all.filter((each) => each.parent === parent).flatMap((child) => [child, ...under(child.pid)])
  return under(root)
}

function alive(pids: readonly number[]): number[] {
  return pids.filter((pid) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  })
}
