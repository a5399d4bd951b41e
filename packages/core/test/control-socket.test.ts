import { execFile } from 'node:child_process'
import { chown, mkdir, readdir, symlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { controlAddresses, newControlAddress } from '../src/control/control-address.ts'
import { openControl } from '../src/control/control-server.ts'
import { openCommandLine } from './command-line.ts'
import { fixture } from './running-cluster.ts'

// Each starts several processes, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

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
