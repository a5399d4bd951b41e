import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '@stepladder/core'
import { FakeClock } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { Systemd, takeSystemdSettings } from '../src/health/systemd.ts'
import { GuardedProcess } from '../testing/guarded-process.ts'
import { fixture, startCluster } from './running-cluster.ts'

/** A machine with other work on it may take so long for what takes it a second, in milliseconds. */
const patienceMs = 40_000

const hasPrograms = [
  ['python3', '--version'],
  ['systemd-notify', '--version'],
].every(([program = '', arg = '']) => spawnSync(program, [arg]).status === 0)

/** A socket as systemd listens on, and what was said to it. */
async function startListener() {
  const folder = await mkdtemp(join(tmpdir(), 'stepladder-notify-'))
  const socket = join(folder, 'notify')
  const receiver = new GuardedProcess('python3', [fixture('notify-socket.py'), socket], {
    env: process.env,
    output: 'pipe',
  })
  let output = ''
  receiver.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await vi.waitFor(() => expect(output).toContain('bound\n'), { timeout: patienceMs })
  const heard = () =>
    output
      .split('\n')
      .slice(1, -1)
      // The fixture writes arrays of strings.
      .map((line) => JSON.parse(line) as string[])
  return {
    socket,
    heard,
    /** Resolves when such a message has come, which need not be the last. */
    hearing: (assignment: string | RegExp) =>
      vi.waitFor(() => expect(heard().flat()).toContainEqual(expect.stringMatching(assignment)), {
        timeout: patienceMs,
      }),
    [Symbol.asyncDispose]: async () => {
      receiver.signal('SIGKILL')
      await receiver.exited
      await rm(folder, { recursive: true })
    },
  }
}

test.skipIf(!hasPrograms)(
  'systemd hears that it is ready, reloads, is ready again, and stops',
  async () => {
    await using listener = await startListener()
    await using cluster = await startCluster({
      app: 'plain-app.cjs',
      env: { NOTIFY_SOCKET: listener.socket },
    })
    await listener.hearing('READY=1')
    expect(listener.heard()).toEqual([['READY=1', 'STATUS=2 of 2 workers serve']])

    const before = process.hrtime.bigint() / 1_000n
    cluster.supervisor.kill('SIGHUP')
    await listener.hearing('STATUS=reloaded')
    const [, reloading, again] = listener.heard()
    expect(reloading).toEqual([
      'RELOADING=1',
      expect.stringMatching(/^MONOTONIC_USEC=\d+$/),
      'STATUS=reloading',
    ])
    // systemd drops the word of a reload that seems older than its own signal.
    expect(BigInt(reloading![1]!.replace('MONOTONIC_USEC=', ''))).toBeGreaterThanOrEqual(before)
    expect(again).toEqual(['READY=1', 'STATUS=reloaded'])

    cluster.supervisor.kill('SIGTERM')
    expect((await cluster.supervisor.exited).code).toBe(0)
    expect(listener.heard().at(-1)).toEqual(['STOPPING=1', 'STATUS=finishing what was begun'])
  },
  60_000,
)

test.skipIf(!hasPrograms)(
  'a reload that fails leaves the service ready, with the reason as its status',
  async () => {
    await using listener = await startListener()
    const build = `${listener.socket}.build`
    await writeFile(build, 'first')
    await using cluster = await startCluster({
      app: 'broken-build.cjs',
      workers: 1,
      env: { NOTIFY_SOCKET: listener.socket, BUILD_FILE: build },
    })
    await listener.hearing('READY=1')
    await writeFile(build, 'broken')
    cluster.supervisor.kill('SIGHUP')
    await listener.hearing(/^STATUS=The new build did not come up/)
    expect(listener.heard().at(-1)?.[0]).toBe('READY=1')
  },
)

test.skipIf(!hasPrograms)(
  'it shows signs of life while its event loop runs, and none while that is frozen',
  async () => {
    await using listener = await startListener()
    await using cluster = await startCluster({
      app: 'plain-app.cjs',
      workers: 1,
      env: { NOTIFY_SOCKET: listener.socket, WATCHDOG_USEC: '200000' },
    })
    const signs = () => listener.heard().filter(([first]) => first === 'WATCHDOG=1').length
    await vi.waitFor(() => expect(signs()).toBeGreaterThan(3), { timeout: patienceMs })
    cluster.supervisor.kill('SIGSTOP')
    // One may be under way, and then there are none, of ten that were due.
    const silent = async () => {
      const before = signs()
      await sleep(1_000)
      expect(signs()).toBe(before)
      return before
    }
    const before = await vi.waitFor(silent, { timeout: patienceMs })
    cluster.supervisor.kill('SIGCONT')
    await vi.waitFor(() => expect(signs()).toBeGreaterThan(before), { timeout: patienceMs })
  },
  60_000,
)

test.for([
  ['nobody listens', { NOTIFY_SOCKET: '/nowhere/notify', WATCHDOG_USEC: '50000' }],
  ['there is no systemd-notify', { NOTIFY_SOCKET: '/nowhere/notify', PATH: '/nowhere' }],
] as const)('where %s, that is said once and the cluster serves', async ([, env]) => {
  await using cluster = await startCluster({ app: 'environment-app.cjs', workers: 1, env })
  await cluster.supervisor.waitForOutput(/systemd cannot be told/, patienceMs)
  expect(await cluster.json('/')).toEqual({})
  cluster.supervisor.kill('SIGTERM')
  expect((await cluster.supervisor.exited).code).toBe(0)
  expect(cluster.supervisor.output.match(/systemd cannot be told/g)).toHaveLength(1)
})

test("the environment that systemd gives is the supervisor's alone", () => {
  const given = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(process.pid) }
  const environment: NodeJS.ProcessEnv = { ...given, HOME: '/root' }
  expect(takeSystemdSettings(environment)).toEqual({ socket: '/run/notify', watchdogMs: 30_000 })
  expect(environment).toEqual({ HOME: '/root' })

  expect(takeSystemdSettings({ ...given, WATCHDOG_PID: '1' })).toEqual({ socket: '/run/notify' })
  expect(takeSystemdSettings({ WATCHDOG_USEC: '1' })).toBeUndefined()
})

test('a program that hangs piles up no signs of life, and holds up the end only for a moment', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stepladder-notify-'))
  const calls = join(folder, 'calls')
  vi.stubEnv('CALLS_FILE', calls)
  const clock = new FakeClock()
  const lines: string[] = []
  const program = fixture('hanging-notify.sh')
  try {
    const systemd = new Systemd({
      socket: '/nowhere',
      watchdogMs: 1_000,
      program,
      log: (line) => lines.push(line),
      clock,
    })
    await clock.advance(60_000)
    await systemd.close()
    expect(clock.waiting).toBe(0)
    expect(await readFile(calls, 'utf8')).toBe('WATCHDOG=1\n')
    expect(lines).toEqual([expect.stringMatching(/^systemd cannot be told/)])
  } finally {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  }
})
