import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { freePort } from '@stepladder/core/testing'
import { describe, expect, test, vi } from 'vitest'
import { GuardedProcess } from '../testing/guarded-process.ts'
import { fixture } from './running-cluster.ts'

/** Of util-linux: starts a program as process 1 of a world of its own, as containers do. */
const isolate = 'unshare'
// Who is not root may be it in a namespace of users, where the system allows that.
const unshare = [[], ['--map-root-user']]
  .map((user) => [...user, '--pid', '--fork', '--mount-proc', '--kill-child'])
  .find((args) => spawnSync(isolate, [...args, 'true']).status === 0)

const stepladder = [process.execPath, '--conditions=@stepladder/source', fixture('../../bin/stepladder.js')]
const app = fixture('orphans-app.cjs')

/** A machine with other work on it may take so long for what takes it a second, in milliseconds. */
const patienceMs = 40_000
vi.setConfig({ testTimeout: 60_000 })

interface Answer {
  readonly pid: number
  readonly ppid: number
  readonly processes: readonly { pid: number; name: string; state: string; ppid: number }[]
}

/** Runs a command as a container does: as process 1 of a world of its own. */
async function startContainer(command: readonly string[], env: Record<string, string> = {}) {
  const port = await freePort()
  const outside = new GuardedProcess(isolate, [...unshare!, ...command], {
    env: { ...process.env, PORT: String(port), ...env },
    output: 'pipe',
  })
  let output = ''
  for (const stream of [outside.child.stdout, outside.child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return {
    exited: outside.exited,
    output: () => output,
    saying: (pattern: RegExp) => vi.waitFor(() => expect(output).toMatch(pattern), { timeout: patienceMs }),
    ask: async (path = '/') => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })
      // What the fixture answers.
      return (await response.json()) as Answer
    },
    /** What `docker kill` does. */
    kill: (signal: NodeJS.Signals) => process.kill(childOf(outside.pid), signal),
    [Symbol.asyncDispose]: async () => {
      outside.signal('SIGKILL')
      await outside.exited
    },
  }
}

function childOf(pid: number): number {
  const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
  // Signals to number 0 go to whoever sends them.
  if (!(child > 1)) throw new Error(`process ${pid} has no child`)
  return child
}

function zombies({ processes }: Answer): string[] {
  return processes.filter(({ state }) => state === 'Z').map(({ name }) => name)
}

test.skipIf(!unshare).for([
  { name: 'a cluster', command: [...stepladder, 'run', '--workers', '1', app], left: 0 },
  { name: 'control: plain node', command: [process.execPath, app], left: 2 },
])('$name as process 1 leaves $left zombies of two orphans', async ({ command, left }) => {
  await using container = await startContainer(command)
  await vi.waitFor(() => container.ask(), { timeout: patienceMs })
  await container.ask('/orphan')
  await container.ask('/orphan')
  await vi.waitFor(async () => {
    const answer = await container.ask()
    const sleeping = answer.processes.filter(({ name, state }) => name === 'sleep' && state !== 'Z')
    expect(sleeping).toEqual([])
    expect(zombies(answer)).toHaveLength(left)
  }, patienceMs)
})

test.skipIf(!unshare)(
  'its process 1 is a shell that shows no warning, and the app sees an ordinary parent',
  async () => {
    await using container = await startContainer([...stepladder, 'run', '--workers', '1', app])
    await container.saying(/1 of 1 workers serve/)
    const { ppid, processes } = await container.ask()
    expect(processes.find(({ pid }) => pid === 1)).toMatchObject({ name: 'sh' })
    // worker, supervisor, shell
    expect(processes.find(({ pid }) => pid === ppid)).toMatchObject({ ppid: 1 })
    expect(container.output()).not.toMatch(/warning|experimental/i)
  },
)

test.skipIf(!unshare).for(['SIGTERM', 'SIGINT'] as const)(
  '%s to process 1 drains and ends with code 0',
  async (signal) => {
    await using container = await startContainer([...stepladder, 'run', '--workers', '1', app])
    await container.saying(/1 of 1 workers serve/)
    container.kill(signal)
    expect(await container.exited).toMatchObject({ code: 0 })
    expect(container.output()).toContain('stopping: ')
  },
)

test.skipIf(!unshare)('SIGHUP to process 1 reloads', async () => {
  await using container = await startContainer([...stepladder, 'run', '--workers', '1', app])
  await container.saying(/1 of 1 workers serve/)
  const before = await container.ask()
  container.kill('SIGHUP')
  await container.saying(/: reloaded\n/)
  const after = await container.ask()
  expect(after.pid).not.toBe(before.pid)
  expect(after.ppid).toBe(before.ppid)
})

/** The shells that an image may have as /bin/sh, as far as this machine has them. */
const shells = [['/bin/sh'], ['/bin/dash'], ['/bin/bash', '--posix'], ['/bin/busybox', 'sh']]
  .filter(([shell = '', ...args]) => spawnSync(shell, [...args, '-c', 'true']).status === 0)
  .map((shell) => ({ name: shell.join(' '), script: [...shell, fixture('../../bin/pid-one.sh')] }))

const endsAtTerm = 'trap "exit 5" TERM; echo up; while :; do sleep 0.01; done'

describe.skipIf(!unshare).each(shells)('$name as process 1', ({ script }) => {
  test.for([
    ['exit 0', 0],
    ['exit 7', 7],
    ['exit 127', 127],
    ['kill -s KILL $$', 137],
    ['nowhere', 127],
  ] as const)('what ends by "%s" ends the container with code %d', async ([end, code]) => {
    await using container = await startContainer([...script, 'sh', '-c', end])
    expect(await container.exited).toMatchObject({ code })
  })

  test('a signal that ends the program does not change its code', async () => {
    await using container = await startContainer([...script, 'sh', '-c', endsAtTerm])
    await container.saying(/up/)
    container.kill('SIGTERM')
    expect(await container.exited).toMatchObject({ code: 5 })
  })

  test('what is written to process 1 reaches the program', () => {
    const { stdout } = spawnSync(isolate, [...unshare!, ...script, 'cat'], { input: 'hello' })
    expect(String(stdout)).toBe('hello')
  })
})

// bash, which some systems have as /bin/sh, can forget the code of a program that ends in the moment of a signal.
const exact = shells.filter(({ script }) => !isBash(script[0]!))

test.skipIf(!unshare).each(exact)(
  '$name: nor do signals in the very moment of its end',
  async ({ script }) => {
    for (let round = 0; round < 3; round++) {
      await using container = await startContainer([...script, 'sh', '-c', endsAtTerm])
      await container.saying(/up/)
      const flood = setInterval(() => {
        try {
          container.kill('SIGTERM')
        } catch {
          clearInterval(flood)
        }
      }, 1)
      expect(await container.exited).toMatchObject({ code: 5 })
      clearInterval(flood)
    }
  },
)

function isBash(shell: string): boolean {
  return String(spawnSync(shell, ['-c', 'echo $BASH_VERSION']).stdout).trim() !== ''
}

test.skipIf(!unshare)(
  'where process 1 cannot be left, the supervisor says what to do, once, and serves',
  async () => {
    await using container = await startContainer([
      ...[process.execPath, '--conditions=@stepladder/source', '--import'],
      `data:text/javascript,${encodeURIComponent('process.execve = undefined')}`,
      ...stepladder.slice(-1),
      ...['run', '--workers', '1', app],
    ])
    await container.saying(/1 of 1 workers serve/)
    expect(container.output().match(/docker run --init/g)).toHaveLength(1)
    container.kill('SIGTERM')
    expect(await container.exited).toMatchObject({ code: 0 })
  },
)
