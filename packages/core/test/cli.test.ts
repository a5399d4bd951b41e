import { main } from '@stepladder/core/cli'
import { freePort, spawnNode } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { clusterFlags } from '../src/cli/cluster-flags.ts'
import { fixture } from './running-cluster.ts'

/** Runs a command in this process, which is as much as one needs that starts nothing. */
async function stepladder(...args: string[]) {
  const lines: unknown[] = []
  const hear = (line: unknown) => void lines.push(line)
  const spies = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')].map((spy) =>
    spy.mockImplementation(hear),
  )
  try {
    const code = await main(args, { preload: 'none', version: '1.2.3' })
    return { code, output: lines.join('\n') }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

test('the program ends with the exit code of its command', async () => {
  await using command = spawnNode(fixture('../../bin/stepladder.js'), {
    args: ['run', '--workers', '0', fixture('plain-app.cjs')],
    execArgv: ['--conditions=@stepladder/source'],
  })
  const { code } = await command.exited
  expect(command.output).toContain('stepladder run: option --workers must be')
  expect(code).toBe(2)
})

test.each([
  [['fly'], 'there is no command "fly"'],
  [['run'], 'which file?'],
  [['--workers', '2', 'run', fixture('plain-app.cjs')], 'stepladder run FILE'],
  [['run', 'nowhere.js'], 'there is no file "nowhere.js"'],
  [['run', '--workers', '0', fixture('plain-app.cjs')], 'option --workers must be'],
  [['run', '--workers', '-1', fixture('plain-app.cjs')], 'workers'],
  [['run', '--workers', '1000000', fixture('plain-app.cjs')], 'from 1 to 1024'],
  [['run', '--workers', 'many', fixture('plain-app.cjs')], 'option --workers must be'],
  [['run', '--drain', 'soon', fixture('plain-app.cjs')], 'option --drain must be'],
  [['run', '--distribution', 'fair', fixture('plain-app.cjs')], 'option --distribution must be'],
  [['run', '--wrokers', '2', fixture('plain-app.cjs')], 'no option "--wrokers"; did you mean "--workers"?'],
  [['run', '--drain'], '--drain needs a value'],
  [['run', '--help=no'], '--help is a switch'],
  [['run', '-x'], 'no option "-x"'],
])('%j ends with code 2 and says why', async (args, reason) => {
  const { code, output } = await stepladder(...args)
  expect(output).toContain(reason)
  expect(code).toBe(2)
})

test('a bare number is milliseconds, and what follows FILE belongs to FILE', async () => {
  const port = await freePort()
  await using process = spawnNode(fixture('../../bin/stepladder.js'), {
    args: ['run', '--drain=250', '--workers=1', fixture('plain-app.cjs'), '--workers', 'of its own'],
    env: { PORT: String(port) },
    execArgv: ['--conditions=@stepladder/source'],
  })
  await process.waitForOutput(/1 of 1 workers serve/)
  const answer = await fetch(`http://127.0.0.1:${port}/process`)
  expect(await answer.json()).toEqual({ isMain: true, args: ['--workers', 'of its own'] })
})

test('the help of each command lists its options, and that of run every option of a cluster', async () => {
  const { code, output } = await stepladder('run', '--help')
  expect(code).toBe(0)
  for (const { name } of clusterFlags) expect(output).toContain(`--${name} `)
  expect(output).toContain('--watch')
  const all = await stepladder()
  for (const command of ['run', 'reload', 'status', 'stop', 'heap-snapshot', 'cpu-profile']) {
    expect(all.output).toMatch(new RegExp(`^  ${command} `, 'm'))
  }
})

test.each([
  [['reload', 'now'], 'does not know what to do with "now"'],
  [['status', '--jsno'], 'no option "--jsno"; did you mean "--json"?'],
  [['heap-snapshot', 'first'], 'which worker? "first" is not its number'],
  [['cpu-profile', '--seconds', '0'], 'option --seconds must be'],
  [['cpu-profile', '--seconds', 'many'], 'option --seconds must be'],
])('%j is refused before a cluster is looked for', async (args, reason) => {
  expect(await stepladder(...args)).toMatchObject({ code: 2, output: expect.stringContaining(reason) })
})

test('--help and --version answer and end with code 0', async () => {
  expect(await stepladder('run', '-h')).toMatchObject({ code: 0 })
  expect(await stepladder('--help')).toMatchObject({
    code: 0,
    output: expect.stringContaining('Usage: stepladder'),
  })
  expect(await stepladder('--version')).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^\d+\.\d+\.\d+/),
  })
})
