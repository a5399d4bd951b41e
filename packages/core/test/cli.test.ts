import { freePort, spawnNode } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { fixture } from './running-cluster.ts'

async function stepladder(...args: string[]) {
  await using command = spawnNode(fixture('../../bin/stepladder.js'), {
    args,
    execArgv: ['--conditions=@stepladder/source'],
  })
  const { code } = await command.exited
  return { code, output: command.output }
}

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
