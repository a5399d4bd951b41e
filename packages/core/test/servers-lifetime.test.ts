import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  isRunning,
  keyPrefix,
  sharedPostgres,
  sharedRedis,
  spawnNode,
  startRedis,
} from '@stepladder/core/testing'
import { expect, onTestFinished, test, vi } from 'vitest'

const idle = join(import.meta.dirname, 'fixtures/idle.mjs')
const runnerFile = join(import.meta.dirname, 'fixtures/servers-runner.ts')

test('nothing that a test started outlives it, not even a frozen Postgres when it is killed by SIGKILL', async () => {
  const { runner, guarded, plain } = await runnerWithServers()
  expect(await runningAmong([...guarded, plain])).toEqual([...guarded, plain])

  runner.kill('SIGKILL')
  await runner.exited

  await vi.waitFor(async () => expect(await runningAmong(guarded)).toEqual([]), 10_000)
  // The control arm: a child that `spawn` made without a guard lives on.
  expect(await runningAmong([plain])).toEqual([plain])
})

test('what a killed test left in temporary folders is removed when the next server starts', async () => {
  const { runner, guarded } = await runnerWithServers()
  runner.kill('SIGKILL')
  await runner.exited
  await vi.waitFor(async () => expect(await runningAmong(guarded)).toEqual([]), 10_000)
  const mine = join(tmpdir(), `stepladder-${hostname()}-${process.pid}-kept`)
  await mkdir(mine)
  onTestFinished(() => rm(mine, { recursive: true }))
  expect(await foldersOf(runner.pid)).toHaveLength(2)

  await using _server = await startRedis()

  expect(await foldersOf(runner.pid)).toEqual([])
  expect((await stat(mine)).isDirectory()).toBe(true)
})

test('a script that stops nothing ends all the same, and its servers with it', async () => {
  const script = join(import.meta.dirname, 'fixtures/servers-forgotten.ts')
  const run = spawnNode(script)
  expect(await run.exited).toEqual({ code: 0, signal: null })
  const pids = JSON.parse(/PIDS (.*)/.exec(run.output)![1]!)

  expect(pids).toHaveLength(3)
  await vi.waitFor(async () => expect(await runningAmong(pids)).toEqual([]), 10_000)
})

test('every process of a run shares one server of each kind', async () => {
  const script = join(import.meta.dirname, 'fixtures/servers-shared.ts')
  const other = spawnNode(script)
  await other.exited
  const mine = { redis: (await sharedRedis()).url, postgres: (await sharedPostgres()).url }

  expect(JSON.parse(other.output)).toEqual(mine)

  // The control arm: without the keeper of the run, a process has servers of its own.
  const alone = spawnNode(script, { env: { STEPLADDER_SERVERS: undefined } })
  await alone.exited
  const theirs = JSON.parse(alone.output)
  expect(theirs.redis).not.toBe(mine.redis)
  expect(theirs.postgres).not.toBe(mine.postgres)
})

test('shared servers are the ones that REDIS_URL and DATABASE_URL name, where they are set', async () => {
  const script = join(import.meta.dirname, 'fixtures/servers-shared.ts')
  const REDIS_URL = 'redis://redis.test'
  const DATABASE_URL = 'postgres://ada@postgres.test/airline'

  const run = spawnNode(script, { env: { REDIS_URL, DATABASE_URL } })
  await run.exited

  expect(JSON.parse(run.output)).toEqual({ redis: REDIS_URL, postgres: DATABASE_URL })
})

test('a shared Postgres gives databases of their own, and takes them back', async () => {
  const postgres = await sharedPostgres()
  const [one, two] = [await postgres.createDatabase(), await postgres.createDatabase()]
  expect(one).not.toBe(two)

  await postgres.dropDatabase(one)

  await postgres.createDatabase(new URL(one).pathname.slice(1))
  await postgres.dropDatabase(one)
  await postgres.dropDatabase(two)
})

test('no two key prefixes are the same', () => {
  const prefixes = Array.from({ length: 1_000 }, () => keyPrefix('cache'))
  expect(new Set(prefixes)).toHaveLength(1_000)
  expect(prefixes[0]).toMatch(/^cache-/)
})

interface Pids {
  readonly guarded: readonly number[]
  readonly plain: number
}

async function runnerWithServers() {
  const runner = spawnNode(runnerFile, { args: [idle] })
  const [, json] = await runner.waitForOutput(/PIDS (.*)/, 30_000)
  // The fixture prints this and nothing else.
  const { guarded, plain } = JSON.parse(json!) as Pids
  onTestFinished(() => void process.kill(plain, 'SIGKILL'))
  return { runner, guarded, plain }
}

async function runningAmong(pids: readonly number[]): Promise<number[]> {
  const running = await Promise.all(pids.map(isRunning))
  return pids.filter((_, index) => running[index])
}

async function foldersOf(pid: number): Promise<string[]> {
  const names = await readdir(tmpdir())
  return names.filter((name) => name.startsWith(`stepladder-${hostname()}-${pid}-`))
}
