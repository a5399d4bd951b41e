import { join } from 'node:path'
import { spawnNode } from '@stepladder/core/testing'
import { expect, test } from 'vitest'

const echo = join(import.meta.dirname, 'fixtures/echo-environment.ts')

test('a child has its arguments, its environment, and loads packages as this process does', async () => {
  const child = spawnNode(echo, { args: ['one', 'two'], env: { COLOUR: 'blue', HOME: undefined } })

  expect(await child.exited).toEqual({ code: 0, signal: null })

  expect(JSON.parse(child.output)).toEqual({
    args: ['one', 'two'],
    colour: 'blue',
    hasHome: false,
    hasPath: true,
    execArgv: ['--conditions=@stepladder/source'],
    source: expect.stringMatching(/core\/src\/index\.ts$/),
  })
})

test('`waitForOutput` hears what is written later, to stdout or stderr, and what was written before', async () => {
  await using child = spawnNode(join(import.meta.dirname, 'fixtures/speaks.mjs'))

  const [, port] = await child.waitForOutput(/listening on (\d+)/)
  expect(port).toBe('4711')
  await child.waitForOutput(/a warning/)
  await child.waitForOutput(/listening/g)
  expect(child.output).toContain('a warning')
})

test('`waitForOutput` rejects with the output when the child ends first, or time is up', async () => {
  const ends = spawnNode(echo)
  await expect(ends.waitForOutput(/never/)).rejects.toThrow('hasPath')

  await using silent = spawnNode(join(import.meta.dirname, 'fixtures/idle.mjs'))
  await expect(silent.waitForOutput(/never/, 100)).rejects.toMatchObject({
    code: 'SERVER_START_FAILED',
    cause: { code: 'DEADLINE_EXCEEDED' },
  })
})

test('`kill` ends a child without warning; `stop` asks first, and kills one that will not listen', async () => {
  const child = spawnNode(join(import.meta.dirname, 'fixtures/speaks.mjs'))
  await child.waitForOutput(/warning/)
  child.kill()
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' })

  const polite = spawnNode(join(import.meta.dirname, 'fixtures/speaks.mjs'))
  await polite.waitForOutput(/warning/)
  expect(await polite.stop()).toEqual({ code: 0, signal: null })
  expect(polite.output).toContain('goodbye')

  const deaf = spawnNode(join(import.meta.dirname, 'fixtures/speaks.mjs'), { args: ['deaf'] })
  await deaf.waitForOutput(/warning/)
  expect(await deaf.stop(100)).toEqual({ code: null, signal: 'SIGKILL' })
})
