import { execFile } from 'node:child_process'
import { chown, mkdir, readdir, symlink, utimes } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { controlAddresses, newControlAddress } from '../src/control/control-address.ts'
import { openControl } from '../src/control/control-server.ts'
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

test.each([
  ['garbage', 'what?', 'not valid JSON'],
  ['another version', '{"stepladder":2,"command":"stop"}', 'version 2 is asked, and version 1 spoken'],
  ['no version', '{"command":"stop"}', 'no line of the control protocol'],
  ['a number', '7', 'no line of the control protocol'],
  ['an unknown command', '{"stepladder":1,"command":"explode"}', 'there is no command \\"explode\\"'],
  ['half a request', '{"stepladder":1,"command":"cpu-profile","instance":0}', 'where to?'],
  ['a line without an end', 'x'.repeat(200_000), 'too long'],
])('%s is answered with an error', async (_, line, reason) => {
  await using shell = await openCommandLine()
  const control = await openControl(async () => 'done', () => {}, [shell.temp])
  const [address] = controlAddresses([shell.temp])
  try {
    expect(await say(address!.path, line)).toContain(reason)
    // It still answers who asks properly.
    expect(await say(address!.path, '{"stepladder":1,"command":"reload"}')).toContain('"result":"done"')
  } finally {
    await control.close()
  }
})

test('who leaves before the answer, and who never asks, hold nothing up', async () => {
  await using shell = await openCommandLine()
  const asked = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<string>()
  const answer = async () => {
    asked.resolve()
    return finish.promise
  }
  const control = await openControl(answer, () => {}, [shell.temp])
  const [address] = controlAddresses([shell.temp])
  const leaver = connect(address!.path, () => leaver.write('{"stepladder":1,"command":"reload"}\n'))
  const mute = connect(address!.path)
  await asked.promise
  leaver.destroy()
  finish.resolve('done')
  await control.close()
  expect(await readdir(join(shell.temp, `stepladder-${process.getuid?.()}`))).toEqual([])
  mute.destroy()
})

test.skipIf(process.platform === 'win32')('a folder that others could reach into is not used', async () => {
  await using shell = await openCommandLine()
  const name = `stepladder-${process.getuid?.()}`
  const base = async (prepare: (folder: string) => Promise<unknown>) => {
    const folder = join(shell.folder, String(Math.random()).slice(2, 8))
    await mkdir(folder)
    await prepare(join(folder, name))
    return folder
  }
  const open = await base((folder) => mkdir(folder, { mode: 0o755 }))
  const link = await base((folder) => symlink(shell.temp, folder))
  const file = await base((folder) => shell.write(folder.slice(shell.folder.length), ''))
  const none = join(shell.folder, 'nowhere')
  const long = join(shell.folder, 'x'.repeat(120))
  expect(() => newControlAddress([open])).toThrow('is open to other users')
  expect(() => newControlAddress([link])).toThrow('is no folder')
  expect(() => newControlAddress([file])).toThrow('is no folder')
  expect(() => newControlAddress([none])).toThrow('ENOENT')
  expect(() => newControlAddress([long])).toThrow('is too long a path')
  expect(controlAddresses([open, link, file, none])).toEqual([])
  // The first that can be used serves; where none can, that is said once and the cluster runs without.
  expect(newControlAddress([open, link, shell.temp])).toContain(shell.temp)
  const lines: string[] = []
  const control = await openControl(
    async () => {},
    (line) => lines.push(line),
    [open, none],
  )
  await control.close()
  expect(lines).toEqual([
    expect.stringMatching(/will not find this cluster, signals do: .*open to other users/),
  ])
})

test.skipIf(process.getuid?.() !== 0)("another user's folder is not used", async () => {
  await using shell = await openCommandLine()
  const folder = join(shell.temp, 'stepladder-0')
  await chown(folder, 12_345, 12_345)
  expect(() => newControlAddress([shell.temp])).toThrow('belongs to another user')
})

test.skipIf(process.getuid?.() !== 0)(
  'a user without a name, as containers have them, is no trouble',
  async ({ skip }) => {
    await using shell = await openCommandLine()
    await chown(shell.folder, nameless, nameless)
    const temp = join(shell.folder, 'temp')
    await mkdir(join(temp, `stepladder-${nameless}`), { recursive: true, mode: 0o700 })
    await chown(join(temp, `stepladder-${nameless}`), nameless, nameless)
    const bin = fixture('../../bin/stepladder.js')
    const options = { uid: nameless, gid: nameless, cwd: shell.folder, env: { ...process.env, TMPDIR: temp } }
    const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) =>
      execFile(
        process.execPath,
        ['--conditions=@stepladder/source', bin, 'status'],
        options,
        (failure, _, stderr) => resolve({ code: failure?.code, output: stderr }),
      ),
    )
    if (code === 'EACCES' || /EACCES|Cannot find/.test(output)) skip('other users cannot read this folder')
    expect(output).toBe(
      `stepladder: no cluster of user ${nameless} is running; only the user who runs one can steer it\n`,
    )
    expect(code).toBe(3)
  },
)

/** A user that no list of users has. */
const nameless = 54_321

/** Everything that is answered to one line. */
function say(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(path, () => socket.write(`${line}\n`))
    socket.on('data', (data) => {
      answer += data
    })
    socket.on('end', () => resolve(answer))
    socket.on('error', (failure) => (answer ? resolve(answer) : reject(failure)))
  })
}
