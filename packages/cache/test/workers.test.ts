import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, spawnNode } from '@stepladder/core/testing'
import { expect, test } from 'vitest'

const core = dirname(createRequire(import.meta.url).resolve('@stepladder/core/package.json'))
const app = fileURLToPath(new URL('./fixtures/workers-app.ts', import.meta.url))

interface Answer {
  readonly pid: number
  readonly answer: string
}

test('without Redis, what one worker invalidates no other worker of the machine serves any more', async () => {
  const port = await freePort()
  await using machine = spawnNode(join(core, 'bin/stepladder.js'), {
    args: ['run', '--workers', '2', '--distribution', 'dispatch', app],
    env: { PORT: String(port) },
    execArgv: ['--conditions=@stepladder/source'],
  })
  await machine.waitForOutput(/2 of 2 workers serve/)
  const ask = async (path: string): Promise<Answer> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return (await response.json()) as Answer // as the fixture answers
  }
  /** The first answer of each worker. */
  const askBoth = async (path: string): Promise<string[]> => {
    const answers = new Map<number, string>()
    for (let tries = 0; answers.size < 2 && tries < 100; tries++) {
      const { pid, answer } = await ask(path)
      if (!answers.has(pid)) answers.set(pid, answer)
    }
    return [...answers.values()]
  }

  expect(await askBoth('/read?row=old')).toEqual(['old', 'old'])
  expect(await askBoth('/read?row=new')).toEqual(['old', 'old']) // each has it in its memory
  expect((await ask('/invalidate')).answer).toBe('done')
  expect(await askBoth('/read?row=new')).toEqual(['new', 'new'])
})
