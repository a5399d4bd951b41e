import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { openCommandLine } from './command-line.ts'
import { fixture } from './running-cluster.ts'

// Each starts several processes, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const app = fixture('plain-app.cjs')
const cli = fileURLToPath(new URL('../bin/stepladder.js', import.meta.url))
const listen = `require('node:http').createServer((_, answer) => answer.end(String(process.pid))).listen(process.env.PORT)`

/** Runs a line of the shell, with the command line as `$stepladder`; its output and its exit code. */
async function inShell(line: string, folder: string, port: number) {
  const stepladder = `${process.execPath} --conditions=@stepladder/source ${cli}`
  const env = { ...process.env, PORT: String(port), app, stepladder, TMPDIR: join(folder, '.tmp') }
  const child = spawn('bash', ['-c', line], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code] = await once(child, 'close')
  return { code, output }
}
const serves = (port: number) =>
  vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/pid`)).ok).toBe(true), {
    timeout: 10_000,
  })

test.skipIf(process.platform === 'win32')(
  'the folder it was started in is gone: code 2, and what to do',
  async () => {
    await using shell = await openCommandLine()
    const line = 'mkdir gone && cd gone && rmdir ../gone && $stepladder run server.js'
    const { code, output } = await inShell(line, shell.folder, 0)
    expect(output).toContain('the folder that this was started in is gone')
    expect(code).toBe(2)
  },
)

test.skipIf(process.platform === 'win32').each([
  ['stdin', '<&-'],
  ['stdout and stderr', '>&- 2>&-'],
  // It takes the first line and leaves; whoever writes after that writes into a broken pipe.
  ['the reader of a pipe', '2>&1 | head -1'],
])('without %s it serves and stops', async (_, redirection) => {
  await using shell = await openCommandLine()
  const port = await freePort()
  const ended = inShell(
    `set -o pipefail; $stepladder run --workers 1 $app ${redirection}`,
    shell.folder,
    port,
  )
  await serves(port)
  // Both are logged.
  expect(await shell.stepladder(['reload'])).toMatchObject({ code: 0 })
  expect(await shell.stepladder(['stop'])).toMatchObject({ code: 0 })
  expect(await ended).toMatchObject({ code: 0 })
})

test('an app that writes under our name what nobody understands harms nobody, in a reload neither', async () => {
  await using shell = await openCommandLine()
  await shell.write('server.cjs', `process.send({ stepladder: 'listen' })\n${listen}`)
  const cluster = await shell.run(['--workers', '1', 'server.cjs'])
  await cluster.waitForOutput(/sent what cannot be handled \(listen\)/)
  expect(await shell.stepladder(['reload'])).toMatchObject({ code: 0 })
  await serves(cluster.port)
})

test('an app that closes the channel to its supervisor is told, and goes on serving', async () => {
  await using shell = await openCommandLine()
  await shell.write('server.cjs', `${listen}\nprocess.disconnect()`)
  const cluster = await shell.run(['--workers', '1', 'server.cjs'])
  await cluster.waitForOutput(/process.disconnect\(\) does nothing in a worker/)
  await serves(cluster.port)
  expect((await cluster.stop()).code).toBe(0)
})
